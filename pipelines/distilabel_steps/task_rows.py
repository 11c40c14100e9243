"""How tasks, and what becomes of them, stand in the rows of a distilabel pipeline.

Rows that somebody else's pipeline gives have ``language``, ``history``, ``query`` and, where there is one, the rest of the
setting. Rows of ours have in ``task`` the whole :class:`~pairwright.core.records.Task` as JSON beside them: ids,
references and origins survive. ``kept`` says whether a row goes on, and ``left_out`` (JSON) what was left out of it.

What is nested stands as JSON: distilabel's writer keeps the first type that it sees in a column, and fails on a list
that is empty in one batch and full of objects in the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from pydantic import TypeAdapter

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.identity import Row, content_id
from pairwright.core.records import Candidate, KnownCase, Origin, Task
from pairwright.core.tool_calls import calls_text

R = TypeVar("R", bound=Row)

Record = dict[str, Any]
LeftOut = Dropped | Failed

SETTING = ("kind", "system", "tools", "steps", "examples")
"""Columns of a case that need not be there."""
TASK_COLUMNS = ("task", "task_id", "language", "history", "query")
"""Columns that stand for a task; all but ``task`` are there to be read by people and by other steps."""
BLANKED = "blanked"
"""The error of rows whose step raised: distilabel gives such a batch back with ``None`` in the step's columns."""

_LEFT_OUT: TypeAdapter[list[LeftOut]] = TypeAdapter(list[LeftOut])
_PIPELINE = Origin(source="distilabel", file="", key="", licence="")


def case_of_row(row: Record) -> KnownCase:
    """The case that a row stands for: its ``task``, or else its language, history, query and what it has of a setting."""
    if row.get("task"):
        return Task.model_validate_json(row["task"])
    told = {key: row[key] for key in SETTING[:-1] if row.get(key)}
    shown = {key: row[key] for key in ("language", "history", "query")} | told
    return KnownCase(id=content_id(shown), **shown, examples=row.get("examples") or ())


def task_of_row(row: Record) -> Task:
    """The same as a task, for stages that keep rows: without ``task`` it comes from somebody's pipeline, which knows from where."""
    case = case_of_row(row)
    if isinstance(case, Task):
        return case
    return Task(**dict(case), conversation="", dialogue="", tokens=0, origin=_PIPELINE)


def candidate_of_row(row: Record) -> Candidate:
    """The candidate that a row has: its ``candidate``, or else its ``rewrite`` with what the model said of it.

    Where a step in between has changed the ``rewrite``, that is what the candidate says.
    """
    if row.get("candidate"):
        found = Candidate.model_validate_json(row["candidate"])
        changed = {**dict(found), "text": row["rewrite"]}
        return found if row["rewrite"] == found.text else Candidate.create(**_without_id(changed))
    said = {"text": row["rewrite"], "analysis": row.get("analysis"), "needs_rewrite": row.get("needs_rewrite")}
    return Candidate.create(task="", origin="teacher", **said)


def columns_of_task(task: Task | None) -> Record:
    """The columns that stand for a task; empty ones for a row that has none."""
    if task is None:
        return dict(zip(TASK_COLUMNS, ("", "", "", [], ""), strict=True))
    history = [
        {"role": turn.role, "content": calls_text(turn.calls) if turn.calls else turn.content} for turn in task.history
    ]
    return dict(zip(TASK_COLUMNS, (task.model_dump_json(), task.id, task.language, history, task.query), strict=True))


def goes_on(row: Record) -> bool:
    """Whether a row is still to be worked on: all rows of other people's pipelines are."""
    return bool(row.get("kept", True))


def keeps_books(row: Record) -> bool:
    """Whether a row comes from a pipeline of ours, which says of every row why it was left out."""
    return "left_out" in row


def books_of(row: Record) -> list[LeftOut]:
    """What was left out of a row so far."""
    return _LEFT_OUT.validate_json(row["left_out"])


def noted(row: Record, found: Sequence[LeftOut]) -> str:
    """The column ``left_out`` with more in it."""
    return json_of([*books_of(row), *found])


def leave_out(row: Record, *found: LeftOut) -> Record:
    """The row that goes no further, and why."""
    return {**row, "kept": False, "left_out": noted(row, found)}


def blanked(stage: str, row: str, why: str | None = None) -> Failed:
    """What is said of a row whose step raised."""
    return Failed(stage=stage, row=row, error=BLANKED, message=why or "distilabel's log has the traceback")


def failure(stage: str, row: str, told: str | None) -> Failed | None:
    """The failure that a column such as ``judge_error`` tells: none where it is empty, a blanked row where it is None."""
    if told is None:
        return blanked(stage, row)
    error, _, message = told.partition(": ")
    return Failed(stage=stage, row=row, error=error, message=message) if told else None


def json_of(rows: Iterable[Row]) -> str:
    """A JSON list of rows, as a column holds it."""
    return f"[{','.join(row.model_dump_json() for row in rows)}]"


def rows_of(column: str, row_type: type[R]) -> list[R]:
    """The rows in a column that :func:`json_of` wrote."""
    return TypeAdapter(list[row_type]).validate_json(column)  # type: ignore[valid-type]


def by_task(rows: Iterable[Record]) -> Iterator[list[Record]]:
    """The rows of each task together; one that has none stands alone."""
    for place, group in groupby(enumerate(rows), key=lambda one: one[1]["task_id"] or one[0]):
        found = [row for _, row in group]
        yield from [found] if isinstance(place, str) else ([row] for row in found)


def _without_id(fields: Record) -> Record:
    return {name: value for name, value in fields.items() if name != "id"}


def only(row: Mapping[str, Any], columns: Sequence[str]) -> Record:
    """A row with some of its columns."""
    return {column: row[column] for column in columns}
