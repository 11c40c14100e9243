"""What a notebook, a script and the command line show of one result: a few tables and sentences.

``print(result)`` gives Markdown, and a notebook renders the same where the result is the last line of a cell.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

from pairwright.core.pages.cells import Table
from pairwright.core.pages.markdown import inline, markdown_table


class Part(NamedTuple):
    """A table under a title, or lines of text; text of rows in them stays text."""

    title: str = ""
    table: Table = ()
    lines: tuple[str, ...] = ()


class Shown(ABC):
    """A result that can be shown; :meth:`parts` says what there is to see."""

    @abstractmethod
    def parts(self) -> Iterator[Part]:
        """Tables and lines, in order."""

    def __str__(self) -> str:
        return "\n".join(line for part in self.parts() for line in _lines(part)).strip()

    def _repr_markdown_(self) -> str:
        return str(self)


def _lines(part: Part) -> Iterator[str]:
    if part.title:
        yield from ("", f"**{inline(part.title)}**", "")
    if part.table:
        yield from (*markdown_table(part.table), "")
    for line in part.lines:
        yield from (inline(line), "")


class MarkdownText(str):
    """A finished page in Markdown: a string that a notebook renders."""

    __slots__ = ()

    def _repr_markdown_(self) -> str:
        return str(self)
