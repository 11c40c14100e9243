"""What differs between two texts."""

from __future__ import annotations

import pytest

from pairwright.core.pages.difference import differences, marked_change


@pytest.mark.parametrize(
    ("first", "second", "marked"),
    [
        ("Who wrote Emma in 1815?", "Who wrote it in 1815?", "Who wrote [-Emma-]{+it+} in 1815?"),
        ("钟鼓楼附近有什么餐馆？", "附近有什么餐馆？", "[-钟鼓楼-]附近有什么餐馆？"),
        ("Where is it?", "Where is it now?", "Where is it{+ now+}?"),
        ("the same", "the same", "the same"),
        ("", "", ""),
        ("When was Ada born?", "推荐一家酒店吧", "推荐一家酒店吧"),  # marks would stand between all of it
    ],
)
def test_what_makes_the_second_text_of_the_first_is_marked(first: str, second: str, marked: str) -> None:
    assert marked_change(first, second) == marked


def test_both_sides_are_cut_where_they_differ() -> None:
    left, right = differences("Who wrote Emma?", "Who wrote it?")
    assert [run.text for run in left if run.differs] == ["Emma"]
    assert [run.text for run in right if run.differs] == ["it"]
    assert "".join(run.text for run in left) == "Who wrote Emma?"
