"""Raw rows out of files: JSON Lines, JSON, CSV and Parquet, plain or compressed with gzip or Zstandard.

A reader yields one :class:`RawRow` or :class:`BadRow` per row of the file, in order, and holds one row (Parquet: one
batch) in memory. What makes the rest of a file unreadable is a ``SourceError``.
"""

from __future__ import annotations

import glob
import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from pairwright.core.errors import SourceError
from pairwright.pipelines.ingest.csv_records import read_csv
from pairwright.pipelines.ingest.json_lines import read_json_lines
from pairwright.pipelines.ingest.json_values import read_json_values
from pairwright.pipelines.ingest.parquet_rows import read_parquet
from pairwright.pipelines.ingest.raw_rows import BadRow, RawRow
from pairwright.pipelines.ingest.unpacked import Unpacked

COMPRESSIONS = (".gz", ".zst")
FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_BUFFER = 1024 * 1024  # bytes
# How files begin that are no text.
_PACKED = {
    b"\x1f\x8b": "compressed with gzip",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"BZh91AY&": "compressed with bzip2",
    b"PK\x03\x04": "a ZIP or Excel file",
    b"PAR1": "a Parquet file",
}


def expand(pattern: str) -> list[Path]:
    """The files that ``pattern`` names, sorted: one file, or a glob (``**`` included).

    Raises:
        SourceError: no such file, nothing matches, a folder, what is no file (a device, a pipe), or a suffix that no
            reader knows.
    """
    try:
        paths = _found(pattern)
    except (OSError, RuntimeError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise SourceError(f"{_short(pattern)}: {reason}", "Check the path.") from exc
    if not paths and glob.has_magic(pattern):
        raise SourceError(f"{pattern}: no file matches", f"Patterns are relative to {Path.cwd()}.")
    if not paths:
        raise SourceError(f"{pattern}: no such file", f"Relative paths start at {Path.cwd()}.")
    for found in paths:
        _format_of(found)
    return paths


def _found(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_dir():
        raise SourceError(f"{pattern}: this is a folder", f"Name its files, for example {pattern.rstrip('/')}/*.jsonl")
    paths = [path] if path.exists() else [Path(found) for found in sorted(glob.glob(str(path), recursive=True))]
    paths = [found for found in paths if not found.is_dir()]
    for found in paths:
        if found.exists() and not found.is_file():
            raise _no_file(found)
    return _each_once(paths)


def _each_once(paths: list[Path]) -> list[Path]:
    """``paths`` without the further names of one file: a link to a folder above gives each file dozens of them."""
    if len(paths) < 2:
        return paths
    shortest: dict[str, Path] = {}
    for path in sorted(paths, key=lambda path: (len(path.parts), str(path))):
        shortest.setdefault(os.path.realpath(path), path)
    kept = set(shortest.values())
    return [path for path in paths if path in kept]


def _short(pattern: str) -> str:
    """The path as a person can read it: one that is refused for its length would fill the screen."""
    return pattern if len(pattern) <= 400 else f"{pattern[:200]} … {pattern[-100:]}"


def _no_file(path: Path) -> SourceError:
    return SourceError(
        f"{path}: a device, a pipe or a socket, no file",
        "Pipe the rows in and read them with: {use: stdin}. Files can be read as files.",
    )


def read_file(path: Path) -> Iterator[RawRow | BadRow]:
    """Yield the rows of one file; its suffix says how they are written.

    Raises:
        SourceError: the file is empty, cannot be opened, is cut off, or is not what its suffix says.
    """
    kind, compression = _format_of(path)
    rows = read_parquet(path) if kind == "parquet" else _text_rows(path, kind, compression)
    try:
        first = next(rows, None)
        if first is None:
            raise SourceError(f"{path}: the file has no rows", "Remove it from the sources or fill it.")
        yield first
        yield from rows
    except OSError as exc:
        reason = exc.strerror or next(iter(str(exc).splitlines()), "")
        raise SourceError(f"{path}: {reason}", "Check that the file is complete and may be read.") from exc


def _format_of(path: Path) -> tuple[str, str]:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else ""
    kind = FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise SourceError(
            f"{path}: unknown kind of file",
            f"Known are {', '.join(FORMATS)}, all but .parquet also followed by {' or '.join(COMPRESSIONS)}.",
        )
    if kind == "parquet" and compression:
        raise SourceError(f"{path}: Parquet is compressed inside", f"Unpack it: drop the {compression}.")
    return kind, compression


def _text_rows(path: Path, kind: str, compression: str) -> Iterator[RawRow | BadRow]:
    import zstandard

    try:
        with _open(path, compression) as stream:
            _require_text(path, stream)
            if kind == "jsonl":
                yield from read_json_lines(stream, str(path))
            elif kind == "json":
                yield from read_json_values(stream, str(path))
            else:
                yield from read_csv(stream, str(path), "\t" if kind == "tsv" else ",")
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as exc:
        raise SourceError(
            f"{path}: the compressed file is broken ({exc})",
            "It was cut off or is not what its suffix says: fetch it again.",
        ) from exc


def _require_text(path: Path, stream: IO[bytes]) -> None:
    head = cast("io.BufferedReader", stream).peek(8)[:8]
    what = next((what for begin, what in _PACKED.items() if head.startswith(begin)), None)
    if what is not None:
        raise SourceError(
            f"{path}: {what}, and its name says otherwise",
            "Give it the suffix of what it is, for example .jsonl.gz; unpack or convert what cannot be read.",
        )


def _open(path: Path, compression: str) -> IO[bytes]:
    # What was a file a moment ago may be a pipe now, and opening one would wait for its other end.
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=_BUFFER)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _no_file(path)
    if compression == ".gz":
        return io.BufferedReader(Unpacked(cast("io.RawIOBase", gzip.GzipFile(fileobj=file)), file, str(path)), _BUFFER)
    if compression == ".zst":
        from pairwright.pipelines.ingest.zstandard_file import ZstandardFile

        return io.BufferedReader(Unpacked(ZstandardFile(file), file, str(path)), _BUFFER)
    return file
