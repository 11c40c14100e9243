"""Shows a build's pairs, with the difference between chosen and rejected marked, and all that is known of one row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rich.text import Text

from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import read_rows
from pairwright.core.pages.difference import differences
from pairwright.core.pages.printable import one_line, printable, spelled_out
from pairwright.core.pages.terminal import Terminal
from pairwright.core.records import PreferencePair, Turn
from pairwright.core.tool_calls import calls_text

_ID = re.compile(r"^[0-9a-f]{16}$")


def show_command(folder: Path, defect: str | None, language: str | None, limit: int, row: str | None) -> None:
    """Print pairs of the build in ``folder``, or everything about ``row``.

    Raises:
        ConfigError: no finished build there, no such defect, or no such row.
    """
    rows = folder / "rows"
    if not (folder / "manifest.json").exists():
        raise ConfigError([f"{folder}: no finished build here"], "Run 'pairwright build BUILD.yaml' first.")
    console = Terminal()
    if row is not None:
        _show_row(console, rows, row)
        return
    pairs = (
        pair
        for pair in read_rows(rows / "pairs.jsonl", PreferencePair)
        if defect in (None, pair.rejected.defect) and language in (None, pair.task.language)
    )
    shown = 0
    for pair in islice(pairs, limit):
        console.print(_pair(pair), soft_wrap=True)
        shown += 1
    if not shown:
        known = sorted({pair.rejected.defect for pair in read_rows(rows / "pairs.jsonl", PreferencePair)})
        raise ConfigError(
            [f"{folder}: no such pair"], f"Its defects are: {', '.join(known) or 'none, it has no pairs'}."
        )


def _pair(pair: PreferencePair) -> Text:
    text = Text()
    origin = pair.task.origin
    where = f"{origin.file}:{origin.line}" if origin.line else origin.file
    text.append(one_line(pair.rejected.defect), "bold").append(
        f"  {one_line(f'{pair.rejected.rejected_by}, {pair.split}, {where}')}, pair {pair.id}\n", "dim"
    )
    for turn in pair.task.history:
        text.append(f"  {turn.role}: {printable(_said(turn))}\n", "dim")
    text.append(f"  query:    {printable(pair.task.query)}\n")
    for turn in pair.task.steps:
        text.append(f"  {turn.role}: {printable(_said(turn))}\n", "dim")
    kept, changed = marked(printable(pair.chosen.text), printable(pair.rejected.text))
    text.append("  chosen:   ").append(kept).append("\n")
    text.append("  rejected: ").append(changed).append("\n")
    if pair.rejected.evidence:
        text.append(f"  because:  {printable(pair.rejected.evidence)}\n")
    return text


def _said(turn: Turn) -> str:
    return calls_text(turn.calls) if turn.calls else turn.content


def marked(chosen: str, rejected: str) -> tuple[Text, Text]:
    """Both texts with what differs marked: ``[-only in chosen-]``, ``{+only in rejected+}``, and in colour."""
    left, right = differences(chosen, rejected)
    first, second = Text(), Text()
    for run in left:
        first.append(f"[-{run.text}-]" if run.differs else run.text, "bold green" if run.differs else "")
    for run in right:
        second.append(f"{{+{run.text}+}}" if run.differs else run.text, "bold red" if run.differs else "")
    return first, second


def _show_row(console: Terminal, rows: Path, row: str) -> None:
    if not _ID.match(row):
        raise ConfigError(
            [f"{row!r} is no row id"], "Ids are 16 hex digits: of a pair, a query, a candidate or a dialogue."
        )
    found = 0
    for name, content in _mentions(rows, row):
        console.print(Text(f"{name}:", "bold"))
        console.print(Text(spelled_out(json.dumps(content, ensure_ascii=False, indent=2))), soft_wrap=True)
        found += 1
    if not found:
        raise ConfigError([f"no row of the build has the id {row}"])


def _mentions(rows: Path, row: str) -> Iterator[tuple[str, Any]]:
    """Every line of the build's row files that names ``row``."""
    for path in sorted(rows.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from ((path.name, json.loads(line)) for line in file if f'"{row}"' in line)
