"""Writes the files of one export: one per split that has rows, streamed, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal

from pairwright.core.storage import atomic_writer
from pairwright.exports.rendering import TrainingRow

FileFormat = Literal["jsonl", "json"]
Record = Mapping[str, Any]


def write_splits(
    folder: Path,
    stem: str,
    rows: Iterable[TrainingRow],
    form: Callable[[TrainingRow], Record],
    file_format: FileFormat = "jsonl",
) -> dict[Path, int]:
    """Write ``form(row)`` of every row to ``folder/STEM_SPLIT.FORMAT``; return the rows of each file written.

    One JSON object per line, or one JSON array with an object per line; UTF-8, unescaped, ``\\n`` line ends.
    """
    files: dict[Path, IO[str]] = {}
    counts: dict[Path, int] = {}
    start, between, end = ("[\n", ",\n", "\n]\n") if file_format == "json" else ("", "\n", "\n")
    with ExitStack() as stack:
        for row in rows:
            path = folder / f"{stem}_{row.split}.{file_format}"
            if path not in files:
                files[path] = stack.enter_context(atomic_writer(path))
                counts[path] = 0
            files[path].write((between if counts[path] else start) + json.dumps(form(row), ensure_ascii=False))
            counts[path] += 1
        for file in files.values():
            file.write(end)
    return dict(sorted(counts.items()))
