"""The rule gate on queries of both languages: what needs its dialogue, what does not, and what an answer would be needed for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.records import GateDecision, Language
from pairwright.judges.gates.missing_answer import unanswered
from pairwright.judges.gates.rules import POINTS, decision, points
from pairwright.judges.gates.signals import signals
from pairwright.testing import factories

HOTEL = (("user", "推荐一家酒店吧"), ("assistant", "北京香江戴斯酒店很不错，评分4.5分。"))
CANCER = (("user", "What is throat cancer?"), ("assistant", "It is a tumour of the larynx or pharynx."))


def decided(query: str, history: tuple[tuple[str, str], ...], language: Language) -> GateDecision:
    return decision(factories.task(query, history, language))


@pytest.mark.parametrize(
    "query",
    [
        "它多少钱？",
        "这家酒店有健身房吗？",
        "那门票呢？",
        "评分多少？",
        "地址在哪？",
        "酒店周边有餐馆吗？",
        "周边有什么景点？",
        "有没有更便宜的？",
        "还有别的吗？",
        "第二家怎么样？",
    ],
)
def test_a_chinese_query_that_leaves_its_subject_out_needs_a_rewrite(query: str) -> None:
    assert decided(query, HOTEL, "zh").needs_rewrite


@pytest.mark.parametrize(
    "query",
    [
        "故宫的门票多少钱？",
        "《模仿游戏》的主演都有谁？",
        "好的，谢谢！",
        "帮我找一家人均消费50元的餐馆。",
        "北京动物园是怎么收费的呢？",
    ],
)
def test_a_chinese_query_that_names_what_it_asks_about_passes(query: str) -> None:
    assert not decided(query, HOTEL, "zh").needs_rewrite


@pytest.mark.parametrize(
    "query",
    [
        "Is it treatable?",
        "What about in the US?",
        "What are the symptoms?",
        "Are there any side effects?",
        "Why?",
        "What else?",
        "Tell me more.",
        "Can you compare the first two?",
        "Which one is cheaper?",
        "How reliable is the test?",
        "And the treatment?",
    ],
)
def test_an_english_query_that_leaves_something_open_needs_a_rewrite(query: str) -> None:
    assert decided(query, CANCER, "en").needs_rewrite


@pytest.mark.parametrize(
    "query",
    [
        "What is lung cancer?",
        "Thanks, that was very helpful!",
        "Tell me about Lyme Disease.",
        "How did Calico Jack die?",
        "What are the symptoms of lung cancer?",
        "Who was Anne Bonny?",
    ],
)
def test_an_english_query_that_stands_alone_passes(query: str) -> None:
    assert not decided(query, CANCER, "en").needs_rewrite


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_history_nothing_needs_a_rewrite(language: Language) -> None:
    found = decided("Is it?" if language == "en" else "它呢？", (), language)
    assert (found.needs_rewrite, found.missing_answer, found.score, found.evidence) == (
        False,
        False,
        None,
        "no history",
    )


def test_the_evidence_quotes_what_weighed_most_first() -> None:
    assert decided("它多少钱？", HOTEL, "zh").evidence.startswith("reference '它' +3")


def test_an_answer_is_missing_only_where_a_user_turn_has_none() -> None:
    assert unanswered(factories.turns(("user", "a"), ("user", "b")))
    assert unanswered(factories.turns(("user", "a")))
    assert not unanswered(factories.turns(("user", "a"), ("assistant", "b")))
    assert not unanswered(())


@pytest.mark.parametrize(
    ("language", "question", "query"),
    [
        ("en", "Which cheeses are low in fat?", "Can you compare the first two?"),
        ("zh", "有什么好吃的？", "第二家怎么样？"),
    ],
)
def test_what_points_at_a_list_depends_on_the_answer_that_gave_it(
    language: Language, question: str, query: str
) -> None:
    missing = decided(query, (("user", question),), language)
    known = decided(query, (("user", question), ("assistant", "A, B, C.")), language)
    assert (missing.missing_answer, missing.passes) == (True, True)
    assert (known.missing_answer, known.passes) == (False, False)


def test_every_signal_with_points_can_be_found() -> None:
    for language in ("en", "zh"):
        assert all(isinstance(value, float) and value != 0 for value in POINTS[language].values())


@settings(deadline=None, max_examples=60)  # the first call loads the language models
@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=3), st.sampled_from(["en", "zh"]))
def test_any_text_gets_a_decision_that_follows_from_its_points(
    query: str, history: list[str], language: Language
) -> None:
    of = factories.task(query or "?", [("user", text) for text in history], language)
    found = decision(of)
    assert found == decision(of)
    if of.history:
        assert found.needs_rewrite == (points(signals(of.query, of.history, language), language) > 0)
    assert not found.missing_answer or found.needs_rewrite
