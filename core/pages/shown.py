"""What a notebook, a script and the command line show of one result: tables, sentences and blocks of text.

A notebook renders a result that is the last line of a cell; ``print(result)`` writes the same as plain text.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from pairwright.core.pages.cells import Table
from pairwright.core.pages.markdown import inline, markdown_table
from pairwright.core.pages.printable import one_line, printable


class Part(NamedTuple):
    """A table under a title, sentences, and a text whose lines are kept; what comes from rows stays text in all of them."""

    title: str = ""
    table: Table = ()
    lines: tuple[str, ...] = ()
    text: str = ""


class Shown(ABC):
    """A result that can be shown; :meth:`parts` says what there is to see."""

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """Tables, sentences and texts, in order."""

    def __str__(self) -> str:
        return "\n".join(line for part in self.parts() for line in _plain(part)).strip()

    def __repr__(self) -> str:
        """Short: a notebook keeps it beside what it renders."""
        return f"<{type(self).__name__}: print it, or make it the last line of a cell>"

    def _repr_markdown_(self) -> str:
        return "\n".join(line for part in self.parts() for line in _markdown(part)).strip()


def _plain(part: Part) -> Iterator[str]:
    if part.title:
        yield from ("", one_line(part.title))
    yield from ("  ".join(one_line(str(cell)) for cell in row).rstrip() for row in part.table)
    yield from (one_line(line) for line in part.lines)
    if part.text:
        yield printable(part.text)


def _markdown(part: Part) -> Iterator[str]:
    if part.title:
        yield from ("", f"**{inline(part.title)}**", "")
    if part.table:
        yield from (*markdown_table(part.table), "")
    for line in part.lines:
        yield from (inline(line), "")
    if part.text:
        # Longer than any fence that the text holds.
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", part.text)), default=0))
        yield from (f"{fence}text", printable(part.text), fence, "")


class MarkdownText(str):
    """A finished page in Markdown: a string that a notebook renders."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)
