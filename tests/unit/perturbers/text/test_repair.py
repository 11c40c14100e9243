"""Texts read well after an edit, and what cannot be mended is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwright.perturbers.text.repair import agree, broken, final_marks, in_the_place_of, repair


@pytest.mark.parametrize(
    ("edited", "chosen", "mended"),
    [
        ("What is the phone number of ?", "What is the phone number of Nandos?", "What is the phone number?"),
        ("What is the address of in town?", "What is the address of Ask in town?", "What is the address in town?"),
        ("What are the 's other uses?", "What are blockchain's other uses?", "What are the other uses?"),
        ("the film received?", "The Wall film received?", "The film received?"),
        ("Can I have a umbrella?", "Can I have a red umbrella?", "Can I have an umbrella?"),
        ("Can I have an red umbrella ?", "Can I have an umbrella?", "Can I have a red umbrella?"),
        ("Tell me  about , please", "Tell me about Rome, please.", "Tell me about, please."),
        ("Is it the the best?", "Is it the very best?", "Is it the best?"),
        ("How about for jazz in town?", "How about for jazz festivals in town?", "How about for jazz in town?"),
    ],
)
def test_english_is_mended(edited: str, chosen: str, mended: str) -> None:
    assert repair(edited, chosen, "en") == mended


@pytest.mark.parametrize(
    ("edited", "chosen", "mended"),
    [
        ("的门票多少钱？", "故宫的门票多少钱？", "门票多少钱？"),
        ("那去的门票要多少钱？", "那去故宫的门票要多少钱？", "那去门票要多少钱？"),
        ("好，的的地址在哪", "好，故宫的地址在哪？", "好，地址在哪？"),
        ("故宫、、天坛和哪个好？", "故宫、北海、天坛和颐和园哪个好？", "故宫、天坛和哪个好？"),
        ("（）有什么好吃的吗吗？", "前门（大街）有什么好吃的吗？", "有什么好吃的吗？"),
        ("那那里要门票吗？", "那三里屯那里要门票吗？", "那里要门票吗？"),
        ("，周边有酒店吗？", "清华，周边有酒店吗？", "周边有酒店吗？"),
    ],
)
def test_chinese_is_mended(edited: str, chosen: str, mended: str) -> None:
    assert repair(edited, chosen, "zh") == mended


@pytest.mark.parametrize(
    ("text", "chosen", "language"),
    [
        ("What is the of?", "What is the cost of it?", "en"),
        ("difference between and yoga", "difference between judo and yoga", "en"),
        ("就了，联系电话是多少？", "就聚宝源了，联系电话是多少？", "zh"),
        ("是的，你对也了解？", "是的，你对大卫也了解？", "zh"),
        ("海底捞(西单店有吗？", "海底捞(西单店)有吗？", "zh"),
    ],
)
def test_what_cannot_be_mended_is_named(text: str, chosen: str, language: str) -> None:
    assert broken(text, chosen, "zh" if language == "zh" else "en")
    assert not broken(chosen, chosen, "zh" if language == "zh" else "en")


@pytest.mark.parametrize(
    ("text", "phrase", "plural", "agreed"),
    [
        ("Where does they live?", "they", True, "Where do they live?"),
        ("How have the project changed?", "the project", False, "How has the project changed?"),
        ("They seems fine and it are good", "it", False, "They seems fine and it is good"),
        ("What is the role of them in town?", "them", True, "What is the role of them in town?"),
        ("What did Bellweather do there?", "Bellweather", False, "What did Bellweather do there?"),
        ("How can the goats have milk?", "goats", False, "How can the goats have milk?"),
    ],
)
def test_the_verb_beside_a_phrase_agrees_with_it(text: str, phrase: str, plural: bool, agreed: str) -> None:
    start = text.index(phrase)
    assert agree(text, start, start + len(phrase), plural) == agreed


def test_a_copied_text_keeps_its_own_mark_when_it_does_not_ask() -> None:
    assert in_the_place_of("What is it", "What is yoga?") == "What is it?"
    assert in_the_place_of("It is fine.", "Is yoga fine?") == "It is fine."


@given(st.text(max_size=80), st.sampled_from(("en", "zh")))
def test_any_text_is_mended_to_something_that_ends_like_the_chosen(text: str, language: str) -> None:
    chosen = "Is it so?" if language == "en" else "是这样吗？"
    mended = repair(text, chosen, "zh" if language == "zh" else "en")
    assert mended == "" or final_marks(mended).endswith(final_marks(chosen))
