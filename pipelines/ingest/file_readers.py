"""Raw rows out of files: JSON Lines, JSON, CSV and Parquet, plain or compressed with gzip or Zstandard.

A reader yields one :class:`RawRow` or :class:`BadRow` per row of the file, in order, and holds one row (Parquet: one
batch, JSON arrays: one file) in memory. What makes the rest of a file unreadable is a ``SourceError``.
"""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from pairwright.core.errors import SourceError

MAX_LINE_BYTES = 64 * 1024 * 1024  # a file without line breaks must not fill the memory
COMPRESSIONS = (".gz", ".zst")
FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PARQUET_BATCH = 1024  # rows
_BUFFER = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file. ``line`` counts from 1: the line where the row starts, in Parquet its number."""

    line: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, and why."""

    line: int
    error: str
    message: str


def expand(pattern: str) -> list[Path]:
    """The files that ``pattern`` names, sorted: one file, or a glob (``**`` included).

    Raises:
        SourceError: no such file, nothing matches, a folder, or a suffix that no reader knows.
    """
    path = Path(pattern).expanduser()
    if path.is_dir():
        raise SourceError(f"{pattern}: this is a folder", f"Name its files, for example {pattern.rstrip('/')}/*.jsonl")
    paths = [path] if path.exists() else [Path(found) for found in sorted(glob.glob(str(path), recursive=True))]
    paths = [found for found in paths if not found.is_dir()]
    if not paths and glob.has_magic(pattern):
        raise SourceError(f"{pattern}: no file matches", f"Patterns are relative to {Path.cwd()}.")
    if not paths:
        raise SourceError(f"{pattern}: no such file", f"Relative paths start at {Path.cwd()}.")
    for found in paths:
        _format_of(found)
    return paths


def read_file(path: Path) -> Iterator[RawRow | BadRow]:
    """Yield the rows of one file; its suffix says how they are written.

    Raises:
        SourceError: the file is empty, cannot be opened, is cut off, or is not what its suffix says.
    """
    kind, compression = _format_of(path)
    rows = _parquet_rows(path) if kind == "parquet" else _text_rows(path, kind, compression)
    try:
        first = next(rows, None)
        if first is None:
            raise SourceError(f"{path}: the file has no rows", "Remove it from the sources or fill it.")
        yield first
        yield from rows
    except OSError as exc:
        raise SourceError(f"{path}: {exc.strerror or exc}", "Check that the file is complete and may be read.") from exc


def read_json_lines(stream: IO[bytes], where: str) -> Iterator[RawRow | BadRow]:
    """Yield one row per non-empty line of ``stream``; ``where`` names it in errors.

    Raises:
        SourceError: the text is UTF-16 or UTF-32.
    """
    for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES), b""), start=1):
        if number == 1:
            line = _without_bom(line, where)
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            # What is left of the line is read and thrown away piece by piece.
            while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield BadRow(number, "line_too_long", f"longer than {MAX_LINE_BYTES // 1024**2} MiB")
        elif line.strip():
            yield _json_row(number, line)


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
            if kind == "jsonl":
                yield from read_json_lines(stream, str(path))
            elif kind == "json":
                yield from _json_file_rows(stream, str(path))
            else:
                yield from _csv_rows(stream, str(path), "\t" if kind == "tsv" else ",")
    except (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError) as exc:
        raise SourceError(
            f"{path}: the compressed file is broken ({exc})",
            "It was cut off or is not what its suffix says: fetch it again.",
        ) from exc


def _open(path: Path, compression: str) -> IO[bytes]:
    if compression == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    if compression == ".zst":
        from pairwright.pipelines.ingest.zstandard_file import ZstandardFile

        return io.BufferedReader(ZstandardFile(path.open("rb")), _BUFFER)
    return path.open("rb", buffering=_BUFFER)


def _without_bom(head: bytes, where: str) -> bytes:
    if head.startswith(_OTHER_BOMS):
        raise SourceError(f"{where}: UTF-16 text", f"Convert it: iconv -f utf-16 -t utf-8 {where}")
    return head.removeprefix(_BOM)


def _json_row(number: int, line: bytes) -> RawRow | BadRow:
    try:
        fields = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as exc:
        return BadRow(number, "not_utf8", f"not UTF-8 at byte {exc.start + 1}")
    except json.JSONDecodeError as exc:
        return BadRow(number, "not_json", f"not JSON: {exc.msg} at column {exc.colno}")
    except (ValueError, RecursionError) as exc:
        # A number of more digits than Python converts, or objects nested too deep.
        return BadRow(number, "not_json", f"not JSON that can be read: {exc}")
    return _object_row(number, fields)


