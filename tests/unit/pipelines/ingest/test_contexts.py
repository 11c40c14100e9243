"""Contexts: which turns become queries, what history they keep, and which examples they are shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.errors import ConfigError
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.prompts.few_shot import ExampleIndex, read_examples
from pairwright.core.prompts.history_window import window
from pairwright.core.records import Conversation, Example, Task, Turn
from pairwright.pipelines.ingest.contexts import find_queries, window_queries
from pairwright.testing.factories import example, origin, turns

DIALOGUE = turns(
    ("system", "You sell tickets."),
    ("assistant", "Welcome!"),
    ("user", "q1"),
    ("assistant", "a1"),
    ("user", "q2"),
    ("tool", "t2"),
    ("assistant", "a2"),
    ("user", "q3"),
    ("assistant", "a3"),
)


def conversation(said: tuple[Turn, ...] = DIALOGUE, **fields: Any) -> Conversation:
    plain: dict[str, Any] = {
        "dialogue": "d",
        "language": "en",
        "domain": "shop",
        "turns": said,
        "reference": None,
        "origin": origin(),
    }
    return Conversation.create(**{**plain, **fields})


def outcomes(
    of: Conversation, bank: tuple[Example, ...] = (), per_prompt: int = 0, **config: Any
) -> list[Task | Dropped]:
    settings = ContextConfig(**config)
    return list(window_queries(find_queries([of], settings), settings, bank, per_prompt))


def task_of(of: Conversation, **config: Any) -> Task:
    (found,) = outcomes(of, **config)
    assert isinstance(found, Task), found
    return found


def contents(history: tuple[Turn, ...]) -> list[str]:
    return [turn.content for turn in history]


def test_the_last_user_turn_is_the_query_and_what_follows_it_is_not_seen() -> None:
    task = task_of(conversation())
    assert task.query == "q3"
    assert contents(task.history) == ["Welcome!", "q1", "a1", "q2", "t2", "a2"]
    assert (task.cut_turns, task.dialogue, task.domain, task.origin) == (0, "d", "shop", origin())


def test_every_user_turn_can_be_a_query_with_only_what_came_before() -> None:
    found = outcomes(conversation(), queries="every")
    assert [(task.query, contents(task.history)) for task in found if isinstance(task, Task)] == [
        ("q1", ["Welcome!"]),
        ("q2", ["Welcome!", "q1", "a1"]),
        ("q3", ["Welcome!", "q1", "a1", "q2", "t2", "a2"]),
    ]
    assert len({task.id for task in found if isinstance(task, Task)}) == 3


def test_a_reference_belongs_to_the_last_user_turn_alone() -> None:
    said = turns(("user", "q1"), ("assistant", "a1"), ("user", "q2"))
    (found,) = outcomes(conversation(said, reference="r2"), queries="every")
    assert isinstance(found, Task)
    assert (found.query, found.reference) == ("q2", "r2")


@pytest.mark.parametrize(
    ("keep", "left", "cut"),
    [
        (0, [], 6),
        (1, ["q2", "t2", "a2"], 3),
        (2, ["Welcome!", "q1", "a1", "q2", "t2", "a2"], 0),
        (9, ["Welcome!", "q1", "a1", "q2", "t2", "a2"], 0),
    ],
)
def test_the_window_keeps_the_last_user_turns_with_their_answers(keep: int, left: list[str], cut: int) -> None:
    task = task_of(conversation(), turns=keep)
    assert (contents(task.history), task.cut_turns) == (left, cut)


def test_over_the_budget_the_oldest_turns_go_never_the_query() -> None:
    said = turns(*[("user", f"word {number} " * 10) for number in range(5)], ("user", "the query"))
    task = task_of(conversation(said), turns=5, max_tokens=60)
    assert task.query == "the query"
    assert contents(task.history) == [turn.content for turn in said[-1 - len(task.history) : -1]]
    assert 0 < len(task.history) < 5
    assert task.cut_turns == 5 - len(task.history)


def test_one_turn_over_the_budget_goes_with_all_that_is_older() -> None:
    said = turns(("user", "short"), ("assistant", "long " * 500), ("user", "the query"))
    task = task_of(conversation(said), max_tokens=64)
    assert (task.history, task.cut_turns, task.tokens) == ((), 2, estimate_tokens("the query"))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["system", "user", "assistant", "tool"]), st.text(min_size=1, max_size=40)),
        max_size=12,
    ),
    st.integers(0, 5),
    st.integers(16, 64),
)
def test_a_window_is_a_tail_of_the_dialogue_within_both_limits(
    said: list[tuple[str, str]], keep: int, budget: int
) -> None:
    spoken = [turn for turn in turns(*said) if turn.role != "system"]
    history, cut, tokens = window(turns(*said), keep, budget, 5)
    assert list(history) == spoken[cut:]
    assert sum(turn.role == "user" for turn in history) <= keep
    assert tokens == 5 + sum(estimate_tokens(turn.content) for turn in history)
    assert tokens <= max(budget, 5)


@pytest.mark.parametrize(
    ("of", "config", "reason"),
    [
        (conversation(language="zh"), {"languages": ["en"]}, "language"),
        (conversation(turns(("user", " "))), {}, "empty_query"),
        (conversation(turns(("user", "word " * 100))), {"max_tokens": 50}, "query_too_long"),
    ],
)
def test_a_query_that_cannot_be_used_is_dropped_with_its_reason(
    of: Conversation, config: dict[str, Any], reason: str
) -> None:
    (found,) = outcomes(of, **config)
    assert isinstance(found, Dropped)
    assert (found.reason, found.row) == (reason, f"{of.id}#{0 if len(of.turns) == 1 else 7}")


BANK = (
    example(
        id="e-cafe",
        query="How much is it?",
        rewrite="How much is the coffee in Cafe Lux?",
        history=turns(("user", "Is there coffee in Cafe Lux?")),
    ),
    example(
        id="e-born", query="When was he born?", rewrite="When was Bob born?", history=turns(("user", "Who is Bob?"))
    ),
    example(id="e-copy", query="Who is Carl?", rewrite="Who is Carl?", needs_rewrite=False, history=()),
    example("zh", id="z-born", query="他什么时候出生的？", rewrite="李白什么时候出生的？"),
)


def chosen(query: str, k: int = 3, **fields: Any) -> list[str]:
    found = ExampleIndex(BANK).choose(
        query, fields.get("history", ()), fields.get("language", "en"), k, fields.get("reference")
    )
    return [item.id for item in found]


def test_the_most_relevant_examples_of_the_language_come_first() -> None:
    assert chosen("When was she born?", 1) == ["e-born"]
    assert chosen("How much does it cost?", 1) == ["e-cafe"]
    assert chosen("她什么时候出生的？", language="zh") == ["z-born"]


def test_history_counts_where_queries_do_not_decide() -> None:
    assert chosen("xyz", 1, history=turns(("user", "I want coffee in Cafe Roma."))) == ["e-cafe"]


def test_rewrites_and_copies_are_both_shown() -> None:
    assert chosen("When was she born? How much is it then?", 2)[1] == "e-copy"


@pytest.mark.parametrize(
    ("query", "reference"),
    [("when was he BORN", None), ("And when?", "When was Bob born?"), ("When was Bob born?", None)],
)
def test_an_example_that_holds_the_answer_is_never_shown(query: str, reference: str | None) -> None:
    assert "e-born" not in chosen(query, reference=reference)


def test_the_choice_does_not_depend_on_the_order_of_the_bank() -> None:
    for query in ("", "When was she born?", "unrelated"):
        for k in (0, 1, 2, 3, 9):
            forward = ExampleIndex(BANK).choose(query, (), "en", k)
            assert forward == ExampleIndex(BANK[::-1]).choose(query, (), "en", k)
            assert len(forward) == min(k, 3)


def test_tasks_carry_their_examples() -> None:
    (found,) = outcomes(conversation(turns(("user", "When was she born?"))), BANK, 1)
    assert isinstance(found, Task)
    assert [item.id for item in found.examples] == ["e-born"]


def test_the_packaged_examples_are_readable_in_both_languages() -> None:
    bank = read_examples(None)
    assert {item.language for item in bank} == {"zh", "en"}
    assert {item.needs_rewrite for item in bank} == {True, False}


def test_a_bad_bank_names_every_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    good = BANK[0].model_dump_json()
    path.write_text(f"\ufeff{good}\n\nnope\n{good}\n{good.replace('needs_rewrite', 'needs')}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_examples(str(path))
    assert [problem.split(": ")[0].rsplit(":", 1)[1] for problem in error.value.problems] == ["3", "4", "5"]
    path.write_bytes(b"\xff")
    for wrong in (path, tmp_path / "missing.jsonl"):
        with pytest.raises(ConfigError, match=r"examples\.path"):
            read_examples(str(wrong))
