"""The funnel of a build: what came into each stage and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pairwright.core.bookkeeping import StageCount
from pairwright.core.pages.cells import Table


def funnel_table(counts: Iterable[StageCount]) -> Table:
    """Header and one row per stage: in, kept, dropped by reason, failed by error."""
    rows: list[Sequence[object]] = [("stage", "counts", "in", "kept", "dropped", "failed")]
    rows += [
        (
            count.stage,
            f"{count.unit}",
            count.rows_in,
            count.kept,
            list_reasons(count.dropped),
            list_reasons(count.failed),
        )
        for count in counts
    ]
    return rows


def list_reasons(numbers: Mapping[str, int]) -> str:
    """``3: too_long 2, empty 1``, the most frequent first."""
    total = sum(numbers.values())
    listed = ", ".join(f"{reason} {number}" for reason, number in sorted(numbers.items(), key=lambda item: -item[1]))
    return f"{total}: {listed}" if numbers else "0"
