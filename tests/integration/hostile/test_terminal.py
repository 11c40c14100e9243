"""Nothing that somebody else wrote steers the terminal of who runs a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile.commands import in_a_fork, in_a_process
from hostile.terminal import CASES, TerminalCase, happened_in

import pairwright.pipelines.api  # noqa: F401 - loaded here once, not in every fork

# Those that build nothing; benchmarks/hostile/texts.py runs all of them, each through a shell.
QUICK = [
    case
    for case in CASES
    if case.kind == "argument" or case.name.startswith(("build-file-", "raw-", "unknown-", "own-"))
]
SHELL = ("file-missing-return", "judge-warns-return")


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
def test_nothing_steers_the_terminal(case: TerminalCase, tmp_path: Path) -> None:
    assert happened_in(case, tmp_path, in_a_fork) == case.expected


@pytest.mark.slow
@pytest.mark.parametrize("name", SHELL)
def test_nothing_steers_the_shell(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in CASES if case.name == name)
    assert happened_in(case, tmp_path, in_a_process) == case.expected
