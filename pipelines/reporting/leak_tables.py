"""What the report says of the test sets that were kept out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pairwright.core.pages.markdown import markdown_table
from pairwright.core.result import HeldOutSet
from pairwright.pipelines.reporting.funnel import list_reasons


def leak_lines(held_out: Sequence[HeldOutSet], action: str) -> Iterator[str]:
    """How many queries copy a row of each test set, by what, and what was done about it."""
    done = {"drop": "were dropped", "flag": "stay and are flagged: `pairwright publish` refuses them"}[action]
    yield from (f"Queries that copy a row of a test set, or would teach a passage of one, {done}.", "")
    yield from markdown_table(
        [
            ("test set", "rows", "queries that copy it", "matched by"),
            *((one.name, one.rows, one.queries, list_reasons(one.matched)) for one in held_out),
        ]
    )
