"""A table as data, and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

Table = Sequence[Sequence[object]]
"""Rows of cells; the first row is the header."""


def markdown_table(table: Table) -> list[str]:
    """A Markdown table; the first row is the header."""
    header, *rows = ([str(cell).replace("|", "\\|") for cell in row] for row in table)
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]
