"""Markdown from data, read back by a renderer: the reader sees the text, and nothing else happens."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rendered import HOSTILE, markdown, spaced

from pairwright.core.pages.markdown import Markup, block, code, inline, markdown_table
from pairwright.core.pages.printable import one_line

PIECES = ["```", "~~", "---", "===", "#", "1. ", "- ", "> ", "<b>", "|", "\\", "[a](b)", "![", "_", "*", "$", "&lt;", "\n", "://", "www.", "(", ")", "a", " "]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join) | st.sampled_from(HOSTILE)
TABLE = ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]


@given(texts)
@example("__a__")
@example("a\\|b")
@example("\\")
@example("::--|--")
def test_a_cell_shows_its_text_and_adds_nothing_to_the_table(text: str) -> None:
    found = markdown("\n".join(markdown_table([("head", text), (text, 1)])))
    assert [name for name, _ in found.tags] == TABLE
    assert found.text == spaced(f"head {one_line(text)} {one_line(text)} 1")


@given(texts)
@example("=")
@example("--")
@example("1)")
@example("123456789. x")
@example(":-:")
@example("#")
@example("a #")
@example("+")
def test_a_line_shows_its_text_wherever_it_stands(text: str) -> None:
    shown = spaced(one_line(text))
    for before, names in (("", {"p"}), ("before\n", {"p"}), ("# ", {"h1"}), ("- ", {"ul", "li"})):
        found = markdown(f"{before}{inline(text)}")
        assert found.names <= names
        assert found.text == spaced(f"{before.strip('# -')} {shown}")


@pytest.mark.parametrize(
    "text",
    [
        "missing_key_entity",
        "0.71 (0.60 to 0.80)",
        "-0.12",
        "+0.12",
        "leftover 1: 2, 3",
        "a-b + c = d; 50 % #2",
        "org/model-7b",
        "rubric@judge#2",
        "谁？好！",
        "2.5",
        "C# 100%",
    ],
)
def test_ordinary_text_is_not_touched(text: str) -> None:
    assert inline(text) == text


def test_addresses_are_no_links() -> None:
    assert inline("see http://x.org, www.x.org or a@x.org") == r"see http\://x.org, www\.x.org or a\@x.org"
    assert inline("@someone") == r"\@someone"


def test_our_own_markup_has_to_be_asked_for() -> None:
    assert markdown_table([("key", "what"), (code("name"), "`name`")])[2] == r"| `name` | \`name\` |"
    assert inline(inline("*")) == r"\*"
    assert markdown_table([(Markup("**a**"),)]) == ["| **a** |", "| --- |"]


@given(texts)
def test_code_shows_its_text(text: str) -> None:
    found = markdown("\n".join(markdown_table([("head",), (code(text),)])))
    assert found.names <= {"table", "thead", "tr", "th", "tbody", "td", "code"}
    assert found.text == spaced(f"head {one_line(text)}")


@given(st.lists(texts, min_size=1, max_size=3))
@example(["```", "````"])
def test_no_text_leaves_its_block(said: list[str]) -> None:
    lines = block([("user", text) for text in said], longest=10_000)
    found = markdown("\n".join(lines))
    assert found.names == {"pre", "code"}
    assert found.text == spaced(" ".join(f"user: {one_line(text)}" for text in said))
    assert len(lines) == len(said) + 2


def test_long_texts_of_a_block_are_cut() -> None:
    assert block([("a", "x" * 50)], longest=10)[1] == "a: " + "x" * 10 + "…"
