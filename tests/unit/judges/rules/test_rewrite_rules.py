"""The deterministic judges: each names its own defect, quotes it, and lets good rewrites pass, in both languages."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.files.storage import read_rows
from pairwright.core.records import Candidate, Example, Language, Task, Verdict
from pairwright.core.requests import ChatRequest
from pairwright.judges import JUDGES
from pairwright.judges.rules.contradiction import contradiction
from pairwright.judges.rules.example_leak import ExampleLeak
from pairwright.testing import factories

RULES = [name for name, judge in JUDGES.items() if not judge.paid]
EN = (
    ("user", "Who painted The Heron at Dusk?"),
    ("assistant", "It was painted by Odile Marchetti in 1911."),
)
ZH = (("user", "推荐一家能吃驴肉的餐馆。"), ("assistant", "推荐您去讲礼驴肉馆，人均消费68元。"))


async def nobody(endpoint: str, request: ChatRequest) -> NoReturn:
    raise AssertionError("a rule asks nobody")


def judge(name: str, of: Task, rewrite: str, settings: dict[str, Any] | None = None, **fields: Any) -> Verdict:
    one = factories.candidate(rewrite, of, **{"origin": "teacher", **fields})
    (verdict,) = asyncio.run(JUDGES[name](**(settings or {})).judge(of, [one], nobody))  # type: ignore[attr-defined]
    assert isinstance(verdict, Verdict)
    assert verdict.judge == name
    assert verdict.passed == (verdict.defect is None)
    return verdict


def task(query: str, language: Language = "en", **fields: Any) -> Task:
    history = fields.pop("history", EN if language == "en" else ZH)
    return factories.task(query, history, language, **fields)


BAD = [
    ("leftover_reference", "Where was she born?", "Where was she born in Italy?", "en", "leftover_reference", "she"),
    ("leftover_reference", "How much is it?", "How much is it today?", "en", "leftover_reference", "it"),
    ("leftover_reference", "它的地址在哪？", "它的详细地址在哪？", "zh", "leftover_reference", "它"),
    ("leftover_reference", "电话是多少？", "这家餐馆的电话是多少？", "zh", "leftover_reference", "这家"),
    ("missing_key_entity", "Where was she born?", "Where was born?", "en", "missing_entity", "she"),
    ("missing_key_entity", "Where did she live?", "Where did the of live?", "en", "missing_entity", "the of"),
    ("missing_key_entity", "它的地址在哪？", "地址在哪？", "zh", "missing_entity", "它"),
    ("missing_key_entity", "它的地址在哪？", "的地址在哪？", "zh", "missing_entity", "的"),
    ("invented_entity", "Where was she born?", "Where was Frida Kahlo born?", "en", "invented_entity", "Frida Kahlo"),
    ("invented_entity", "What is its price?", "What is the lighthouse's price?", "en", "invented_entity", "lighthouse"),
    ("invented_entity", "它的地址在哪？", "聚宝源火锅店的地址在哪？", "zh", "invented_entity", "聚宝源火锅店"),
    ("unchanged", "Where was she born?", "Where was she born?", "en", "unchanged", "Where was she born?"),
    ("unchanged", "它的地址在哪？", "它的地址在哪", "zh", "unchanged", "它的地址在哪？"),
    ("unchanged", "营业时间呢？", "营业时间呢？", "zh", "unchanged", "营业时间呢？"),
    ("length_ratio", "Where was she born?", "Born?", "en", "length", "tokens"),
    ("length_ratio", "它的地址在哪？", "推荐您去讲礼驴肉馆，人均消费68元。" * 4, "zh", "length", "tokens"),
    ("answer_instead", "Where was she born?", "Odile Marchetti was born in Turin.", "en", "answered", "Turin"),
    ("answer_instead", "Tell me more.", EN[1][1], "en", "answered", "Odile"),
    ("answer_instead", "它的地址在哪？", "讲礼驴肉馆在小汤山镇。", "zh", "answered", "小汤山镇"),
    ("answer_instead", "还有呢？", ZH[1][1], "zh", "answered", "讲礼驴肉馆"),
    ("language_mismatch", "Where was she born?", "奥迪勒出生在哪里？", "en", "language", "奥迪勒"),
    ("language_mismatch", "它的地址在哪？", "Where is the restaurant?", "zh", "language", "restaurant"),
    ("language_mismatch", "它的地址在哪？", "讲礼驴肉馆的 street address 在哪？", "zh", "language", "street address"),
]


INSTEAD = [
    ("leftover_reference", "I like Turin. Tell me about it.", "I like Turin. Tell me about Odile Marchetti.",
     "I like Turin. Tell me about it.", "it"),
    ("invented_entity", "What is its price?", "What is the price of The Heron at Dusk?", "What is the price of goodbye?", "goodbye"),
    ("over_edited", "What is its address and price?", "What is the address and price of The Heron at Dusk?",
     "Which gallery has the best phone number and address?", "gallery"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "query", "reference", "rewrite", "evidence"), INSTEAD)
def test_with_a_human_rewrite_what_stands_in_the_place_of_its_entity_is_the_defect(
    name: str, query: str, reference: str, rewrite: str, evidence: str
) -> None:
    verdict = judge(name, task(query, reference=reference), rewrite)
    assert not verdict.passed
    assert evidence in verdict.evidence
    assert judge(name, task(query), rewrite).passed


@pytest.mark.parametrize("name", ["leftover_reference", "invented_entity", "over_edited"])
@pytest.mark.parametrize(
    "rewrite",
    [
        "In which town was Odile Marchetti born?",
        "Where was Marchetti born?",
        "Odile Marchetti painted; where was she born?",
    ],
)
def test_other_words_for_the_human_rewrite_are_no_defect(name: str, rewrite: str) -> None:
    assert judge(name, task("Where was she born?", reference="Where was Odile Marchetti born?"), rewrite).passed


@pytest.mark.parametrize(("name", "query", "rewrite", "language", "defect", "evidence"), BAD)
def test_each_judge_names_its_defect_and_quotes_it(
    name: str, query: str, rewrite: str, language: Language, defect: str, evidence: str
) -> None:
    verdict = judge(name, task(query, language), rewrite)
    assert (verdict.passed, verdict.defect) == (False, defect)
    assert evidence in verdict.evidence


GOOD = [
    ("Where was she born?", "Where was Odile Marchetti born?", "en"),
    ("When was that painted?", "When was The Heron at Dusk painted?", "en"),
    ("What about in Italy?", "What did Odile Marchetti paint in Italy?", "en"),
    ("Who is Ada Lovelace?", "Who is Ada Lovelace?", "en"),
    (
        "That sounds nice! How big is the painting?",
        "That sounds nice! How big is the painting The Heron at Dusk?",
        "en",
    ),
    ("它的地址在哪？", "讲礼驴肉馆的地址在哪？", "zh"),
    ("人均消费多少？", "讲礼驴肉馆人均消费多少？", "zh"),
    ("那天坛呢？", "天坛附近有能吃驴肉的餐馆吗？", "zh"),
    ("天坛的门票多少钱？", "天坛的门票多少钱？", "zh"),
    ("谢谢你", "谢谢你", "zh"),
]


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(("query", "rewrite", "language"), GOOD)
def test_good_rewrites_pass_every_judge(name: str, query: str, rewrite: str, language: Language) -> None:
    assert judge(name, task(query, language), rewrite).passed


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_packaged_examples_pass_every_judge(name: str, language: Language) -> None:
    examples = list(read_rows(factories_bank(language), Example))
    for one in examples:
        of = task(
            one.query,
            language,
            history=[(turn.role, turn.content) for turn in one.history],
            examples=tuple(other for other in examples if other is not one),
        )
        verdict = judge(name, of, one.rewrite, analysis=one.analysis, needs_rewrite=one.needs_rewrite)
        assert verdict.passed, (one.id, verdict.defect, verdict.evidence)


def factories_bank(language: Language) -> Any:
    from importlib.resources import files

    return files("pairwright.core.prompts").joinpath(f"examples.{language}.jsonl")


def test_a_human_rewrite_tells_which_entity_must_come_back() -> None:
    of = task("What are the colours?", reference="What are the colours of The Heron at Dusk?")
    assert judge("missing_key_entity", of, "What are the colours of Odile Marchetti?").evidence in "The Heron at Dusk"
    assert judge("missing_key_entity", of, "What are the colours of the heron at dusk?").passed


def test_references_that_the_human_rewrite_keeps_are_allowed() -> None:
    kept = "Where did Odile Marchetti paint that?"
    assert not judge("leftover_reference", task("Where did she paint that?"), kept).passed
    assert judge("leftover_reference", task("Where did she paint that?", reference=kept), kept).passed


def test_without_history_nothing_can_be_left_over() -> None:
    for name in ("leftover_reference", "unchanged", "missing_key_entity"):
        assert judge(name, task("Where was she born?", history=()), "Where was she born?").passed


def test_a_query_that_needs_no_rewrite_must_stay() -> None:
    alone = "Who is Ada Lovelace?"
    assert judge("over_edited", task(alone, reference=alone), alone + " ").passed
    assert judge("over_edited", task(alone, reference=alone), "Who is ada lovelace").passed
    added = judge("over_edited", task(alone, reference=alone), "Who is Ada Lovelace the painter?")
    assert (added.defect, added.evidence) == ("over_edited", "painter")
    assert not judge("over_edited", task(alone, history=()), "Who is Odile Marchetti?").passed


def test_a_rewrite_that_asks_something_else_is_over_edited() -> None:
    of = task("What colours did she prefer for skies?")
    assert not judge("over_edited", of, "Which batteries last longest in winter tents?").passed
    assert judge("over_edited", of, "What colours did Odile Marchetti prefer for skies?").passed


@pytest.mark.parametrize(
    ("query", "reference", "rewrite"),
    [
        ("What is its price?", "What is the price of The Heron at Dusk?", "Thank you!"),
        ("What is its price?", "What is the price of The Heron at Dusk?", "Which trains leave Turin at a low price?"),
        ("它的地址在哪？", "讲礼驴肉馆的地址在哪？", "故宫博物院明天几点开门？"),
    ],
)
def test_a_known_human_rewrite_tells_another_question(query: str, reference: str, rewrite: str) -> None:
    language: Language = "en" if query.isascii() else "zh"
    assert not judge("over_edited", task(query, language, reference=reference), rewrite).passed


@pytest.mark.parametrize(
    ("query", "reference", "rewrite"),
    [
        ("Good bye.", "goodbye", "Please, goodbye."),
        ("What is its price?", "What is the price of The Heron at Dusk?", "How much does The Heron at Dusk cost?"),
        ("What is its price?", "What is the price of The Heron at Dusk?", "What is the price of the heron painting?"),
        ("它的地址在哪？", "讲礼驴肉馆的地址在哪？", "请问讲礼驴肉馆怎么走？"),
    ],
)
def test_other_words_for_the_human_rewrite_are_not_over_edited(query: str, reference: str, rewrite: str) -> None:
    language: Language = "en" if query.isascii() else "zh"
    assert judge("over_edited", task(query, language, reference=reference), rewrite).passed


@pytest.mark.parametrize("polite", ["", "Please, "])
def test_a_reference_that_the_human_rewrite_keeps_may_stay_in_other_words(polite: str) -> None:
    of = task("That's great! Where was she born?", reference="That's great! Where was Odile Marchetti born?")
    assert judge("leftover_reference", of, polite + "that's great! Where was Odile Marchetti born").passed
    assert judge("leftover_reference", of, polite + "that's great! Where was that born").evidence.lower() == "that"


def test_a_copy_keeps_what_the_human_rewrite_replaced() -> None:
    query = "I am not sure about the yeast. How does it taste?"
    of = task(query, reference="I am not sure about the yeast. How does the yeast taste?")
    assert judge("leftover_reference", of, query).evidence == "it"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_of_the_examples_are_a_leak_in_the_rewrite(language: Language) -> None:
    shown = factories.example(language)
    of = task("Where was she born?" if language == "en" else "它的地址在哪？", language, examples=(shown,))
    leaked = "Where was Ada Lindqvist born?" if language == "en" else "林若溪的地址在哪？"
    verdict = judge("example_leak", of, leaked)
    assert verdict.defect == "leaked_example"
    assert verdict.evidence in ("ada", "lindqvist", "林若溪")
    assert judge("example_leak", of.model_copy(update={"examples": ()}), leaked).passed


def test_words_that_the_dialogue_shares_with_an_example_are_no_leak() -> None:
    said = (*EN, ("user", "And who wrote The Glass Orchard?"), ("assistant", "Ada Lindqvist."))
    of = task("Where was she born?", history=said, examples=(factories.example("en"),))
    assert judge("example_leak", of, "Where was Ada Lindqvist born?").passed


def test_a_name_of_an_example_is_a_leak_in_the_analysis_too() -> None:
    of = task("Where was she born?", examples=(factories.example("en"),))
    verdict = judge("example_leak", of, "Where was Odile Marchetti born?", analysis="'She' is Ada Lindqvist.")
    assert (verdict.defect, verdict.evidence) == ("leaked_example", "Ada Lindqvist")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_analysis_copied_from_an_example_is_a_leak(language: Language) -> None:
    examples = tuple(read_rows(factories_bank(language), Example))
    query, rewrite = (
        ("Where was she born?", "Where was Odile Marchetti born?")
        if language == "en"
        else ("它的地址在哪？", "讲礼驴肉馆的地址在哪？")
    )
    for shown in examples:
        copied = judge("example_leak", task(query, language, examples=(shown,)), rewrite, analysis=shown.analysis)
        assert copied.defect == "leaked_example", shown.id


@pytest.mark.parametrize(
    ("rewrite", "analysis", "needs_rewrite"),
    [
        ("Where was she born?", None, True),
        ("Where was Odile Marchetti born?", None, False),
        ("Where was Odile Marchetti born?", "The query is complete and needs no rewrite.", None),
        ("Where was the author born?", "'She' is Odile Marchetti, the painter.", True),
    ],
)
def test_an_answer_whose_parts_disagree_is_a_contradiction(
    rewrite: str, analysis: str | None, needs_rewrite: bool | None
) -> None:
    of = task("Where was she born?")
    one = factories.candidate(rewrite, of, origin="teacher", analysis=analysis, needs_rewrite=needs_rewrite)
    assert contradiction(of, one) is not None


@pytest.mark.parametrize(
    "analysis",
    [
        "'She' is Odile Marchetti.",
        "The query does not stand on its own: it refers to Odile Marchetti.",
        "The query cannot be understood without the dialogue, because 'she' is Odile Marchetti.",
        "The person is not named.",
    ],
)
def test_an_analysis_that_fits_the_rewrite_is_no_contradiction(analysis: str) -> None:
    assert judge(
        "contradiction", task("Where was she born?"), "Where was Odile Marchetti born?", analysis=analysis
    ).passed


def test_chinese_analyses_are_read_too() -> None:
    of = task("它的地址在哪？", "zh")
    good = "讲礼驴肉馆的地址在哪？"
    assert judge("contradiction", of, good, analysis="“它”指讲礼驴肉馆。").passed
    assert not judge("contradiction", of, good, analysis="问题本身已经完整，不需要改写。").passed
    assert not judge("contradiction", of, "餐馆的地址在哪？", analysis="“它”是讲礼驴肉馆。").passed


def test_thresholds_can_be_set_in_the_build_file() -> None:
    of = task("Where was she born?")
    assert not judge("length_ratio", of, "Born?").passed
    assert judge("length_ratio", of, "Born?", settings={"shortest": 0.1}).passed
    with pytest.raises(ValueError, match="copied_words"):
        ExampleLeak(copied_words=1)


def test_every_candidate_gets_its_own_verdict_in_order() -> None:
    of = task("Where was she born?")
    rewrites = ["Where was she born?", "Where was Odile Marchetti born?", "Where was she raised?"]
    answers: list[Candidate] = [factories.candidate(text, of) for text in rewrites]
    verdicts = asyncio.run(JUDGES["leftover_reference"]().judge(of, answers, nobody))  # type: ignore[attr-defined]
    assert [verdict.passed for verdict in verdicts] == [False, True, False]


@settings(max_examples=10, deadline=None)
@given(st.text(min_size=1, max_size=30), st.text(max_size=30), st.sampled_from(["en", "zh"]))
def test_no_text_makes_a_judge_fall_over(query: str, rewrite: str, language: Language) -> None:
    of = task(query, language, examples=(factories.example(language),))
    for name in RULES:
        judge(name, of, rewrite, analysis=rewrite)
        judge(name, of.model_copy(update={"reference": rewrite}), query)
