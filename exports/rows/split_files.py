"""Writes the files of one export: one per kind and split that has rows, streamed, each complete or absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from pairwright.core.records import Split
from pairwright.core.result import BuildResult
from pairwright.core.storage import atomic_writer, write_json
from pairwright.exports.rows.chat_rows import ChatRow, Unfit, chat_rows_of
from pairwright.exports.rows.rendering import Budget, Kind, Tally, TrainingRow, described, rows_of

FileFormat = Literal["jsonl", "json"]
Record = Mapping[str, Any]
Layout = Callable[[TrainingRow], Record]
ChatLayout = Callable[[ChatRow], Record]

_encode = json.JSONEncoder(ensure_ascii=False).encode


class ChatForms(NamedTuple):
    """How chats are laid out, by kind, and which of them a form cannot hold."""

    layouts: Mapping[Kind, ChatLayout]
    unfit: Mapping[Kind, Unfit] = {}


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

    def records(kind: Kind, tally: Tally) -> Iterator[tuple[Split, Record]]:
        return ((row.split, layouts[kind](row)) for row in rows_of(build, kind, budget, tally))

    return _write(build, target, layouts, records, budget, file_format)


def write_chats(
    build: BuildResult, target: Path, forms: ChatForms, budget: Budget, file_format: FileFormat = "jsonl"
) -> dict[Path, Kind]:
    """The same for a build whose student learns to answer.

    Raises:
        ExportError: a kind has rows, and every one of them had to be left out; or the form has no room for them.
        StorageError: a file cannot be written.
    """

    def records(kind: Kind, tally: Tally) -> Iterator[tuple[Split, Record]]:
        chats = chat_rows_of(build, kind, budget, tally, forms.unfit.get(kind))
        return ((row.split, forms.layouts[kind](row)) for row in chats)

    return _write(build, target, forms.layouts, records, budget, file_format)


def _write(
    build: BuildResult,
    target: Path,
    kinds: Iterable[Kind],
    records: Callable[[Kind, Tally], Iterator[tuple[Split, Record]]],
    budget: Budget,
    file_format: FileFormat,
) -> dict[Path, Kind]:
    files: dict[Path, Kind] = {}
    summaries: dict[Kind, Any] = {}
    for kind in kinds:
        tally = Tally()
        written = write_splits(target, f"{build.config.name}_{kind}", records(kind, tally), file_format)
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
