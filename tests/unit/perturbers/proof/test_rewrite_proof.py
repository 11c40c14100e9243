"""Verifiers pass the chosen rewrite, see the defect, and are not taken in by texts that are acceptable after all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pairwright.core.bookkeeping import Dropped
from pairwright.core.records import Candidate, Example, Origin, Rejected, Task, Turn
from pairwright.perturbers.proof import rewrite_proof
from pairwright.perturbers.proof.registers import off_register
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, settle

ORIGIN = Origin(source="test", file="test.jsonl", key="1", licence="MIT")
EXAMPLE = Example(
    id="e",
    language="en",
    history=(),
    query="And on Sundays?",
    analysis="",
    needs_rewrite=True,
    rewrite="Is Brackenford open on Sundays?",
)


def task(query: str, *history: str, language: str = "en", reference: str | None = None) -> Task:
    turns = tuple(
        Turn(role="user" if place % 2 == 0 else "assistant", content=text) for place, text in enumerate(history)
    )
    return Task.model_validate(
        {
            "id": "t", "conversation": "c", "dialogue": "d", "language": language, "history": turns, "query": query,
            "reference": reference, "tokens": 1, "examples": (EXAMPLE,), "origin": ORIGIN,
        }
    )  # fmt: skip


EN = task("What does it cost?", "Tell me about the Milgram experiment and the Asch experiment.", "Both are famous.")
EN_CHOSEN = "What does the Milgram experiment cost?"
ZH = task("它的门票多少钱？", "推荐一个景点。", "推荐您去钟鼓楼，附近还有恭王府。", language="zh")
ZH_CHOSEN = "钟鼓楼的门票多少钱？"
EN_TODAY = task("Is it on today?", "Tell me about the Milgram experiment.")
ZH_TOMORROW = task("它明天开门吗？", "推荐一个景点。", "推荐您去钟鼓楼。", language="zh")
CASES: list[tuple[Callable[[Task, str, str], str], Task, str, str]] = [
    (rewrite_proof.missing, EN, EN_CHOSEN, "What does the experiment cost?"),
    (rewrite_proof.missing, ZH, ZH_CHOSEN, "门票多少钱？"),
    (rewrite_proof.vague, EN, EN_CHOSEN, "What does that experiment cost?"),
    (rewrite_proof.vague, ZH, ZH_CHOSEN, "那个景点的门票多少钱？"),
    (rewrite_proof.leaked, EN, EN_CHOSEN, "What does Brackenford cost?"),
    (rewrite_proof.foreign, EN, EN_CHOSEN, "What does Casablanca cost?"),
    (rewrite_proof.foreign, ZH, ZH_CHOSEN, "西湖的门票多少钱？"),
    (rewrite_proof.swapped, EN, EN_CHOSEN, "What does the Asch experiment cost?"),
    (rewrite_proof.swapped, ZH, ZH_CHOSEN, "恭王府的门票多少钱？"),
    (rewrite_proof.shortened, EN, EN_CHOSEN, "What does the experiment cost?"),
    (rewrite_proof.shortened, ZH, ZH_CHOSEN, "钟鼓楼多少钱？"),
    (rewrite_proof.answers, EN, EN_CHOSEN, "Both are famous."),
    (rewrite_proof.answers, ZH, ZH_CHOSEN, "推荐您去钟鼓楼。"),
    (rewrite_proof.drifted, EN, EN_CHOSEN, "Tell me about the Milgram experiment and the Asch experiment."),
    (
        rewrite_proof.repeats,
        EN,
        EN_CHOSEN,
        "What does the Milgram experiment cost, I mean the Milgram experiment from before?",
    ),
    (rewrite_proof.repeats, ZH, ZH_CHOSEN, "关于钟鼓楼的问题，钟鼓楼的门票多少钱？"),
    (off_register, EN, EN_CHOSEN, "So, um, like, what does the Milgram experiment cost?"),
    (off_register, ZH, ZH_CHOSEN, "钟鼓楼的 ticket 多少钱？"),
    (off_register, EN, EN_CHOSEN, "What does Milgram experiment cost?"),
    (off_register, EN, EN_CHOSEN, "What does the the Milgram experiment cost?"),
    (off_register, EN, EN_CHOSEN, "What does the Milgram experiment 花费?"),
    (off_register, EN, EN_CHOSEN, "Please ask, what does the Milgram experiment cost?"),
    (off_register, ZH, "钟鼓楼是谁修建的？", "钟鼓楼是谁修建？"),
    (off_register, ZH, "钟鼓楼的哪首歌好听？", "钟鼓楼的哪歌好听？"),
    (
        rewrite_proof.other_intent,
        EN_TODAY,
        "Is the Milgram experiment on today?",
        "Is the Milgram experiment on tomorrow?",
    ),
    (rewrite_proof.other_intent, ZH_TOMORROW, "钟鼓楼明天开门吗？", "钟鼓楼后天开门吗？"),
    (rewrite_proof.other_intent, EN, EN_CHOSEN, "Where does the Milgram experiment cost?"),
    (rewrite_proof.other_intent, ZH, ZH_CHOSEN, "钟鼓楼的停车费多少钱？"),
]


@pytest.mark.parametrize(("verifier", "row", "chosen", "worse"), CASES)
def test_a_verifier_sees_its_defect_and_passes_the_chosen(
    verifier: Callable[[Task, str, str], str], row: Task, chosen: str, worse: str
) -> None:
    assert verifier(row, chosen, worse)
    assert not verifier(row, chosen, chosen)


def test_what_sentences_do_without_is_no_fault_of_register() -> None:
    assert not off_register(ZH, "钟鼓楼的门票是多少钱了？", "钟鼓楼门票是多少钱？")
    assert not off_register(EN, EN_CHOSEN, "What does the Asch experiment cost?")


def test_a_name_that_is_still_said_elsewhere_is_not_missing() -> None:
    row = task("Tell me more about it. Is it good?", "What is yoga?")
    chosen = "Tell me more about yoga. Is yoga good?"
    assert not rewrite_proof.missing(row, chosen, "Tell me more. Is yoga good?")


def test_most_of_a_chinese_name_is_enough_to_name_it() -> None:
    row = task("它的电话是多少？", "推荐海底捞火锅(西单店)。", language="zh")
    chosen = "海底捞火锅(西单店)的电话是多少？"
    assert not rewrite_proof.missing(row, chosen, "海底捞火锅的电话是多少？")
    assert rewrite_proof.missing(row, chosen, "火锅的电话是多少？")


def test_a_word_of_the_dialogue_is_no_leak_even_when_an_example_says_it_too() -> None:
    row = task("Is it open?", "Tell me about Brackenford.")
    assert not rewrite_proof.leaked(row, "Is the museum open?", "Is Brackenford open?")


def _outcomes(drafts: list[Draft], row: Task = EN, chosen: str = EN_CHOSEN, limit: int = 9) -> list[Rejected | Dropped]:
    candidate = Candidate.create(task=row.id, origin="reference", text=chosen)
    return list(settle("maker", "defect", row, candidate, drafts, rewrite_proof.missing, limit))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("What does the Milgram experiment cost", "equals_chosen"),
        ("what does it cost", "equals_query"),
        ("?!", "empty"),
        ("What does the Milgram experiment cost today?", "not_proven_worse"),
        ("What does the of experiment cost?", "ungrammatical"),
    ],
)
def test_a_text_that_is_no_worse_or_no_sentence_is_dropped_with_its_reason(text: str, reason: str) -> None:
    (outcome,) = _outcomes([Draft(text, "template", "evidence")])
    assert isinstance(outcome, Dropped)
    assert (outcome.stage, outcome.row, outcome.reason) == ("perturb", "t", reason)


def test_a_text_equal_to_the_human_rewrite_is_never_a_reject() -> None:
    row = task(
        "What does it cost?", "Tell me about the Milgram experiment.", reference="What does the experiment cost?"
    )
    (outcome,) = _outcomes([Draft("What does the experiment cost?", "template", "e")], row)
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "equals_reference"


def test_no_more_than_the_limit_is_made_and_no_text_twice() -> None:
    drafts = [
        Draft("What does the experiment cost?", "a", "e"),
        Draft("What does the experiment cost??", "b", "e"),
        Draft("What does that cost?", "c", "e"),
    ]
    kinds = [outcome.reason if isinstance(outcome, Dropped) else outcome.template for outcome in _outcomes(drafts)]
    assert kinds == ["a", "made_before", "c"]
    assert len(_outcomes(drafts, limit=1)) == 1


def test_without_drafts_there_is_still_one_outcome() -> None:
    (outcome,) = _outcomes([])
    assert isinstance(outcome, Dropped)
    (outcome,) = _outcomes([impossible("nothing_restored", "why")])
    assert isinstance(outcome, Dropped)
    assert (outcome.reason, outcome.detail) == ("nothing_restored", "why")


def test_an_over_long_query_is_dropped_without_reading_its_drafts() -> None:
    def never() -> list[Draft]:
        raise AssertionError

    row = task("x" * 1001, "y")
    (outcome,) = _outcomes([], row)
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "too_long"
