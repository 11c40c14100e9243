"""What earlier builds have, so that a new one adds nothing twice: ``rows/index.parquet``, one row per query of a build.

The index holds texts, not MinHash keys: keys are made again in some ten microseconds a text, and so the settings of
``dedup`` may change between builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import atomic_path
from pairwright.core.result import INDEX
from pairwright.core.untrusted_json import read_json
from pairwright.pipelines.dedup.outline import Outlined

_COLUMNS = ("id", "digest", "asked")
_ROWS = 50_000  # in memory at once, and in one row group


class Indexed(NamedTuple):
    """One query of an earlier build: its id there, the digest of its exact text, and what it asks."""

    id: str
    digest: bytes
    asked: str


def write_index(path: Path, rows: Iterable[Outlined]) -> None:
    """Write the index of a build's queries.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("digest", pa.binary(16)), ("asked", pa.string())])
    indexed = (Indexed(row.id, bytes.fromhex(row.digest), row.asked) for row in rows)
    # A file, not a path: Arrow reads some paths as addresses.
    with (
        atomic_path(path) as partial,
        partial.open("wb") as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        while part := list(islice(indexed, _ROWS)):
            writer.write_table(_table(part, schema))
            if len(part) < _ROWS:
                return
        writer.write_table(_table([], schema))


def _table(rows: list[Indexed], schema: object) -> object:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else ((),) * len(_COLUMNS)
    return pa.table(dict(zip(_COLUMNS, map(list, columns), strict=True)), schema=schema)


def read_index(folder: Path) -> Iterator[Indexed]:
    """The queries of the build in ``folder``.

    Raises:
        ConfigError: there is no finished build with an index in ``folder``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with (folder / "rows" / INDEX).open("rb") as stream, pq.ParquetFile(stream) as file:
            for batch in file.iter_batches(_ROWS, columns=list(_COLUMNS)):
                columns = (batch.column(name).to_pylist() for name in _COLUMNS)
                yield from map(Indexed, *columns)
    except (OSError, pa.ArrowException) as exc:
        raise ConfigError(
            [f"dedup.earlier: {folder}: no index of a build can be read there: {exc}"],
            f"Name the output folder of a finished build, with its rows/{INDEX}; a build made by an older version gets one when it is built again.",
        ) from None


def require_earlier(config: BuildConfig) -> None:
    """Look for the earlier builds before anything is asked.

    Raises:
        ConfigError: see :func:`read_index`.
    """
    for folder in map(Path, config.dedup.earlier):
        build_name(folder)
        next(read_index(folder), None)


def build_name(folder: Path) -> str:
    """The name and id of the build in ``folder``, for reports.

    Raises:
        ConfigError: there is no finished build in ``folder``.
    """
    try:
        manifest = read_json((folder / "manifest.json").read_text(encoding="utf-8"))
        return f"{manifest['name']} {manifest['build']}"
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            [f"dedup.earlier: {folder}: no finished build there (no readable manifest.json)"],
            "Name the output folder of a build that ran to its end.",
        ) from None
