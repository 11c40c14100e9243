"""What a reader gives for each row of a source, and the bounds that keep hostile files from filling time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairwright.core.errors import SourceError
from pairwright.core.untrusted_json import KeyTwice, read_json, unambiguous

MAX_LINE_BYTES = 64 * 1024 * 1024  # of one row: a file without line breaks must not fill the memory
MAX_COLUMNS = 10_000
MAX_EMPTY_LINES = 1_000_000  # in a row
MAX_ENDLESS_BYTES = 1024 * 1024 * 1024  # of a row that is too long anyway, until its end must come
BOM = b"\xef\xbb\xbf"
OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")


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


def json_row(number: int, line: bytes) -> RawRow | BadRow:
    """The row that a line of JSON Lines is."""
    try:
        fields = read_json(line.decode("utf-8"), unambiguous)
    except UnicodeDecodeError as exc:
        return BadRow(number, "not_utf8", f"not UTF-8 at byte {exc.start + 1}")
    except ValueError as exc:
        return unread_row(number, exc)
    return object_row(number, fields)


def unread_row(number: int, exc: ValueError) -> BadRow:
    """A row whose text is no JSON, or says two things."""
    if isinstance(exc, KeyTwice):
        return BadRow(number, "key_twice", str(exc))
    return BadRow(number, "not_json", f"not JSON: {getattr(exc, 'brief', exc)}")


def object_row(number: int, fields: object) -> RawRow | BadRow:
    """The row that a JSON value is."""
    if isinstance(fields, dict):
        return RawRow(number, fields)
    return BadRow(number, "not_an_object", f"a row must be a JSON object, not {type(fields).__name__}")


def too_long(number: int) -> BadRow:
    """A row beyond ``MAX_LINE_BYTES``."""
    return BadRow(number, "line_too_long", f"longer than {MAX_LINE_BYTES // 1024**2} MiB")


def without_bom(head: bytes, where: str) -> bytes:
    """``head`` without the mark of UTF-8.

    Raises:
        SourceError: the mark is that of another encoding.
    """
    if head.startswith(OTHER_BOMS):
        raise SourceError(f"{where}: UTF-16 text", f"Convert it: iconv -f utf-16 -t utf-8 {where}")
    return head.removeprefix(BOM)


def endless(where: str, line: int) -> SourceError:
    """A line that does not end."""
    return SourceError(
        f"{where}:{line}: no line break in {MAX_ENDLESS_BYTES // 1024**2} MiB",
        "Write one row per line, of at most 64 MiB.",
    )


def empty_lines(where: str, line: int) -> SourceError:
    """Nothing but empty lines."""
    return SourceError(
        f"{where}:{line}: more than {MAX_EMPTY_LINES:,} empty lines in a row", "Remove them: grep -v '^$' drops them."
    )
