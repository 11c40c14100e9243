"""The stages after reading look at the whole context of an answer: duplicates, test sets, balance."""

from __future__ import annotations

from typing import Any

import answers

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import BuildConfig, PromptConfig
from pairwright.core.config.sections import DecontaminationConfig, DedupConfig
from pairwright.core.records import Conversation, Task, Turn
from pairwright.pipelines.dedup.decontamination import decontaminate
from pairwright.pipelines.dedup.deduplication import deduplicate
from pairwright.pipelines.ingest.answer_contexts import list_questions
from pairwright.pipelines.pairing.balance import rules_of
from pairwright.pipelines.pairing.pair_features import extract_features
from pairwright.testing import factories

QUERY = "Which hotels near the central station have a pool and cost less than a hundred euros?"
CALL, OTHER = answers.calling(answers.BERLIN), answers.calling(answers.PARIS)


def reasons(tasks: list[Task]) -> list[str]:
    found = deduplicate(tasks, DedupConfig())
    return [row.reason if isinstance(row, Dropped) else "kept" for row in found]


def test_the_steps_of_one_query_are_no_duplicates_of_each_other() -> None:
    steps: list[tuple[Turn, ...]] = [(), (CALL, answers.result("a")), (CALL, answers.result("b"))]
    steps.append((*steps[1], OTHER, answers.result("a")))
    assert reasons([answers.task(QUERY, steps=each, tools=answers.TOOLS) for each in steps]) == ["kept"] * 4


def test_the_same_context_is_an_exact_duplicate_and_other_tools_or_instructions_make_another() -> None:
    steps = (CALL, answers.result("a"))
    fields: dict[str, Any] = {"steps": steps, "tools": answers.TOOLS, "system": "x"}
    tasks = [
        answers.task(QUERY, **fields, reference="one"),
        answers.task(QUERY, **fields, reference="two"),
        answers.task(QUERY, **{**fields, "tools": ""}),
        answers.task(QUERY, **{**fields, "system": "y"}),
    ]
    assert reasons(tasks) == ["kept", "exact_duplicate", "kept", "kept"]


def test_near_duplicates_are_found_among_first_answers() -> None:
    tasks = [answers.task(QUERY), answers.task(f"Hi! {QUERY} Thanks.")]
    assert sorted(reasons(tasks)) == ["kept", "near_duplicate"]


def dialogue(*said: tuple[str, str]) -> Conversation:
    return Conversation.create(
        dialogue="t", language="en", turns=factories.turns(*said), origin=factories.origin(key="T")
    )


def leaks(task: Task, test: Conversation) -> str:
    (found,) = decontaminate([task], {"tests": list_questions([test])}, DecontaminationConfig(), lambda _: None)
    return found.detail if isinstance(found, Dropped) else ""


def test_every_turn_of_a_test_dialogue_is_kept_out_with_its_context_and_so_is_its_last_answer() -> None:
    first, second = "Where can I swim in the evening near the river?", "And how much is it there on Sundays?"
    answer = "The indoor pool at the old harbour opens at six and closes at ten, entry is five euros for adults."
    test = dialogue(("user", first), ("assistant", "At the harbour pool."), ("user", second), ("assistant", answer))
    assert "text" in leaks(answers.task(first), test)
    context = [("user", "a"), ("assistant", "At the harbour pool.")]
    assert "query in context" in leaks(answers.task(second, history=context), test)
    assert leaks(answers.task(second, history=[("user", "a"), ("assistant", "At Lake Anna, west side.")]), test) == ""
    assert leaks(answers.task(first, history=context), test) == "", "an opening means something else later on"
    assert "passage" in leaks(answers.task("What are the opening hours?", reference=answer), test)


def test_where_queries_are_answered_none_needs_no_rewrite() -> None:
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    plain = {"name": "x", "output": "y", "sources": [source]}
    assert rules_of(BuildConfig.model_validate(plain)).no_rewrite_share == (0.20, 0.30)
    assert rules_of(BuildConfig.model_validate({**plain, "task": "answer"})).no_rewrite_share == (0.0, 1.0)


def test_a_call_that_lost_a_bracket_is_another_answer_though_its_words_are_the_same() -> None:
    row = factories.sft_row(answers.task("Rain?", tools=answers.TOOLS), answers.calls_json(answers.BERLIN))
    broken = factories.rejected(answers.calls_json(answers.BERLIN)[:-1])
    sketches = extract_features([(row, broken), (row, factories.rejected(row.chosen.text))], PromptConfig(), 0)
    assert list(sketches.text) == [1, 0]
