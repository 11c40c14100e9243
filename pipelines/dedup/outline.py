"""What later stages must know of every answer before they see the first one, in columns: a fraction of the rows' size.

It is written beside the answers, so that nobody has to read them once more for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.records import Language, Task
from pairwright.core.storage import atomic_path, storage_error
from pairwright.pipelines.dedup.request_text import asked_text, digest_of

_ROWS = 50_000


class Outlined(NamedTuple):
    """One query: its task's id, the digest of its exact text, what it asks, and what a split must not cut."""

    id: str
    digest: bytes
    asked: str
    dialogue: str
    language: Language
    domain: str | None


def outline(task: Task) -> Outlined:
    """The outline of one query."""
    return Outlined(task.id, digest_of(task), asked_text(task), task.dialogue, task.language, task.domain)


@contextmanager
def open_outline(path: Path) -> Iterator[Callable[[Task], None]]:
    """A function that adds the outline of one query to the file at ``path``, which is there when the block succeeds.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    with open_columns(path, Outlined._fields) as write:
        yield lambda task: write(outline(task))


def read_outline(path: Path) -> Iterator[Outlined]:
    """The outlines of a file, in order.

    Raises:
        StorageError: the file cannot be read.
    """
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                yield from map(Outlined, *(column.to_pylist() for column in batch.columns))
    except OSError as exc:
        raise storage_error(exc, path) from exc


@contextmanager
def open_columns(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[Any]], None]]:
    """A function that adds one row to a Parquet file with these ``columns``: text, but for ``digest``.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.binary(16) if name == "digest" else pa.string()) for name in columns])
    rows: list[tuple[Any, ...]] = []

    def flush(writer: Any) -> None:
        values = zip(*rows, strict=True) if rows else ((),) * len(columns)
        writer.write_table(pa.table(dict(zip(columns, map(list, values), strict=True)), schema=schema))
        rows.clear()

    with atomic_path(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:

        def add(row: Iterable[Any]) -> None:
            rows.append(tuple(row))
            if len(rows) == _ROWS:
                flush(writer)

        yield add
        flush(writer)
