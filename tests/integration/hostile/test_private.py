"""What belongs to a person or to one machine is not published, and nothing is refused that only looks like it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile.private import CASES, PrivateCase, happened_in


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_private_stays_here(case: PrivateCase, tmp_path: Path) -> None:
    assert happened_in(case, tmp_path) == case.expected
