"""Tables on the terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from pairwright.pipelines.reporting.table import Table as Rows


def print_table(title: str, rows: Rows) -> None:
    """Print a table; the first row is the header. Cells are text, not markup."""
    from rich.text import Text

    header, *body = rows
    table = Table(title=title, title_justify="left")
    for name in header:
        table.add_column(str(name), overflow="fold")
    for row in body:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 140).print(table)
