"""Markdown from text that nobody has checked: it stays text, whatever it contains.

Only what is :class:`Markup` is taken as it is. A renderer that looks for addresses in finished text, as some do for
mail, may still link one: to nothing but what stands there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pairwright.core.pages.cells import Table
from pairwright.core.pages.printable import one_line

# Entities, where a backslash would be read by what looks for mathematics between "\\(" and "\\)".
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "&#92;"})
_MARKS = re.compile(
    r"[`*\[\]|~$]"
    r"|\A#|(?<!\S)#(?=#*\Z)"  # opens a heading; closes one
    r"|(?<=[A-Za-z]):(?=//)|(?<=www)\.|(?<!\w)@|@(?=[\w-]+\.)",  # addresses
    re.IGNORECASE,
)
_EDGE_UNDERSCORES = re.compile(r"(?<!\w)_++|(?<!_)_++(?!\w)")  # inside a word they mean nothing
_LINE_START = re.compile(r"\A(\d{1,9}(?=[.)](?:\s|\Z))|(?=[-+](?:\s|\Z)|--|=|:-))")  # lists, rules, underlines


class Markup(str):
    """Markdown that we wrote, with all that comes from data in it made :func:`inline`."""

    __slots__ = ()


def inline(text: object) -> Markup:
    """``text`` as one line of plain words, at any place of a page: no character of it is read as markup."""
    if isinstance(text, Markup):
        return text
    plain = _MARKS.sub(r"\\\g<0>", one_line(str(text)).translate(_ENTITIES))
    plain = _EDGE_UNDERSCORES.sub(lambda run: "\\_" * len(run[0]), plain)
    return Markup(_LINE_START.sub(r"\1\\", plain))


def code(text: object) -> Markup:
    """``text`` in the type of code; as plain words where it holds what would end the code or a table's cell."""
    line = one_line(str(text))
    return inline(line) if not line or "`" in line or "|" in line else Markup(f"`{line}`")


def markdown_table(table: Table) -> list[str]:
    """The lines of a table; the first row is the header."""
    header, *rows = (f"| {' | '.join(map(inline, row))} |" for row in table)
    return [header, f"|{' --- |' * len(table[0])}", *rows]


def block(lines: Iterable[tuple[str, str]], longest: int = 400) -> list[str]:
    """Labelled texts as one code block that they cannot close; each is cut after ``longest`` characters."""
    shown = [f"{label}: {_shortened(one_line(text), longest)}" for label, text in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in shown for run in re.findall("`+", line)), default=0))
    return [f"{fence}text", *shown, fence]


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
