"""What the report says of the selection of diverse rows."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.pages.markdown import markdown_table
from pairwright.core.result import SPARSE_REGIONS, Diversity


def diversity_lines(diversity: Diversity) -> Iterator[str]:
    """How diverse the rows were before and after, and how many stand alone."""
    sides = diversity.before, diversity.after
    names = {
        "rows": "rows",
        "distinct_1": "distinct unigrams",
        "distinct_2": "distinct bigrams",
        "mean_cosine": "mean cosine of two rows",
        "top_openings": "share of the ten most frequent openings",
    }
    figures = [side.model_dump() for side in sides]
    rows = [(told, *(side[name] for side in figures)) for name, told in names.items()]
    rows += [(f"rows: {name}", number, sides[1].domains.get(name, 0)) for name, number in sides[0].domains.items()]
    yield from markdown_table([("", "before", "after"), *rows])
    yield from (
        "",
        f"{diversity.sparse_regions} rows that stay stand far from all others. `rows/{SPARSE_REGIONS}` has their dialogues, for a build that",
        "asks a teacher for more of their kind.",
    )
