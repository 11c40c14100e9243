"""The leaderboard of a project: every evaluated system, kept over weeks in one JSON Lines file.

A line is one system on one test set. Evaluating the same answers on the same rows again replaces their line, so runs
can be repeated. Figures are only comparable between lines of one test hash: the Markdown has one table for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pairwright.core.errors import StorageError
from pairwright.core.files.owned_folder import MOVE, require_places
from pairwright.core.files.storage import atomic_writer, read_rows, write_rows
from pairwright.core.identity import Row
from pairwright.core.pages.markdown import inline, markdown_table
from pairwright.evaluation.evaluation import HEADLINES, Evaluation, MetricNote, shown_as

FILE = "leaderboard.jsonl"
PAGE = "leaderboard.md"


class Entry(Row):
    """One system on one test set; ``figures`` holds (value, low, high) by metric, ``at`` is UTC."""

    at: str
    test: str
    test_sha256: str
    rows: int
    system: str
    kind: str
    predictions: str
    details: Mapping[str, str]
    figures: Mapping[str, tuple[float, float | None, float | None]]


def record(result: Evaluation, folder: Path) -> Path:
    """Add the systems of an evaluation to the leaderboard of ``folder`` and write its page.

    Raises:
        StorageError: the file is damaged or cannot be written.
    """
    require_leaderboard(folder)
    path = folder / FILE
    fresh = entries(result, datetime.now(UTC).isoformat(timespec="seconds"))
    replaced = {_key(entry) for entry in fresh}
    kept = [entry for entry in read_rows(path, Entry) if _key(entry) not in replaced] if path.is_file() else []
    write_rows(path, [*kept, *fresh])
    with atomic_writer(folder / PAGE) as file:
        file.write(markdown([*kept, *fresh], result.metrics))
    return path


def require_leaderboard(folder: Path) -> None:
    """Check that the files of ``folder`` that :func:`record` replaces are a leaderboard's; before anything is measured.

    Raises:
        StorageError: one of them is something else.
    """
    require_places(folder, (FILE, PAGE))
    if (folder / FILE).is_file():
        try:
            for _ in read_rows(folder / FILE, Entry):
                pass
        except StorageError as exc:
            raise StorageError(f"{exc.message}: no leaderboard, or it was changed by hand", MOVE) from exc
    page = folder / PAGE
    if page.is_file() and page.read_bytes().split(b"\n", 1)[0] != b"# Leaderboard":
        raise StorageError(f"{page}: not the page of a leaderboard, and would be overwritten", MOVE)


def entries(result: Evaluation, at: str) -> list[Entry]:
    """The lines of one evaluation."""
    return [
        Entry(
            at=at,
            test=one.test,
            test_sha256=one.sha256,
            rows=one.rows,
            system=system.name,
            kind=system.kind,
            predictions=system.predictions,
            details=system.details,
            figures={
                figure.metric: (figure.value, figure.low, figure.high)
                for figure in one.figures
                if figure.system == system.name and figure.slice[0] == "all" and figure.value is not None
            },
        )
        for one in result.results
        for system in one.systems
    ]


def markdown(found: list[Entry], metrics: tuple[MetricNote, ...]) -> str:
    """One table per test set, newest line last."""
    notes = [note for note in metrics if note.name in HEADLINES]
    lines = ["# Leaderboard"]
    for test, sha in dict.fromkeys((entry.test, entry.test_sha256) for entry in found):
        rows = [_line(entry, notes) for entry in found if entry.test_sha256 == sha]
        table = [("system", "evaluated", *(note.name for note in notes)), *rows]
        lines += [f"\n## {inline(f'{test} ({sha[:12]})')}\n", *markdown_table(table)]
    return "\n".join(lines) + "\n"


def _line(entry: Entry, notes: list[MetricNote]) -> tuple[str, ...]:
    values = (entry.figures[note.name][0] if note.name in entry.figures else None for note in notes)
    return (entry.system, entry.at[:16], *map(shown_as, notes, values))


def _key(entry: Entry) -> str:
    return json.dumps([entry.test_sha256, entry.system, entry.predictions])
