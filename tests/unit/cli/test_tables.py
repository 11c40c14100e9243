"""Tables on the terminal: no cell is obeyed."""

from __future__ import annotations

import re

import pytest
from rendered import HOSTILE

from pairwright.cli.tables import print_table, print_text
from pairwright.core.bookkeeping import StageCount
from pairwright.core.execution.progress import summary

STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("light", [False, True])
def test_nothing_in_a_table_steers_the_terminal(text: str, light: bool, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(text, [("head", text), (text, 1)], width=400, light=light)
    print_text(text)
    printed = capsys.readouterr().out
    assert not STEERING.search(printed)


def test_markup_of_rich_is_text_in_title_head_and_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("[red]title[/]", [("[b]head[/b]",), ("[i]cell[/i] [/]",)])
    print_text("[u]said[/u]")
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("[red]title[/]", "[b]head[/b]", "[i]cell[/i] [/]", "[u]said[/u]"))


def test_the_first_column_can_be_kept_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("", [("name", "what"), ("a-name-of-some-length", "words " * 30)], width=40, first_whole=True)
    assert "a-name-of-some-length" in capsys.readouterr().out


def test_reasons_in_the_books_are_one_line_of_text() -> None:
    count = StageCount(stage="judge", unit="candidate", rows_in=1, kept=0, dropped={"low\n\x1b[31m": 1}, failed={})
    assert summary(count).endswith("0 kept, 1 dropped (low \ufffd[31m)")
