"""Turns of dialogues, what is expected of the assistant there, and what a system did.

A test row is ``{"id", "lang", "dialogue", "history": [{"role", "content"}], "query", "expected": {…}}``, one per assistant
turn, in order. ``expected`` says only what is to be checked:

- ``behaviour``: ``answer``, ``clarify`` (ask back before acting) or ``refuse``;
- ``tool_calls``: ``[{"name", "arguments"}]``, empty where no call is right;
- ``slots``: ``{slot: value}`` after this turn;
- ``json``: true where the answer must be a JSON object, or the list of keys that it must have.

``documents`` are further texts that the answer may lean on; ``paraphrase_of`` names the row that this one asks in other
words. A prediction is ``{"id", "answer", "tool_calls", "slots"}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import ValidationError

from pairwright.core.errors import SourceError
from pairwright.core.files.storage import sha256_of
from pairwright.core.files.texts import read_row_lines
from pairwright.core.identity import Row
from pairwright.core.records import Language, Turn
from pairwright.core.untrusted_json import read_json, unambiguous

R = TypeVar("R", bound="Identified")
_SHOWN = 10  # problems that are told; the others are counted


class Identified(Row):
    """A row with an id of its own."""

    id: str


class DialogueCall(Row):
    """One call of a tool."""

    hashed: ClassVar[tuple[str, ...]] = ("name", "arguments")
    name: str
    arguments: Mapping[str, Any] = {}


class Expected(Row):
    """What is right at a turn; None is not checked."""

    behaviour: Literal["answer", "clarify", "refuse"] | None = None
    tool_calls: tuple[DialogueCall, ...] | None = None
    slots: Mapping[str, str] | None = None
    json_keys: bool | tuple[str, ...] | None = None


class DialogueRow(Identified):
    """One assistant turn to come."""

    language: Language
    dialogue: str
    history: tuple[Turn, ...]
    query: str
    expected: Expected
    documents: tuple[str, ...] = ()
    paraphrase_of: str | None = None


class DialoguePrediction(Identified):
    """What a system did at a turn."""

    hashed: ClassVar[tuple[str, ...]] = ("id", "answer", "tool_calls", "slots")
    answer: str = ""
    tool_calls: tuple[DialogueCall, ...] = ()
    slots: Mapping[str, str] = {}


@dataclass(frozen=True)
class DialogueCase:
    """A turn and what a system did there."""

    row: DialogueRow
    prediction: DialoguePrediction


class DialogueSet(Row):
    """The turns of one test file."""

    name: str
    sha256: str
    rows: tuple[DialogueRow, ...]


def read_dialogues(path: Path) -> DialogueSet:
    """Read a test file.

    Raises:
        SourceError: no such file, no rows, lines that are no such rows, repeated ids, or a paraphrase of no row.
    """
    rows, problems = _read(path, _row)
    known = {row.id for row in rows}
    problems += [
        f"{path}: row {row.id!r} is a paraphrase of {row.paraphrase_of!r}, which is not there"
        for row in rows
        if row.paraphrase_of is not None and row.paraphrase_of not in known
    ]
    if not rows and not problems:
        problems.append(f"{path}: no test rows")
    _raise(problems)
    return DialogueSet(name=path.stem, sha256=sha256_of(path), rows=tuple(rows))


def read_dialogue_predictions(path: Path, tests: DialogueSet) -> list[DialogueCase]:
    """What a system did, paired with the test rows in their order.

    Raises:
        SourceError: the file cannot be read, or its ids are not exactly those of the test rows.
    """
    found, problems = _read(path, DialoguePrediction.model_validate)
    by_id = {one.id: one for one in found}
    known = {row.id for row in tests.rows}
    problems += [f"{path}: row {row.id!r} has no prediction" for row in tests.rows if row.id not in by_id]
    problems += [f"{path}: {one.id!r} is the id of no test row of {tests.name}" for one in found if one.id not in known]
    _raise(problems)
    return [DialogueCase(row, by_id[row.id]) for row in tests.rows]


def _row(raw: Mapping[str, Any]) -> DialogueRow:
    fields = dict(raw)
    expected = dict(fields.pop("expected"))
    if "json" in expected:
        expected["json_keys"] = expected.pop("json")
    return DialogueRow.model_validate({"language": fields.pop("lang"), "expected": expected} | fields)


def _read(path: Path, make: Any) -> tuple[list[Any], list[str]]:
    rows: list[Any] = []
    problems: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(read_row_lines(path, "Check the path."), start=1):
        if not line.strip():
            continue
        try:
            row = make(read_json(line, unambiguous))
        except ValidationError as exc:
            error = exc.errors()[0]
            problems.append(f"{path}:{number}: {'.'.join(map(str, error['loc']))}: {error['msg']}")
        except (ValueError, KeyError, TypeError) as exc:
            problems.append(f"{path}:{number}: not a row of a dialogue: {exc}")
        else:
            if row.id in seen:
                problems.append(f"{path}:{number}: {row.id!r} stands more than once")
            seen.add(row.id)
            rows.append(row)
    return rows, problems


def _raise(problems: Sequence[str]) -> None:
    if problems:
        more = [f"… and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise SourceError(
            "\n".join([*problems[:_SHOWN], *more]), "No row is left out: mend these lines, then run again."
        )
