"""The judges of answers: each names its own defect, quotes it, and lets good answers pass, in both languages."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.records import Candidate, Language, Task, ToolCall, Turn, Verdict
from pairwright.core.requests import ChatRequest
from pairwright.judges import JUDGES
from pairwright.testing import factories

RULES = [name for name, judge in JUDGES.items() if not judge.paid and "answer" in judge.tasks]
PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "stars": {"type": "integer", "enum": [3, 4, 5]},
        "dates": {"type": "array", "items": {"type": "string"}},
        "room": {"type": "object", "properties": {"beds": {"type": "number"}}, "required": ["beds"]},
        "price": {"anyOf": [{"type": "number"}, {"type": "null"}]},
    },
    "required": ["city"],
}
TOOLS = json.dumps([{"type": "function", "function": {"name": "find_hotel", "parameters": PARAMETERS}}])
CALL = ToolCall(name="find_hotel", arguments='{"city": "Berlin"}')


async def nobody(endpoint: str, request: ChatRequest) -> NoReturn:
    raise AssertionError("a rule asks nobody")


def judge(name: str, of: Task, answer: str) -> Verdict:
    one = Candidate.create(task=of.id, origin="teacher", text=answer)
    (verdict,) = asyncio.run(JUDGES[name]().judge(of, [one], nobody))  # type: ignore[attr-defined]
    assert isinstance(verdict, Verdict)
    assert (verdict.judge, verdict.passed) == (name, verdict.defect is None)
    return verdict


def task(query: str, language: Language = "en", **fields: Any) -> Task:
    return factories.task(query, fields.pop("history", None), language, kind="answer", **fields)


def call(arguments: dict[str, Any], name: str = "find_hotel") -> str:
    return json.dumps([{"name": name, "arguments": arguments}])


@pytest.mark.parametrize(
    ("query", "answer", "language"),
    [
        ("When was she born?", "...", "en"),
        ("When was she born?", "I'm sorry, I don't know.", "en"),
        ("When was she born?", "That's a great question!", "en"),
        ("Recommend a restaurant, please.", "You could look it up. Is there anything else I can help you with?", "en"),
        ("她是哪一年出生的？", "这个我就不清楚了，不好意思。", "zh"),
        ("推荐一家餐馆。", "好的。", "zh"),
        ("门票多少钱？", "抱歉，作为AI助手我无法回答。", "zh"),
        ("门票多少钱？", "？？？", "zh"),
    ],
)
def test_an_answer_that_says_nothing_is_a_brush_off(query: str, answer: str, language: Language) -> None:
    verdict = judge("brush_off", task(query, language), answer)
    assert (verdict.defect, verdict.evidence) == ("brush_off", answer)


@pytest.mark.parametrize(
    ("query", "answer", "language"),
    [
        ("Was she born in Turin?", "No.", "en"),
        ("When was she born?", "1911.", "en"),
        ("When was she born?", "Sorry, I don't know the year, but she grew up in Turin.", "en"),
        ("Thanks!", "You're welcome.", "en"),
        ("附近有餐馆吗？", "很遗憾，没有。", "zh"),
        ("需要门票吗？", "不需要。", "zh"),
        ("门票多少钱？", "100元。", "zh"),
        ("谢谢，再见。", "不客气。", "zh"),
        ("帮我查一下。", '[{"name": "find_hotel", "arguments": {}}]', "zh"),
    ],
)
def test_short_answers_that_answer_pass(query: str, answer: str, language: Language) -> None:
    assert judge("brush_off", task(query, language), answer).passed


@pytest.mark.parametrize(
    ("answer", "defect", "evidence"),
    [
        (call({"city": "Berlin"}, "find_flight"), "unknown_tool", "find_flight"),
        (call({}), "wrong_argument", "city is missing"),
        (call({"city": 7}), "wrong_argument", "city: 7 is no string"),
        (call({"city": "Berlin", "stars": 2}), "wrong_argument", "stars: 2 is not one of 3, 4, 5"),
        (call({"city": "Berlin", "stars": True}), "wrong_argument", "stars: True is no integer"),
        (call({"city": "Berlin", "pool": True}), "wrong_argument", "pool is no argument of it"),
        (call({"city": "Berlin", "dates": ["a", 1]}), "wrong_argument", "dates[1]: 1 is no string"),
        (call({"city": "Berlin", "room": {}}), "wrong_argument", "room.beds is missing"),
        (call({"city": "Berlin", "price": "low"}), "wrong_argument", "price: 'low' is none of what is allowed"),
        (call({"city": "Berlin"})[:-2], "broken_call", '"city"'),
        ('{"name": "find_hotel", "arguments": {"city": "Berlin"}}', "broken_call", "find_hotel"),
        ("Sure! <tool_call>find_hotel</tool_call>", "broken_call", "tool_call"),
    ],
)
def test_a_call_that_its_tool_would_refuse_fails(answer: str, defect: str, evidence: str) -> None:
    verdict = judge("valid_tool_call", task("A hotel in Berlin?", tools=TOOLS), answer)
    assert verdict.defect == defect
    assert evidence in verdict.evidence


@pytest.mark.parametrize(
    "answer",
    [
        call({"city": "Berlin", "stars": 4.0, "dates": ["a"], "room": {"beds": 2}, "price": None}),
        "In which city?",
        "[1] is a source, {curly} too",
        '"name" is a word',
    ],
)
def test_calls_that_fit_and_words_pass(answer: str) -> None:
    assert judge("valid_tool_call", task("A hotel in Berlin?", tools=TOOLS), answer).passed


def test_without_tools_no_call_fits() -> None:
    assert judge("valid_tool_call", task("A hotel in Berlin?"), call({})).defect == "unknown_tool"


def test_an_answer_given_before_fails_unless_the_user_asked_the_same() -> None:
    history = [
        ("user", "Who wrote it?"),
        ("assistant", "Ada Lindqvist wrote it in 1911."),
        ("user", "Hm"),
        ("assistant", "Yes."),
    ]
    again = "Ada Lindqvist wrote it, in 1911"
    assert judge("repeated_answer", task("When was she born?", history=history), again).evidence == again
    assert judge("repeated_answer", task("who wrote it", history=history), again).passed
    assert judge("repeated_answer", task("Was she Swedish?", history=history), "Yes.").passed, (
        "short answers come again"
    )
    assert judge("repeated_answer", task("Say it to me", history=history), "Who wrote it?").passed


def test_a_call_made_since_the_query_is_a_loop() -> None:
    steps = (Turn(role="assistant", content="", calls=(CALL,)), Turn(role="tool", content="[]"))
    of = task("A hotel in Berlin?", tools=TOOLS, steps=steps)
    assert judge("repeated_answer", of, call({"city": "Berlin"})).evidence == 'find_hotel {"city": "Berlin"}'
    assert judge("repeated_answer", of, call({"city": "Berlin", "stars": 3})).passed


@pytest.mark.parametrize(
    ("query", "answer", "language", "passed"),
    [
        ("When was she born?", "她出生于1911年，在都灵。", "en", False),
        ("她是哪一年出生的？", "She was born in Turin.", "zh", False),
        ("她是哪一年出生的？", "1911年，出生于 Turin，现居 New York City。", "zh", True),
        ("网址是什么？", "网址是www.universalstudios.com/beijing。", "zh", True),
        ("WiFi?", "房间里有免费无线网络。", "zh", True),
        ("Please answer in English: who is she?", "A writer from Turin.", "zh", True),
        ("她是哪一年出生的？", '[{"name": "find_person", "arguments": {"name": "she"}}]', "zh", True),
    ],
)
def test_an_answer_is_in_the_language_of_the_query_or_the_dialogue(
    query: str, answer: str, language: Language, passed: bool
) -> None:
    assert judge("language_mismatch", task(query, language), answer).passed is passed


@pytest.mark.parametrize("name", RULES)
@given(answer=st.text(), query=st.text(min_size=1))
@settings(max_examples=25, deadline=None)
def test_no_text_breaks_a_judge(name: str, answer: str, query: str) -> None:
    judge(name, task(query, tools=TOOLS), answer)
