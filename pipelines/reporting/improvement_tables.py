"""What the improver of a build did, for its report: why queries were kept, and what became of the texts it wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pairwright.core.improvement import Improvement
from pairwright.core.pages.cells import Table
from pairwright.core.pages.markdown import code, markdown_table
from pairwright.core.records import SftRow
from pairwright.core.result import BuildResult
from pairwright.pipelines.judging.answer_improvement import IMPROVED, keep_answers


def improvement_lines(result: BuildResult, improver: str) -> Iterator[str]:
    """What the improver did, as a section of the report."""
    yield f"What {code(improver)} did with each query's best answer:"
    for table in improvement_tables(result.improvements()):
        yield from ("", *markdown_table(table))


def improvement_tables(rows: Iterable[Improvement]) -> Iterator[Table]:
    """Queries by route and fate; then, where texts were compared, how that ended."""
    fates: Counter[tuple[str, ...]] = Counter()
    winners: Counter[str] = Counter()
    flips = 0
    for row in rows:
        fates[row.original.task.language, row.review.route, row.outcome or "none written", _fate(row)] += 1
        if row.comparison is not None:
            winners[row.comparison.winner] += 1
            flips += row.comparison.flipped
    yield [
        ("language", "route", "improved text", "answer", "queries"),
        *((*key, number) for key, number in sorted(fates.items())),
    ]
    if total := winners.total():
        header = ("compared", "improved better", "original better", "ties", "flipped with the order")
        counts = (winners["first"], winners["second"], winners["tie"])
        yield [header, (total, *counts, f"{flips} ({flips / total:.0%})")]


def _fate(row: Improvement) -> str:
    (outcome,) = keep_answers([row])
    if not isinstance(outcome, SftRow):
        return "left out"
    return IMPROVED if row.outcome == IMPROVED else "as it was"
