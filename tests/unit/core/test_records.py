from __future__ import annotations

import random

import pytest

from factories import origin, pair, task
from pairwright.core.identity import content_id, row_rng
from pairwright.core.records import PreferencePair, RewriteTask


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
    assert RewriteTask.model_validate_json(one.task.model_dump_json()) == one.task


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
