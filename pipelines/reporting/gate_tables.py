"""What a build's gate decided, and how often human rewrites say otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pairwright.core.pages.cells import Table, format_value
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import GateRow, Language
from pairwright.core.result import BuildResult

WAYS = ("rewritten", "passes: complete", "passes: an answer is missing", "passes: its human rewrite is a copy")


def way(row: GateRow) -> str:
    """What becomes of a query, one of ``WAYS``."""
    decision = row.decision
    if not decision.passes:
        return WAYS[0]
    if decision.reference_needs_rewrite is not None:
        return WAYS[3]
    return WAYS[2] if decision.needs_rewrite else WAYS[1]


def ways_table(rows: Iterable[GateRow]) -> Table:
    """Header and one row per language and way."""
    numbers = Counter((row.language, way(row)) for row in rows)
    listed = sorted(numbers.items(), key=lambda item: (item[0][0], WAYS.index(item[0][1])))
    return [("language", "query", "rows"), *((*key, number) for key, number in listed)]


def confusion_table(rows: Iterable[GateRow]) -> Table:
    """Header and one row per language that has human rewrites: the gate's first answer beside theirs."""
    counts = Counter(
        (row.language, row.decision.needs_rewrite, known)
        for row in rows
        if (known := row.decision.reference_needs_rewrite) is not None
    )
    header = ("language", "both rewrite", "both copy", "only the gate rewrites", "only the human rewrites")
    return [(*header, "balanced accuracy", "false-edit rate"), *_confusions(counts)]


def _confusions(counts: Counter[tuple[Language, bool, bool]]) -> Iterator[tuple[object, ...]]:
    for language in sorted({key[0] for key in counts}):
        both, false, missed, neither = (counts[language, said, known] for said, known in _CELLS)
        recall, edited = _share(both, missed), _share(false, neither)
        balanced = None if recall is None or edited is None else (recall + 1 - edited) / 2
        yield (language, both, neither, false, missed, format_value(balanced, ".1%"), format_value(edited, ".1%"))


_CELLS = ((True, True), (True, False), (False, True), (False, False))


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


def gate_lines(result: BuildResult) -> Iterator[str]:
    """What the gate decided, beside what human rewrites say."""
    yield from markdown_table(ways_table(result.gate()))
    confusion = confusion_table(result.gate())
    if len(confusion) > 1:
        yield from (
            "",
            'Where a human rewrite is known it decides, whatever the gate says. How the gate\'s "needs a rewrite" compares:',
            "",
        )
        yield from markdown_table(confusion)
    yield from ("", "`rows/gate.jsonl` has every decision with its reason.")
