from __future__ import annotations

import random
from typing import ClassVar

import pytest
from pydantic import Field

from pairwright.core import records
from pairwright.core.identity import IdentifiedRow, Row, content_id, row_rng
from pairwright.core.llm.client import request_hash
from pairwright.core.records import (
    Candidate,
    Conversation,
    Example,
    Generation,
    Origin,
    PreferencePair,
    Rejected,
    SftRow,
    Task,
    ToolCall,
    Turn,
    Verdict,
)
from pairwright.core.requests import ChatRequest, Message
from pairwright.testing.factories import origin, pair, task


def test_an_id_names_the_content_whatever_the_order_of_the_keys() -> None:
    assert content_id({"a": 1, "b": "它"}) == content_id({"b": "它", "a": 1})
    assert content_id({"a": 1}) != content_id({"a": "1"})
    assert len(content_id({})) == 16


def test_lone_surrogates_have_an_id_too() -> None:
    assert content_id("\ud800") != content_id("\ud801")


def test_moving_the_data_changes_no_id_but_another_row_does() -> None:
    here, moved = task(origin=origin(file="a.jsonl", line=1)), task(origin=origin(file="/b/c.jsonl", line=9))
    assert here.id == moved.id
    assert task(origin=origin(key="2")).id != here.id


def test_a_pair_is_named_by_its_task_and_both_answers() -> None:
    assert pair().id == pair().id
    assert pair(worse="Another rejected text?").id != pair().id


def test_rows_come_back_from_json_as_they_were() -> None:
    one = pair()
    assert PreferencePair.model_validate_json(one.model_dump_json()) == one
    assert Task.model_validate_json(one.task.model_dump_json()) == one.task


def test_randomness_depends_on_seed_stage_and_row_alone() -> None:
    first = row_rng(1, "stage", "row").random()
    random.seed(99)
    assert row_rng(1, "stage", "row").random() == first
    assert (
        len(
            {
                row_rng(*key).random()
                for key in ((1, "stage", "row"), (2, "stage", "row"), (1, "other", "row"), (1, "stage", "r"))
            }
        )
        == 4
    )


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no canonical form for set"):
        content_id({"a": {1}})


ORIGIN = Origin(source="s", file="f.jsonl", line=3, key="k", licence="MIT")
CALL = ToolCall(name="weather", arguments='{"city":"北京"}')
TURNS = (
    Turn(role="user", content="你好"),
    Turn(role="assistant", content="", calls=(CALL,)),
    Turn(role="tool", content="晴"),
)
EXAMPLE = Example(
    id="e1", language="zh", history=TURNS[:1], query="它呢？", analysis="a", needs_rewrite=True, rewrite="苹果呢？"
)
GENERATION = Generation(endpoint="e", model="m", prompt_hash="p", request_hash="r", temperature=0.7, seed=3)
CONVERSATION = Conversation.create(
    dialogue="d", language="zh", domain=None, turns=TURNS, reference=None, tools="", origin=ORIGIN
)
SHARED = {"conversation": CONVERSATION.id, "dialogue": "d", "language": "zh", "history": TURNS, "query": "它呢？"}
TASK = Task.create(
    **SHARED, domain=None, reference="苹果呢？", cut_turns=0, tokens=7, examples=(EXAMPLE,), origin=ORIGIN
)
ANSWER = Task.create(
    **SHARED,
    kind="answer",
    domain="x",
    steps=TURNS[1:],
    reference="好",
    system="sys",
    tools="[]",
    cut_turns=1,
    tokens=7,
    origin=ORIGIN,
)
CANDIDATE = Candidate.create(
    task=TASK.id, origin="teacher", text="苹果呢？", analysis=None, needs_rewrite=True, generation=GENERATION
)
ON_POLICY = Candidate.create(
    task=TASK.id, origin="weak", text="x", generation=GENERATION.model_copy(update={"on_policy": True})
)
VERDICT = Verdict(judge="j", passed=True, score=0.5, method="expectation", request_hashes=("a", "b"))
PANEL = Verdict(judge="p", passed=False, method="panel", defect="d", members=(VERDICT,))
REJECTED = Rejected(
    text="梨呢？",
    analysis="why",
    defect="wrong",
    rejected_by="pert",
    template="t",
    parameters={"a": 1, "b": 0.25, "c": None},
    evidence="e",
    generation=GENERATION,
)
PAIR = PreferencePair.create(task=TASK, chosen=CANDIDATE, verdicts=(VERDICT, PANEL), rejected=REJECTED)
SFT = SftRow.create(task=TASK, chosen=CANDIDATE, verdicts=(VERDICT,), route="easy")
REQUEST = ChatRequest(
    messages=(Message(role="user", content="hi"), Message(role="assistant", content="", calls=(CALL,))),
    seed=5,
    json_schema={"type": "object", "default": None},
    tools="[]",
)


@pytest.mark.parametrize(
    ("found", "pinned"),
    [
        (CONVERSATION.id, "e19e4d60954a862c"),
        (TASK.id, "2a49e695dfdc1354"),
        (ANSWER.id, "cba3f0280d331719"),
        (CANDIDATE.id, "393ec6cf3511a876"),
        (ON_POLICY.id, "fdcfb223d1c2f8d2"),
        (PAIR.id, "686f5601cbfaef5c"),
        (SFT.id, "13d9171f23655139"),
        (content_id(list(TURNS)), "a224e17fa146dfb8"),
        (content_id(EXAMPLE), "8aeda9d407c9da88"),
        (REQUEST.prompt_hash, "7eca5e8c9d406c98"),
        (request_hash("model", REQUEST), "94f97f6f9bfae093"),
    ],
)
def test_ids_are_those_of_the_first_release(found: str, pinned: str) -> None:
    # A change here changes every draw of every build, and pays for all answers again.
    assert found == pinned


def names_in_files(kind: type[Row]) -> set[str]:
    return {field.alias or name for name, field in kind.model_fields.items()}


def test_every_field_of_an_identified_row_is_hashed_and_nothing_else() -> None:
    kinds = [one for one in vars(records).values() if isinstance(one, type) and issubclass(one, IdentifiedRow)]
    assert len(kinds) > 5
    for kind in kinds:
        assert set(kind.hashed) == names_in_files(kind) - {"id"} or kind is IdentifiedRow, kind


def test_what_is_hashed_is_there_under_its_name_in_files() -> None:
    for kind in vars(records).values():
        if isinstance(kind, type) and issubclass(kind, Row):
            assert set(kind.hashed) <= names_in_files(kind), kind


def test_a_row_type_that_lists_nothing_cannot_be_hashed() -> None:
    class Unlisted(Row):
        text: str

    with pytest.raises(TypeError, match="hashed lists no fields"):
        content_id([Unlisted(text="x")])


class Before(IdentifiedRow):
    hashed: ClassVar[tuple[str, ...]] = ("said", "by")
    said: str
    by: str = ""


class After(IdentifiedRow):
    hashed: ClassVar[tuple[str, ...]] = ("said", "by")
    text: str = Field(alias="said")
    by: str = ""


def test_a_renamed_field_changes_no_id() -> None:
    before, after = Before.create(said="hello"), After.create(text="hello")
    assert before.id == after.id != Before.create(said="hello", by="you").id
    assert before.model_dump_json() == after.model_dump_json()
    assert After.model_validate_json(before.model_dump_json()) == after


def test_a_renamed_field_keeps_its_name_in_files() -> None:
    assert '"maker":"pert"' in REJECTED.model_dump_json()
    assert Rejected.model_validate_json(REJECTED.model_dump_json()) == REJECTED
