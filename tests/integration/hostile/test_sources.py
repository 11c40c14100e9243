"""Hostile source files: every row is kept or accounted for, or there is one clear error.

`benchmarks/hostile/sources.py` runs all of them through the command line, the heavy ones included.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hostile.halves import half
from hostile.source_case import Case
from hostile.source_runs import read_case, run_case
from hostile.sources import CASES

LIGHT = [case for case in CASES if not case.heavy]
WHOLE = ["surrogate-only-keys-en.jsonl", "cr-only-zh.csv", "name-escape-sequences", "fifo-zh.csv"]
BY_NAME = {case.name: case for case in CASES}


def test_the_cases_have_names_of_their_own_and_both_halves_have_every_kind() -> None:
    assert len(BY_NAME) == len(CASES)
    kinds = Counter((case.kind, half(case.name)) for case in CASES)
    assert all(kinds[case.kind, side] >= 1 for case in CASES for side in ("seen", "unseen"))
    assert min(Counter(half(case.name) for case in CASES).values()) >= 30


@pytest.mark.parametrize("case", LIGHT, ids=lambda case: case.name)
def test_a_hostile_source_is_read_or_refused(case: Case, tmp_path: Path) -> None:
    result = read_case(case, tmp_path)
    assert not result.wrong, result.said


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_a_build_from_a_hostile_source(name: str, tmp_path: Path) -> None:
    result = run_case(BY_NAME[name], tmp_path)
    assert not result.wrong, result.said
