"""Passages that long texts share: the same as comparing all n-grams one by one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.pipelines.dedup.shared_passages import find_shared_passages

UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
TOKEN = re.compile(rf"[{UNSPACED}]|[^ {UNSPACED}]+")


def grams(text: str, tokens: int) -> set[str]:
    places = [found.span() for found in TOKEN.finditer(text)]
    return {text[places[at][0] : places[at + tokens - 1][1]] for at in range(len(places) - tokens + 1)}


WORDS = st.lists(st.sampled_from(["a ", "bb ", "c", " ", "北", "京", "𠮷", "한", "ü", "\ud800", "1"]), max_size=20).map(
    "".join
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=8), st.lists(WORDS, max_size=5), st.integers(1, 4))
def test_they_are_those_of_comparing_all_n_grams(texts: list[str], originals: list[str], tokens: int) -> None:
    known = set().union(*(grams(text, tokens) for text in originals))
    found = find_shared_passages(texts, originals, tokens)
    assert [one.text for one in found] == [number for number, text in enumerate(texts) if grams(text, tokens) & known]
    for one in found:
        assert one.quote in texts[one.text]
        assert one.quote in originals[one.original]
        assert len(TOKEN.findall(one.quote)) == one.tokens >= tokens


def test_words_of_one_passage_stand_equally_far_apart() -> None:
    assert [one.quote for one in find_shared_passages(["a bb "], ["a  bb "], 1)] == ["a"]


def test_the_longest_passage_is_told() -> None:
    original = "one two three four five six seven eight"
    texts = ["two three four x three four five six seven", "nothing of it", ""]
    (found,) = find_shared_passages(texts, ["zero", original], 3)
    assert found == (0, 1, 5, "three four five six seven")


@pytest.mark.parametrize("texts", [[], ["x" * 100_000], ["长" * 100_000], ["", " "]])
def test_extreme_texts_pass(texts: list[str]) -> None:
    assert find_shared_passages(texts, ["y z"], 2) == []
    assert [one.text for one in find_shared_passages(texts, texts, 2)] == [0] * (texts == ["长" * 100_000])


def test_blocks_of_texts_are_numbered_through() -> None:
    texts = [f"{number} " + "word " * 20_000 for number in range(40)]
    texts[33] += "here is the passage"
    assert [one.text for one in find_shared_passages(texts, ["well here is the passage"], 4)] == [33]
