"""No text of a dialogue can be read as a tag of a prompt, and no harmless text loses anything."""

from __future__ import annotations

import pytest
from hostile.prompt_tags import CASES, TagCase, happened


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_text_stays_a_text(case: TagCase) -> None:
    assert happened(case) == case.expected
