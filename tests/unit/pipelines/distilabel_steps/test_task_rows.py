"""What rows of our pipelines say of their task, and what rows of others say."""

from __future__ import annotations

from typing import Any

import pytest

from pairwright.core.bookkeeping import Dropped
from pairwright.core.errors import BuildError
from pairwright.core.records import Candidate
from pairwright.pipelines.distilabel_steps.failure_checks import require_few_failures
from pairwright.pipelines.distilabel_steps.task_rows import (
    blanked,
    books_of,
    by_task,
    candidate_of_row,
    columns_of_task,
    failure,
    leave_out,
    task_of_row,
)
from pairwright.testing import factories

TASK = factories.task(reference=factories.REWRITE["en"])


def row(**columns: Any) -> dict[str, Any]:
    return {**columns_of_task(TASK), "kept": True, "left_out": "[]", **columns}


def test_a_task_survives_with_its_id_reference_and_origin() -> None:
    assert task_of_row(row()) == TASK
    plain = {key: row()[key] for key in ("language", "history", "query")}
    other = task_of_row(plain)
    assert (other.query, other.reference, other.origin.source) == (TASK.query, None, "distilabel")
    assert other.history == TASK.history


def test_a_rewrite_that_a_step_in_between_changed_is_what_the_candidate_says() -> None:
    candidate = Candidate.create(task=TASK.id, origin="weak", text="When?")
    same = row(candidate=candidate.model_dump_json(), rewrite="When?")
    assert candidate_of_row(same) == candidate
    changed = candidate_of_row({**same, "rewrite": "When was she born?"})
    assert (changed.text, changed.origin, changed.task) == ("When was she born?", "weak", TASK.id)
    assert changed.id != candidate.id


def test_what_is_left_out_stands_in_the_row() -> None:
    dropped = Dropped(stage="dedup", row=TASK.id, reason="near_duplicate")
    gone = leave_out(row(), dropped)
    assert gone["kept"] is False
    assert books_of(gone) == [dropped]


def test_a_column_tells_a_failure_and_none_a_blanked_batch() -> None:
    assert failure("judge", "c", "") is None
    told = failure("judge", "c", "timeout: it took: long")
    assert told is not None
    assert (told.error, told.message) == ("timeout", "it took: long")
    assert failure("judge", "c", None) == blanked("judge", "c")


def test_rows_of_one_task_are_together_and_rows_without_one_alone() -> None:
    rows = [row(task_id=name) for name in ("a", "a", "", "", "b")]
    assert [len(group) for group in by_task(rows)] == [2, 1, 1, 1]


def test_too_many_failures_or_one_blanked_row_end_the_pipeline() -> None:
    failed = failure("judge", "c", "timeout: slow")
    assert failed is not None
    require_few_failures("judge", "candidates", 20, [failed], 0.05)
    require_few_failures("gate", "queries", 1, [failed], 0.0)
    with pytest.raises(BuildError, match=r"stage judge: 1 of 19 candidates failed \(1 timeout\)"):
        require_few_failures("judge", "candidates", 19, [failed], 0.05)
    with pytest.raises(BuildError, match="stage judge: the step raised, and 1 candidates have no outcome: no key"):
        require_few_failures("judge", "candidates", 19, [blanked("judge", "c", "no key")], 1.0)
