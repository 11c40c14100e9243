"""Nothing that somebody else wrote steers the terminal of who runs a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile.commands import in_a_fork, in_a_process
from hostile.terminal import CASES, TerminalCase, happened_in

import pairwright.pipelines.api  # noqa: F401 - loaded here once, not in every fork

# Each stage of a call through a shell once: what the rest adds is the start of an interpreter.
SHELL = ("key-of-a-row-csi", "unknown-option-return", "module-raises-csi")


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_steers_the_terminal(case: TerminalCase, tmp_path: Path) -> None:
    call = in_a_process if case.name in SHELL else in_a_fork
    assert happened_in(case, tmp_path, call) == case.expected
