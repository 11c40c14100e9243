"""Writes the files of one export: one per kind and split that has rows, streamed, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal

from pairwright.core.result import BuildResult
from pairwright.core.storage import atomic_writer, write_json
from pairwright.exports.rendering import Budget, Kind, Tally, TrainingRow, described, rows_of

FileFormat = Literal["jsonl", "json"]
Record = Mapping[str, Any]
Layout = Callable[[TrainingRow], Record]


def write_kinds(
    build: BuildResult,
    target: Path,
    layouts: Mapping[Kind, Layout],
    budget: Budget,
    file_format: FileFormat = "jsonl",
) -> dict[Path, Kind]:
    """Write ``target/NAME_KIND_SPLIT.FORMAT`` for every kind of ``layouts``, and ``target/export.json`` about them.

    Returns the data files with their kind, in order of name.

    Raises:
        ExportError: a kind has rows, and every one of them had to be left out.
        StorageError: a file cannot be written.
    """
    files: dict[Path, Kind] = {}
    kinds: dict[Kind, Any] = {}
    for kind, layout in layouts.items():
        tally = Tally()
        rows = rows_of(build, kind, budget, tally)
        written = write_splits(target, f"{build.config.name}_{kind}", rows, layout, file_format)
        files |= dict.fromkeys(written, kind)
        kinds[kind] = tally.summary(written)
    write_json(target / "export.json", {**described(build, budget), "files": kinds})
    return dict(sorted(files.items()))


def write_splits(
    folder: Path, stem: str, rows: Iterable[TrainingRow], layout: Layout, file_format: FileFormat
) -> dict[Path, int]:
    """Write every row to ``folder/STEM_SPLIT.FORMAT``; return the number of rows of each file.

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
            files[path].write((between if counts[path] else start) + json.dumps(layout(row), ensure_ascii=False))
            counts[path] += 1
        for file in files.values():
            file.write(end)
    return dict(sorted(counts.items()))
