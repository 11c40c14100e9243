"""Writes the files of one export: one per kind and split that has rows, streamed, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Generic, Literal

from pairwright.core.files.storage import atomic_writer, write_json
from pairwright.core.records import Split
from pairwright.core.result import BuildResult
from pairwright.exports.rows.rendering import Budget, Kind, R, RowRenderer, Tally, described, rows_of

FileFormat = Literal["jsonl", "json"]
Record = Mapping[str, Any]

# One encoder for all rows: json.dumps with these arguments makes a new one each time.
_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True)
class RowForm(Generic[R]):
    """One kind of task in one form: who makes its rows, how those of each kind are laid out, and which it cannot hold."""

    renderer: RowRenderer[R]
    layouts: Mapping[Kind, Callable[[R], Record]]
    unfit: Mapping[Kind, Callable[[R], str]] = field(default_factory=dict)

    def only(self, kinds: Iterable[Kind]) -> RowForm[R]:
        """The form with these kinds of rows alone."""
        return replace(self, layouts={kind: self.layouts[kind] for kind in kinds})

    def records(self, build: BuildResult, kind: Kind, budget: Budget, tally: Tally) -> Iterator[tuple[Split, Record]]:
        """The rows of one kind as they stand in a file, each with its split."""
        rows = rows_of(self.renderer, build, kind, budget, tally, self.unfit.get(kind))
        return ((row.split, self.layouts[kind](row)) for row in rows)


def write_sets(
    build: BuildResult, target: Path, form: RowForm[Any], budget: Budget, file_format: FileFormat = "jsonl"
) -> dict[Path, Kind]:
    """Write ``target/NAME_KIND_SPLIT.FORMAT`` for every kind of ``form``, and ``target/export.json`` about them.

    Returns the data files with their kind, in order of name.

    Raises:
        ExportError: a kind has rows, and every one of them had to be left out; or the form has no room for them.
        StorageError: a file cannot be written.
    """
    files: dict[Path, Kind] = {}
    summaries: dict[Kind, Any] = {}
    for kind in form.layouts:
        tally = Tally()
        records = form.records(build, kind, budget, tally)
        written = write_splits(target, f"{build.config.name}_{kind}", records, file_format)
        files |= dict.fromkeys(written, kind)
        summaries[kind] = tally.summary(written)
    write_json(target / "export.json", {**described(build, budget), "files": summaries})
    return dict(sorted(files.items()))


def write_splits(
    folder: Path, stem: str, records: Iterable[tuple[Split, Record]], file_format: FileFormat
) -> dict[Path, int]:
    """Write every record to ``folder/STEM_SPLIT.FORMAT``; return the number of records of each file.

    One JSON object per line, or one JSON array with an object per line; UTF-8, unescaped, ``\\n`` line ends.
    """
    files: dict[Path, IO[str]] = {}
    counts: dict[Path, int] = {}
    start, between, end = ("[\n", ",\n", "\n]\n") if file_format == "json" else ("", "\n", "\n")
    with ExitStack() as stack:
        for split, record in records:
            path = folder / f"{stem}_{split}.{file_format}"
            if path not in files:
                files[path] = stack.enter_context(atomic_writer(path))
                counts[path] = 0
            files[path].write((between if counts[path] else start) + _encode(record))
            counts[path] += 1
        for file in files.values():
            file.write(end)
    return dict(sorted(counts.items()))
