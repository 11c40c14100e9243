"""Slices: the parts of a test set that are looked at on their own.

language · depth (user turns before the query) · needs (a rewrite, or none) · source (whether what the reference restores
stands only in the assistant's turns) · defect (the annotated phenomenon of the query).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pairwright.core.language.text_analysis import supported
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.entity_retention import key_entities

# User turns from which rows are looked at together, and rows below which a part is not shown.
DEEPEST = 4
SMALLEST = 5


class Slice(NamedTuple):
    """A named part: ``rows`` are indices into the test set."""

    kind: str
    value: str
    rows: tuple[int, ...]


def slices(rows: Sequence[GoldRow]) -> tuple[Slice, ...]:
    """All slices with at least ``SMALLEST`` rows that are not the whole set."""
    parts: dict[tuple[str, str], list[int]] = {}
    for index, row in enumerate(rows):
        for label in _labels(row):
            parts.setdefault(label, []).append(index)
    order = ("language", "needs", "source", "depth", "defect")
    ranked = sorted(parts.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    return tuple(
        Slice(kind, value, tuple(indices)) for (kind, value), indices in ranked if SMALLEST <= len(indices) < len(rows)
    )


def depends_on_assistant(row: GoldRow) -> bool | None:
    """True when something that the reference restores was not said by the user; None where nothing is restored."""
    if not row.dependent:
        return None
    if row.depends_on_assistant is not None:
        return row.depends_on_assistant
    by_user = [turn.content for turn in row.history if turn.role == "user"]
    wanted = key_entities(row)
    return any(not supported(entity, by_user) for entity in wanted) if wanted else None


def _labels(row: GoldRow) -> list[tuple[str, str]]:
    depth = sum(turn.role == "user" for turn in row.history)
    labels = [
        ("language", row.language),
        ("depth", _depth(depth)),
        ("needs", "a rewrite" if row.dependent else "no rewrite"),
    ]
    leaning = depends_on_assistant(row)
    if leaning is not None:
        labels.append(("source", "assistant turns needed" if leaning else "user turns enough"))
    if row.defect:
        labels.append(("defect", row.defect))
    return labels


def _depth(turns: int) -> str:
    return f"{DEEPEST}+ user turns" if turns >= DEEPEST else "1 user turn" if turns == 1 else f"{turns} user turns"