def _object_row(number: int, fields: object) -> RawRow | BadRow:
    if isinstance(fields, dict):
        return RawRow(number, fields)
    return BadRow(number, "not_an_object", f"a row must be a JSON object, not {type(fields).__name__}")


def _json_file_rows(stream: IO[bytes], where: str) -> Iterator[RawRow | BadRow]:
    """A ``.json`` file holds one array of rows, or is JSON Lines under another name."""
    text = _without_bom(stream.read(), where)
    if not text.lstrip().startswith(b"["):
        yield from read_json_lines(io.BytesIO(text), where)
        return
    try:
        yield from _array_rows(text.decode("utf-8"), where)
    except UnicodeDecodeError as exc:
        line = text.count(b"\n", 0, exc.start) + 1
        raise SourceError(f"{where}:{line}: not UTF-8", "Save the file as UTF-8.") from exc


def _array_rows(text: str, where: str) -> Iterator[RawRow | BadRow]:
    decode = json.JSONDecoder().raw_decode
    position, line, counted = _skip_space(text, text.index("[") + 1), 1, 0
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            item, end = decode(text, position)
        except (ValueError, RecursionError) as exc:
            raise _broken_array(where, line, str(exc)) from exc
        yield _object_row(line, item)
        position = _skip_space(text, end)
        if text[position : position + 1] == ",":
            position = _skip_space(text, position + 1)
        elif text[position : position + 1] != "]":
            raise _broken_array(where, line, "the array is not closed")


def _broken_array(where: str, line: int, reason: str) -> SourceError:
    return SourceError(f"{where}:{line}: not JSON: {reason}", "Mend the file, or save one object per line as .jsonl.")


def _skip_space(text: str, position: int) -> int:
    while text[position : position + 1].isspace():
        position += 1
    return position


def _csv_rows(stream: IO[bytes], where: str, delimiter: str) -> Iterator[RawRow | BadRow]:
    csv.field_size_limit(MAX_LINE_BYTES)  # the default of 128 KiB refuses long dialogues; the setting is per process
    # Bytes that are not UTF-8 become lone surrogates, so that one bad cell costs one row and not the file.
    lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        reader = csv.reader(lines, delimiter=delimiter)
        header = _csv_header(reader, where)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as exc:
                yield BadRow(line, "not_csv", f"not CSV: {exc}")
                continue
            if cells is None:
                return
            if cells:
                yield _csv_row(line, header, cells)
    finally:
        # Otherwise it would close the stream, which is the caller's.
        lines.detach()


def _csv_header(reader: Iterator[list[str]], where: str) -> list[str]:
    header = [name.strip() for name in next(reader, [])]
    # "utf-8-sig" knows the mark of UTF-8 only: that of UTF-16 is in the first name.
    if header and header[0].encode("utf-8", "surrogateescape").startswith(_OTHER_BOMS):
        _without_bom(header[0].encode("utf-8", "surrogateescape"), where)
    if len(set(header)) < len(header):
        raise SourceError(
            f"{where}:1: two columns have the same name", "Give every column its own name in the first line."
        )
    return header


def _csv_row(line: int, header: list[str], cells: list[str]) -> RawRow | BadRow:
    if len(cells) != len(header):
        return BadRow(line, "not_csv", f"{len(cells)} cells under {len(header)} columns")
    if any("\udc80" <= character <= "\udcff" for cell in cells if not cell.isascii() for character in cell):
        return BadRow(line, "not_utf8", "not UTF-8; Excel's Chinese files convert with: iconv -f gb18030 -t utf-8")
    return RawRow(line, {name: _csv_cell(cell) for name, cell in zip(header, cells, strict=True)})


def _csv_cell(cell: str) -> Any:
    """A cell that holds a JSON list or object is read as such: histories and dialogues have no other form in CSV."""
    if not cell:
        return None
    if cell[0] in "[{":
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _parquet_rows(path: Path) -> Iterator[RawRow | BadRow]:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        line = 0
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_PARQUET_BATCH):
            for fields in batch.to_pylist():
                line += 1
                yield RawRow(line, fields)
    except ArrowException as exc:
        raise SourceError(f"{path}: not a Parquet file that can be read ({exc})", "Write it again.") from exc
