"""Tables and lines on the terminal. Their content is shown as text: control characters and markup in it do nothing."""

from __future__ import annotations

import sys

from rich.box import HEAVY_HEAD, SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pairwright.core.pages.cells import Table as Rows
from pairwright.core.pages.printable import printable
from pairwright.core.pages.shown import Shown
from pairwright.core.pages.terminal import Terminal


def print_table(
    title: str, rows: Rows, *, width: int | None = 140, first_whole: bool = False, light: bool = False
) -> None:
    """Print a table; the first row is the header.

    ``width`` counts where the output is no terminal. With ``first_whole`` the first column is never wrapped, ``light`` draws
    no frame.
    """
    header, *body = rows
    table = Table(
        title=plain_text(title) if title else None,
        title_justify="left",
        box=SIMPLE_HEAD if light else HEAVY_HEAD,
        padding=(0, 1, 0, 0) if light else (0, 1),
    )
    for number, name in enumerate(header):
        table.add_column(plain_text(name), overflow="fold", no_wrap=first_whole and number == 0)
    for row in body:
        table.add_row(*map(plain_text, row))
    Terminal(width=None if sys.stdout.isatty() else width).print(table)


def print_parts(shown: Shown) -> None:
    """Print the tables and lines of a result."""
    for part in shown.parts():
        if part.table:
            print_table(part.title, part.table)
        for line in part.lines:
            print(printable(line))
        if part.text:
            print(("" if part.table else f"{printable(part.title)}\n" if part.title else "") + printable(part.text))


def print_text(text: str) -> None:
    """Print a paragraph, wrapped between words."""
    Terminal().print(plain_text(text))


def plain_text(value: object) -> Text:
    """What may be shown of any value."""
    return Text(printable(str(value)))
