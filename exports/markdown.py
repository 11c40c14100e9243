"""Markdown from text that nobody has checked: it stays text, whatever it contains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*{}\[\]()#+!|~<>$@]|(?<!\w)_|_(?!\w))")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def inline(text: object) -> str:
    """``text`` as one line of plain words: no markup, no HTML, no link, no control or direction character works."""
    return (
        _SPECIAL.sub(r"\\\1", _one_line(str(text)).replace("&", "&amp;")).replace("\\<", "&lt;").replace("\\>", "&gt;")
    )


def table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table."""
    body = [header, ["---"] * len(header), *([inline(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(str(cell) for cell in line)} |" for line in body]


def block(lines: Iterable[tuple[str, str]], longest: int = 400) -> list[str]:
    """Labelled texts as one code block that they cannot close; each is cut after ``longest`` characters."""
    shown = [f"{label}: {_shortened(_one_line(text), longest)}" for label, text in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in shown for run in re.findall("`+", line)), default=0))
    return [f"{fence}text", *shown, fence]


def _one_line(text: str) -> str:
    return _UNSEEN.sub(" ", text).strip()


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
