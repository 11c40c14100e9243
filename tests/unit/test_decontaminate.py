"""Decontamination: copies of test rows go, also edited ones, where the context is the same."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import origin, task, turns
from pairwright.core.records import Conversation, Dropped, Language, RewriteTask
from pairwright.pipelines.copies import copies
from pairwright.pipelines.decontaminate import decontaminate
from pairwright.pipelines.edits import edit_distances

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


def outcome(of: RewriteTask, row: Conversation) -> RewriteTask | Dropped:
    (found,) = decontaminate([of], {"cast": [row]})
    return found


def is_hit(of: RewriteTask, row: Conversation) -> bool:
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


def test_outcomes_keep_their_order_and_languages_apart() -> None:
    tasks = [task("When was she born?", HISTORY), task("她多大", (), "zh"), task("Is it long?", HISTORY)]
    found = list(decontaminate(tasks, {"a": [evaluation_row()], "b": []}))
    assert [row.row if isinstance(row, Dropped) else row.id for row in found] == [row.id for row in tasks]
    assert [type(row) for row in found] == [Dropped, RewriteTask, RewriteTask]
    assert list(decontaminate([], {"a": [evaluation_row()]})) == []


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
    found = copies(planted, originals, 3, 0.2)
    pairs = set(zip(found.text.tolist(), found.original.tolist(), strict=True))
    assert sum((number, number) in pairs for number in near) / len(near) >= 0.95
    assert (np.asarray(found.distance) <= 0.2).all()
