"""Wrong build files end in one plain paragraph: nothing hangs, leaks, runs or is removed. Right ones keep working."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
from hostile.build_files import CASES
from hostile.build_files.case import Case
from hostile.build_files.running import try_case

from places import ROOT

COLD = ("right-chinese-text", "place-missing", "secret-url-password")
"""Tried as a shell starts the command; the others save the three seconds that it needs to load."""
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", [case for case in CASES if not case.apart], ids=lambda case: case.name)
def test_a_wrong_build_file_is_one_paragraph_and_a_right_one_works(case: Case) -> None:
    tried = try_case(case, "cold" if case.name in COLD else "here")
    assert not tried.problems, (tried.problems, tried.outcome.stderr[-2000:].decode("utf-8", "replace"))


@pytest.fixture(scope="module")
def told_apart() -> Mapping[str, str]:
    """What the benchmark says of the cases that could fill this process's memory or end it."""
    command = [sys.executable, str(ROOT / "benchmarks" / "hostile" / "build_files.py"), "--apart"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1000)
    return {line.split()[0]: line for line in done.stdout.splitlines()}


@pytest.mark.timeout(1000)
@pytest.mark.parametrize("case", [case for case in CASES if case.apart], ids=lambda case: case.name)
def test_a_wrong_build_file_neither_hangs_nor_fills_the_memory(case: Case, told_apart: Mapping[str, str]) -> None:
    assert told_apart[case.name].endswith("  ok"), told_apart[case.name]
