"""Decontamination: copies of test rows go, also edited ones, where the context is the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.sections import DecontaminationConfig
from pairwright.core.records import Conversation, Language, Task
from pairwright.core.result import HeldOutSet
from pairwright.pipelines.dedup.decontamination import decontaminate
from pairwright.pipelines.dedup.near_copies import find_near_copies
from pairwright.pipelines.similarity.edit_distance import edit_distances
from pairwright.testing.factories import origin, task, turns

HISTORY = (("user", "Who wrote The Glass Orchard?"), ("assistant", "It was written by Ada Lindqvist in 1931."))


def levenshtein(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for place, character in enumerate(left, start=1):
        new = [place]
        for column, other in enumerate(right, start=1):
            new.append(min(row[column] + 1, new[-1] + 1, row[column - 1] + (character != other)))
        row = new
    return row[-1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.text("abc北", max_size=12), st.text("abc北", max_size=12)), max_size=8))
def test_edit_distances_are_those_of_levenshtein(pairs: list[tuple[str, str]]) -> None:
    left, right = [one for one, _ in pairs], [other for _, other in pairs]
    assert edit_distances(left, right).tolist() == [levenshtein(one, other) for one, other in pairs]


def evaluation_row(
    query: str = "When was she born?",
    history: Sequence[tuple[str, str]] = HISTORY,
    reference: str | None = None,
    language: Language = "en",
) -> Conversation:
    said = turns(*history, ("user", query))
    fields = {"dialogue": "d", "language": language, "domain": None, "turns": said, "reference": reference}
    return Conversation.create(**fields, origin=origin(key="t1"))


def outcomes(
    tasks: Sequence[Task],
    sets: Mapping[str, Sequence[Conversation]],
    tell: Callable[[Sequence[HeldOutSet]], None] = lambda found: None,
    **settings: Any,
) -> list[Task | Dropped]:
    return list(decontaminate(tasks, sets, DecontaminationConfig(**settings), tell))


def outcome(of: Task, row: Conversation) -> Task | Dropped:
    (found,) = outcomes([of], {"cast": [row]})
    return found


def is_hit(of: Task, row: Conversation) -> bool:
    return isinstance(outcome(of, row), Dropped)


def test_a_copy_in_the_same_context_goes_and_names_the_evaluation_row() -> None:
    found = outcome(task("when was she born", HISTORY), evaluation_row())
    assert isinstance(found, Dropped)
    assert (found.reason, found.detail) == ("contaminated", "cast t1 (query in context, 0.000 edits per character)")


def test_the_same_short_query_in_another_context_stays() -> None:
    other = (("user", "Who invented the telegraph in Sweden?"), ("assistant", "Many people had a part in that."))
    assert not is_hit(task("When was she born?", other), evaluation_row())
    assert not is_hit(task("Where did she live in those years?", HISTORY), evaluation_row())


@pytest.mark.parametrize("reference", ["When was Ada Lindqvist born?", "When was Ada Lindqvst borne?"])
def test_a_test_rewrite_is_found_among_references_and_queries(reference: str) -> None:
    row = evaluation_row(reference="When was Ada Lindqvist born?")
    assert is_hit(task("And her birthday?", (), reference=reference), row)
    assert is_hit(task(reference, ()), row)
    assert not is_hit(task("When was Olaf Palmgren born?", ()), row)


def test_short_texts_need_an_exact_match() -> None:
    row = evaluation_row("北京天气", (), language="zh")
    assert is_hit(task("北京天气？", (), "zh"), row)
    assert not is_hit(task("南京天气", (), "zh"), row)


def test_chinese_copies_with_two_edits_in_ten_characters_are_found() -> None:
    row = evaluation_row("颐和园附近有什么评分高的餐馆可以推荐吗", (), language="zh")
    assert is_hit(task("颐和园周围有什么评分高的饭馆可以推荐吗", (), "zh"), row)
    assert not is_hit(task("故宫旁边有没有四星级以上的酒店能住", (), "zh"), row)


LONG = (
    "The town has three good museums near the river and two of them are free on the first Sunday of every month "
    "while the third one asks for a small fee that goes to the school next door"
)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_passage_of_a_test_row_that_would_be_learnt_is_a_leak(language: Language) -> None:
    said = (
        LONG
        if language == "en"
        else "颐和园位于北京市海淀区新建宫门路十九号，是清朝时期的皇家园林，每天早上六点半开门。"
    )
    part = said[40:150] if language == "en" else said[5:28]
    row = evaluation_row("Which one?", (("user", "Tell me."), ("assistant", said)), language=language)
    leak = task("Which?", HISTORY, language, reference=f"{part} ?")
    (found,) = outcomes([leak], {"set": [row]})
    assert isinstance(found, Dropped)
    assert "tokens in a row" in found.detail
    assert outcomes([leak], {"set": [row]}, passage=None) == [leak]
    heard = task("Which one is it then?", (("user", "Hello"), ("assistant", said)), language)
    assert outcomes([heard], {"set": [row]}) == [heard], "what is only heard is not learnt"


def test_copies_can_be_flagged_and_each_set_is_told_apart() -> None:
    told: list[HeldOutSet] = []
    leak, clean = task("when was she born", HISTORY), task("Is it long?", HISTORY)
    sets = {"a": [evaluation_row()], "b": [evaluation_row(), evaluation_row("Who?", ())], "c": []}
    found = outcomes([leak, clean], sets, told.extend, action="flag")
    assert found[1] == clean
    assert isinstance(found[0], Task)
    assert found[0].flags == ("contaminated: a t1 (query in context, 0.000 edits per character)",)
    assert found[0].id == leak.id
    assert [(one.name, one.rows, one.queries, one.matched) for one in told] == [
        ("a", 1, 1, {"query in context": 1}),
        ("b", 2, 1, {"query in context": 1}),
        ("c", 0, 0, {}),
    ]


def test_outcomes_keep_their_order_and_languages_apart() -> None:
    tasks = [task("When was she born?", HISTORY), task("她多大", (), "zh"), task("Is it long?", HISTORY)]
    found = outcomes(tasks, {"a": [evaluation_row()], "b": []})
    assert [row.row if isinstance(row, Dropped) else row.id for row in found] == [row.id for row in tasks]
    assert [type(row) for row in found] == [Dropped, Task, Task]
    assert outcomes([], {"a": [evaluation_row()]}) == []


def edited(text: str, edits: int, rng: random.Random) -> str:
    characters = list(text)
    for _ in range(edits):
        place = rng.randrange(len(characters))
        characters[place] = rng.choice(["", rng.choice(text), characters[place] + rng.choice(text)])
    return "".join(characters)


def test_recall_of_edited_copies() -> None:
    rng = random.Random(5)
    text = "what is the best way to find cheap food near old city museum when does train leave for north lake"
    words = text.split()
    originals = [" ".join(rng.choices(words, k=8)) for _ in range(500)]
    planted = [edited(text, len(text) // 5, rng) for text in originals]
    near = [
        edit
        for edit, (one, other) in enumerate(zip(planted, originals, strict=True))
        if levenshtein(one, other) <= 0.2 * max(len(one), len(other))
    ]
    found = find_near_copies(planted, originals, 3, 0.2)
    pairs = set(zip(found.text.tolist(), found.original.tolist(), strict=True))
    assert sum((number, number) in pairs for number in near) / len(near) >= 0.95
    assert (np.asarray(found.distance) <= 0.2).all()
