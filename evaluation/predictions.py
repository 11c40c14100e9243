"""What a system answered: one row per test row, checked so that no row is missing, unknown or there twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, ValidationError

from pairwright.core.errors import SourceError
from pairwright.core.files.texts import read_row_lines
from pairwright.core.identity import Row
from pairwright.core.untrusted_json import NotJson, read_json, unambiguous
from pairwright.evaluation.gold_rows import GoldSet

_SHOWN = 5  # ids that are told; the others are counted


class Prediction(Row):
    """A system's rewrite of one test row.

    ``analysis`` is its reasoning, if it gives any; ``raw`` is the whole answer as it came, so that its form can be
    measured; ``error`` says why no rewrite could be read from it (then ``rewrite`` is empty and scored as such).
    """

    hashed: ClassVar[tuple[str, ...]] = ("id", "rewrite", "analysis", "raw", "error")
    id: str
    rewrite: str
    analysis: str | None = None
    raw: str | None = None
    error: str | None = None


class System(Row):
    """A named set of predictions for one test set, in the order of its rows.

    ``kind`` is ``baseline``, ``file``, ``endpoint``, ``gguf`` or ``transformers``; ``details`` says how the answers
    were made (model, prompt hash, …).
    """

    name: str
    kind: str
    predictions: tuple[Prediction, ...]
    details: Mapping[str, str] = Field(default_factory=dict)


def read_predictions(path: Path, gold: GoldSet) -> tuple[Prediction, ...]:
    """The predictions of a JSONL file, in the order of the test rows.

    Raises:
        SourceError: the file cannot be read, a line is no prediction, or the ids are not exactly those of the test
            rows: each kind of difference is counted and named.
    """
    found: list[tuple[int, Prediction]] = []
    problems: list[str] = []
    for number, line in enumerate(read_row_lines(path, "Check the path of the predictions."), start=1):
        if line.strip():
            try:
                # Twice: pydantic believes the last of two values of a key, and read_json takes lone surrogates.
                read_json(line, unambiguous)
                found.append((number, Prediction.model_validate_json(line)))
            except NotJson as exc:
                problems.append(f"{path}:{number}: not JSON: {exc.brief}")
            except ValidationError as exc:
                problems.append(f"{path}:{number}: {_first(exc)}")
    problems += _differences(path, gold, found)
    if problems:
        raise SourceError("\n".join(problems), 'Every test row needs exactly one line {"id": …, "rewrite": …}.')
    by_id = {prediction.id: prediction for _, prediction in found}
    return tuple(by_id[row.id] for row in gold.rows)


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write predictions in the form that :func:`read_predictions` reads; absent fields are left out."""
    from pairwright.core.files.storage import atomic_writer

    with atomic_writer(path) as file:
        for prediction in predictions:
            file.write(json.dumps(prediction.model_dump(exclude_none=True), ensure_ascii=False) + "\n")


def _differences(path: Path, gold: GoldSet, found: Sequence[tuple[int, Prediction]]) -> list[str]:
    counts = Counter(prediction.id for _, prediction in found)
    known = {row.id for row in gold.rows}
    missing = [row.id for row in gold.rows if row.id not in counts]
    unknown = [identity for identity in counts if identity not in known]
    twice = [identity for identity, count in counts.items() if count > 1]
    texts = []
    if missing:
        texts.append(
            f"{path}: {len(missing)} of {len(known)} test rows of {gold.name} have no prediction: {_some(missing)}"
        )
    if unknown:
        texts.append(
            f"{path}: {len(unknown)} predictions have an id that no test row of {gold.name} has: {_some(unknown)}"
        )
    if twice:
        where = {identity: [number for number, row in found if row.id == identity] for identity in twice[:_SHOWN]}
        places = ", ".join(
            f"{identity!r} (lines {', '.join(map(str, numbers))})" for identity, numbers in where.items()
        )
        texts.append(f"{path}: {len(twice)} ids stand more than once: {places}")
    return texts


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(repr(identity) for identity in ids[:_SHOWN]) + more


def _first(exc: ValidationError) -> str:
    error = exc.errors()[0]
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}" if place else error["msg"]
