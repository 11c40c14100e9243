"""What every perturber of answers promises, for real dialogues and for hostile text."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.identity import row_rng
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Language, Origin, Rejected, Task, ToolCall, Turn
from pairwright.core.tool_calls import calls_of
from pairwright.core.tool_schemas import call_problem
from pairwright.perturbers import PERTURBERS
from pairwright.perturbers.preview import preview
from pairwright.perturbers.text import phrase_banks
from places import ROOT

ANSWERING = {name: component for name, component in PERTURBERS.items() if "answer" in component.tasks}
ORIGIN = Origin(source="test", file="test.jsonl", line=1, key="1", licence="MIT")
TOOLS = json.dumps(
    [
        {"type": "function", "function": {"name": "get_weather", "parameters": {
            "type": "object", "required": ["city"],
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                           "days": {"type": "integer"}, "alerts": {"type": "boolean"}}}}},
        {"type": "function", "function": {"name": "get_forecast", "parameters": {
            "type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}}},
    ]
)  # fmt: skip
CALL = '[{"name": "get_weather", "arguments": {"city": "Paris", "unit": "celsius", "days": 3, "alerts": true}}]'


def make_task(
    language: Language, query: str, history: tuple[str, ...] = (), tools: str = "", steps: tuple[Turn, ...] = ()
) -> Task:
    turns = tuple(Turn(role=("user", "assistant")[at % 2], content=said) for at, said in enumerate(history))
    return Task.create(
        kind="answer", conversation="c", dialogue="d", language=language, history=turns, query=query, tokens=1,
        tools=tools, steps=steps, origin=ORIGIN,
    )  # fmt: skip


def outcomes(name: str, task: Task, answer: str, seed: int = 0, variants: int = 2) -> list[Rejected | Dropped]:
    chosen = Candidate.create(task=task.id, origin="reference", text=answer)
    return list(ANSWERING[name](variants=variants).perturb(task, chosen, row_rng(seed, name, task.id)))


def made(name: str, task: Task, answer: str, seed: int = 0, variants: int = 2) -> list[Rejected]:
    found = outcomes(name, task, answer, seed, variants)
    return [outcome for outcome in found if isinstance(outcome, Rejected)]


def reasons(name: str, task: Task, answer: str) -> list[str]:
    return [outcome.reason for outcome in outcomes(name, task, answer) if isinstance(outcome, Dropped)]


WEATHER = make_task(
    "en", "What's the weather in Paris for 3 days, in celsius, with alerts?", ("And London?", "12 degrees."), TOOLS
)
STEPS = (
    Turn(role="assistant", content="", calls=(ToolCall(name="search", arguments='{"name": "故宫"}'),)),
    Turn(role="tool", content='[{"name": "故宫", "phone": "85007421"}, {"name": "景山公园", "phone": "64044071"}]'),
)
REAL: dict[str, tuple[Task, str]] = {
    "brush_off": (make_task("en", "How do I reduce my stress at work?"), "Take short breaks, walk at noon and sleep more."),
    "unsupported_claim": (make_task("zh", "这个酒店的地址在哪啊？"), "地址是北京西城区西单北大街130号。"),
    "missing_clarification": (make_task("en", "Book me a table."), "Which area of town would you like?"),
    "missed_safety_note": (
        make_task("zh", "感冒了可以吃布洛芬吗？"),
        "布洛芬可以缓解发热和头痛。一般每次吃一片，饭后服用比较好。如果症状超过三天没有好转，请及时就医。",
    ),
    "dragging_repetition": (make_task("en", "Where is the Golden Wok?"), "It is at 191 Histon Road in Chesterton."),
    "skipped_step": (
        make_task("zh", "怎么重置路由器？"), "1. 找到背面的小孔。\n2. 用针按住十秒。\n3. 等指示灯亮起。\n4. 重新设置密码。"
    ),
    "broken_json": (WEATHER, CALL),
    "wrong_tool_argument": (WEATHER, CALL),
    "wrong_slot": (make_task("zh", "故宫的电话是多少？", steps=STEPS), "故宫的电话是85007421。"),
}  # fmt: skip
HOSTILE = (
    "",
    " ",
    "?",
    "a",
    "它",
    "🙂🙂🙂",
    "the the the.",
    "def f(x):\n    return x[0] if x else None  # it",
    "1. a\n2. b\n3. c\n1) (2) 3、",
    "首先，然后，最后。",
    "帮我 debug 一下 this 函数，2023年99月99日 99:99 的",
    "\u202e反转 text\u200b 60元",
    "{topic} {0} {{}} %s",
    '{"a": [1, {"b": null}]}',
    '[{"name": "f", "arguments": {}}]',
    '[{"name": "f", "arguments": {"x": 1e999}}]',
    "[" * 3000,
    '{"a": ' * 500,
    "it costs $5. " * 400,
    "的" * 5000,
    "((((((((((",
)


@pytest.mark.parametrize("name", ANSWERING)
def test_a_reject_of_a_fitting_answer_is_named_and_proven(name: str) -> None:
    task, answer = REAL[name]
    found = made(name, task, answer)
    assert found
    for outcome in found:
        assert outcome.text.strip() != answer
        assert outcome.rejected_by == name and outcome.defect and outcome.template and outcome.evidence


@pytest.mark.parametrize("name", ANSWERING)
def test_the_same_answer_gives_the_same_rejects_and_the_seed_decides(name: str) -> None:
    task, answer = REAL[name]
    assert made(name, task, answer) == made(name, task, answer)
    assert len({made(name, task, answer, seed)[0].text for seed in range(12)}) > 1


@pytest.mark.parametrize("name", ANSWERING)
def test_variants_bounds_the_number_of_rejects(name: str) -> None:
    task, answer = REAL[name]
    assert len(made(name, task, answer, variants=1)) == 1


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ANSWERING)
def test_hostile_text_is_dropped_or_cut_but_never_raises(name: str, text: str) -> None:
    for language in ("en", "zh"):
        steps = (Turn(role="tool", content=text),)
        task = make_task(language, text or "x", (text, text, text), TOOLS, steps)
        for answer in (text, REAL[name][1]):
            _check(name, task, answer)


def test_an_answer_of_five_thousand_characters_is_dropped_unread() -> None:
    for name in ANSWERING:
        assert reasons(name, make_task("zh", "好吗？"), "的" * 5000) == ["too_long"]


@given(
    st.text(max_size=60),
    st.text(min_size=1, max_size=40),
    st.text(max_size=80),
    st.sampled_from(("en", "zh")),
    st.sampled_from(sorted(ANSWERING)),
)
@settings(max_examples=200, deadline=None)
def test_any_text_gives_valid_outcomes(history: str, query: str, answer: str, language: Language, name: str) -> None:
    _check(name, make_task(language, query, (history, history)), answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from((None, 2)), st.booleans(), st.integers(0, 5))
@example("Infinity", None, False, 0)  # without its quotes no JSON, but Python reads it
@settings(max_examples=150, deadline=None)
def test_no_json_parser_reads_what_was_broken(value: object, indent: int | None, ascii_only: bool, seed: int) -> None:
    answer = json.dumps({"value": value}, indent=indent, ensure_ascii=ascii_only)
    for reject in made("broken_json", make_task("en", "Give me JSON."), answer, seed, variants=20):
        with pytest.raises(json.JSONDecodeError):
            json.loads(reject.text)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from(("city", "unit", "days", "alerts", "note")), JSON, min_size=1, max_size=4),
    st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_a_wrong_call_is_readable_and_another_one(arguments: dict[str, object], seed: int) -> None:
    answer = json.dumps([{"name": "get_weather", "arguments": arguments}], ensure_ascii=False)
    for reject in made("wrong_tool_argument", make_task("en", "Weather?"), answer, seed, variants=20):
        assert calls_of(reject.text)
        assert calls_of(reject.text) != calls_of(answer)


def test_a_call_goes_wrong_in_many_ways() -> None:
    found = made("wrong_tool_argument", WEATHER, CALL, variants=40)
    assert {reject.template for reject in found} >= {
        "other_enum", "outside_enum", "missing_required", "unknown_argument", "other_tool", "placeholder", "flipped",
        "wrong_type_number", "wrong_type_boolean", "near_number",
    }  # fmt: skip
    against_schema = [one for one in found if any(call_problem(call, TOOLS) for call in calls_of(one.text))]
    assert 5 <= len(against_schema) < len(found)


def test_a_call_that_its_tool_would_refuse_is_no_good_answer_to_begin_with() -> None:
    bad = '[{"name": "get_weather", "arguments": {"town": "Paris"}}]'
    assert set(reasons("wrong_tool_argument", WEATHER, bad)) == {"chosen_has_defect"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_brush_off_is_about_as_long_as_the_answer(language: Language) -> None:
    query = "How do I reduce my stress?" if language == "en" else "周末去哪里玩比较好？"
    sentence = "Take a short walk at noon every day. " if language == "en" else "周末可以去颐和园划船看荷花。"
    for times in (1, 3, 6):
        answer = (sentence * times).strip()
        ratios = [
            len(made("brush_off", make_task(language, query), answer, seed)[0].text) / len(answer) for seed in range(20)
        ]
        assert 0.6 < sum(ratios) / len(ratios) < 1.6


@pytest.mark.parametrize("language", ["en", "zh"])
def test_brush_offs_vary_so_that_no_wording_gives_them_away(language: Language) -> None:
    query = "How do I reduce my stress?" if language == "en" else "故宫的门票多少钱？"
    answer = "Take a short walk at noon and sleep more." if language == "en" else "故宫旺季的门票是六十元，淡季四十元。"
    found = [made("brush_off", make_task(language, query), answer, seed)[0] for seed in range(200)]
    assert len(phrase_banks.phrases(language, "brush_off.opening")) >= 30
    assert max(Counter(one.template for one in found).values()) <= 0.1 * len(found)
    assert sum(("stress" if language == "en" else "门票") in one.text for one in found) > 60


def test_the_page_counts_the_openings_as_they_are() -> None:
    page = (ROOT / "docs" / "answer-perturbers.md").read_text(encoding="utf-8")
    english, chinese = (len(phrase_banks.phrases(language, "brush_off.opening")) for language in ("en", "zh"))
    assert f"{english} English and {chinese} Chinese openings" in page


def test_nothing_is_brushed_off_where_nothing_was_asked() -> None:
    assert reasons("brush_off", make_task("zh", "谢谢你啊。"), "不客气，举手之劳。") == ["nothing_asked"]


def test_an_answer_that_says_it_has_none_is_not_made_worse() -> None:
    assert reasons("brush_off", make_task("zh", "他家的电话呢？"), "抱歉，没有查到他家的电话。") == ["no_real_answer"]


def test_a_claim_never_repeats_a_figure_of_the_dialogue() -> None:
    task = make_task("zh", "这个酒店的评分是多少？", ("价格呢？", "价格是889元，电话是010-63190019。"))
    for seed in range(40):
        for reject in made("unsupported_claim", task, "这个酒店的评分是4.6分。", seed):
            assert not {"889", "63190019"} & set(reject.evidence.split())
            assert "价格" not in reject.evidence and "电话" not in reject.evidence


def test_an_answer_that_departs_from_what_the_tool_said_is_no_base_for_a_claim() -> None:
    task = make_task("zh", "这个酒店的评分是多少？", steps=(Turn(role="tool", content='{"评分": 4.3}'),))
    assert "chosen_has_defect" in reasons("unsupported_claim", task, "这个酒店的评分是48.6分。")
    assert made("unsupported_claim", task, "这个酒店的评分是4.3分。")


def test_an_offer_is_no_clarifying_question() -> None:
    task = make_task("en", "Is there a cheap Thai place?")
    assert reasons("missing_clarification", task, "Yes, Sala Thong. Would you like the address?") == ["asks_nothing"]
    assert made("missing_clarification", task, "Yes, two of them. Would you prefer the north or the centre?")


def test_alternatives_become_one_of_them() -> None:
    task = make_task("en", "I need a hotel.")
    texts = [
        reject.text
        for seed in range(8)
        for reject in made("missing_clarification", task, "Do you mean Rome or Paris?", seed)
    ]
    assert all("Rome" in text and "Paris" not in text and "?" not in text for text in texts)


def test_an_answer_that_is_nothing_but_a_warning_keeps_it() -> None:
    task = make_task("en", "My chest hurts, what should I do?")
    assert reasons("missed_safety_note", task, "Please see a doctor at once.") == ["nothing_but_notes"]


def test_numbers_run_on_after_a_step_is_gone() -> None:
    task, answer = REAL["skipped_step"]
    for seed in range(8):
        for reject in made("skipped_step", task, answer, seed):
            lines = reject.text.split("\n")
            assert [line[0] for line in lines] == ["1", "2", "3"]
            assert len({line[3:] for line in lines} - {line[3:] for line in answer.split("\n")}) == 0


def test_words_of_order_move_on_when_the_first_or_last_step_is_gone() -> None:
    task = make_task("zh", "怎么泡茶？")
    answer = "首先，把水烧开。然后，放入茶叶。最后，等三分钟再喝。"
    texts = {reject.text for seed in range(12) for reject in made("skipped_step", task, answer, seed)}
    assert texts == {
        "首先，放入茶叶。最后，等三分钟再喝。",
        "首先，把水烧开。最后，等三分钟再喝。",
        "首先，把水烧开。最后，放入茶叶。",
    }


def test_a_list_of_things_is_no_procedure() -> None:
    task = make_task("en", "Which films did he direct?")
    answer = "He directed these: 1) Heat, 2) Ali, 3) Collateral."
    assert reasons("skipped_step", task, answer) == ["no_procedure"]


def test_a_slot_takes_the_value_of_another_record() -> None:
    task, answer = REAL["wrong_slot"]
    texts = {reject.text for seed in range(10) for reject in made("wrong_slot", task, answer, seed)}
    assert {"故宫的电话是64044071。", "景山公园的电话是85007421。"} <= texts


def test_a_slot_keeps_its_form() -> None:
    task = make_task("en", "When is it open and how much is it?")
    answer = "It is open from 9:30 am to 5:00 pm, costs $18.50 and has been here since March 3rd, 1987."
    for seed in range(30):
        for reject in made("wrong_slot", task, answer, seed):
            assert abs(len(reject.text) - len(answer)) <= 3


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_near_values_differ_in_value_and_not_only_in_writing(seed: int) -> None:
    task = make_task("en", "How much is it?")
    for reject in made("wrong_slot", task, "It costs $100, $1,500 or 20% of 9:00 am.", seed):
        assert lang.normalise(reject.text) != lang.normalise("It costs $100, $1,500 or 20% of 9:00 am.")


def test_the_preview_shows_the_perturbers_of_answers() -> None:
    found = preview(CALL, "What's the weather in Paris?", (), kind="answer", tools=TOOLS)
    assert list(found) == list(ANSWERING)
    assert all(found.values())


def _check(name: str, task: Task, answer: str) -> None:
    found = outcomes(name, task, answer)
    assert found
    for outcome in found:
        if isinstance(outcome, Rejected):
            assert outcome.text.strip()
            assert outcome.text.encode("utf-8").decode("utf-8") == outcome.text
            assert outcome.text.strip() != answer.strip()
            assert outcome.defect and outcome.template
        else:
            assert outcome.stage == "perturb" and outcome.row == task.id and outcome.reason


def test_every_phrase_of_the_banks_has_a_slug_of_its_own() -> None:
    for language in ("en", "zh"):
        for section in ("brush_off.opening", "claim.any", "assume.frame", "reassure", "repeat.self", "json.before"):
            slugs = [phrase.slug for phrase in phrase_banks.phrases(language, section)]
            assert len(set(slugs)) == len(slugs) >= 10
            assert phrase_banks.shuffled(language, section, random.Random(1)) != list(
                phrase_banks.phrases(language, section)
            )
