"""What the report says of the finished rows: how many of each sort there are, and how they are split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from pairwright.core.pages.cells import Table
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import SftRow, TaskKind
from pairwright.core.result import BuildResult
from pairwright.core.tool_calls import calls_of


def split_lines(result: BuildResult) -> Iterator[str]:
    """What shows that no dialogue crosses, and what each split is made of."""
    proof = result.split_proof()
    yield from (
        "Every row was looked at: no dialogue is in two splits, and none of the "
        f"{proof.links} pairs of dialogues that share a duplicate, exact or near, lies in two splits.",
        "",
    )
    pairs: Counter[tuple[str, str]] = Counter((pair.split, pair.rejected.defect) for pair in result.pairs())
    splits = list(proof.rows)
    yield from markdown_table([("", *splits), ("dialogues", *proof.dialogues.values()), ("rows", *proof.rows.values())])
    yield from ("", "Pairs by defect, as shares of their split:", "")
    totals = Counter({split: sum(n for (one, _), n in pairs.items() if one == split) for split in splits})
    defects = sorted({defect for _, defect in pairs})
    cells = ([f"{pairs[split, defect] / max(totals[split], 1):.1%}" for split in splits] for defect in defects)
    yield from markdown_table(
        [("defect", *splits), *((defect, *row) for defect, row in zip(defects, cells, strict=True))]
    )


def sft_table(result: BuildResult) -> Table:
    """Header and one row per language, origin, sort of answer and split."""
    numbers = Counter(
        (
            row.task.language,
            row.chosen.origin,
            _SORTS[row.task.kind](row),
            row.split,
        )
        for row in result.sft()
    )
    return [
        ("language", "origin", "answer", "split", "rows"),
        *((*key, number) for key, number in sorted(numbers.items())),
    ]


def _sort_of_rewrite(row: SftRow) -> str:
    return "unchanged" if row.chosen.text == row.task.query else "rewritten"


def _sort_of_answer(row: SftRow) -> str:
    return "calls tools" if calls_of(row.chosen.text) else "words after calls" if row.task.steps else "words"


_SORTS: Mapping[TaskKind, Callable[[SftRow], str]] = {"rewrite": _sort_of_rewrite, "answer": _sort_of_answer}


def pair_table(result: BuildResult) -> Table:
    """Header and one row per defect, what made it, and language."""
    numbers = Counter((pair.rejected.defect, pair.rejected.rejected_by, pair.task.language) for pair in result.pairs())
    total = sum(numbers.values())
    rows = [(*key, number, f"{number / total:.1%}") for key, number in sorted(numbers.items())]
    return [("defect", "made by", "language", "pairs", "share"), *rows]
