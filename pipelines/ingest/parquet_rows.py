"""Parquet files, batch by batch; a row whose values Python cannot hold costs itself alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairwright.core.errors import SourceError
from pairwright.pipelines.ingest.raw_rows import MAX_COLUMNS, MAX_LINE_BYTES, BadRow, RawRow

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH = 1024  # rows


def read_parquet(path: Path) -> Iterator[RawRow | BadRow]:
    """Yield the rows of the file.

    Raises:
        SourceError: no Parquet file, too many columns, or two of one name.
    """
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    # OSError is the caller's.
    wrong = (ArrowException, ValueError, TypeError, LookupError, OverflowError)
    try:
        # A file, not a path: Arrow reads some paths as addresses.
        with path.open("rb") as stream:
            file = pq.ParquetFile(stream)
            _check_columns(file, path)
            line = 0
            for batch in file.iter_batches(batch_size=_batch_size(file)):
                try:
                    rows: Iterator[RawRow | BadRow] = iter(
                        [RawRow(number, fields) for number, fields in enumerate(batch.to_pylist(), line + 1)]
                    )
                except wrong:
                    rows = _one_by_one(batch, line, wrong)
                yield from rows
                line += batch.num_rows
    except wrong as exc:
        reason = next(iter(str(exc).splitlines()), "") or type(exc).__name__
        raise SourceError(f"{path}: not a Parquet file that can be read ({reason})", "Write it again.") from exc


def _check_columns(file: pq.ParquetFile, path: Path) -> None:
    names = file.schema_arrow.names
    if len(names) > MAX_COLUMNS:
        raise SourceError(
            f"{path}: {len(names):,} columns; at most {MAX_COLUMNS:,} are read",
            "Leave out the columns that are not needed.",
        )
    if len(set(names)) < len(names):
        raise SourceError(f"{path}: two columns have the same name", "Give every column its own name.")


def _batch_size(file: pq.ParquetFile) -> int:
    """As many rows as have about the size that one may have."""
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    largest = max((group.total_byte_size // max(group.num_rows, 1) for group in groups), default=0)
    return max(1, min(_BATCH, MAX_LINE_BYTES // max(largest, 1)))


def _fields(batch: pa.RecordBatch, number: int, wrong: tuple[type[Exception], ...]) -> dict[str, Any]:
    """A row; what Python has no value for, as a date after the year 9999, is text."""
    import pyarrow as pa

    found = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            found[name] = column[number].as_py()
        except wrong:
            found[name] = column.slice(number, 1).cast(pa.string())[0].as_py()
    return found


def _one_by_one(batch: pa.RecordBatch, line: int, wrong: tuple[type[Exception], ...]) -> Iterator[RawRow | BadRow]:
    for number in range(batch.num_rows):
        try:
            yield RawRow(line + number + 1, _fields(batch, number, wrong))
        except wrong as exc:
            reason = next(iter(str(exc).splitlines()), "") or type(exc).__name__
            yield BadRow(line + number + 1, "not_readable", f"a value that Python cannot hold: {reason[:200]}")
