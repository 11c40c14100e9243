"""CSV and TSV: a header line, then records. A quote that is never closed costs its line, not the rest of the file."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from pairwright.core.errors import SourceError
from pairwright.core.untrusted_json import KeyTwice, read_json, unambiguous
from pairwright.pipelines.ingest import raw_rows
from pairwright.pipelines.ingest.raw_rows import (
    OTHER_BOMS,
    BadRow,
    RawRow,
    empty_lines,
    endless,
    too_long,
    unread_row,
    without_bom,
)

_END = "\x00end of the file\x00"  # behind the last line: it ends up in a cell that is not closed
_TOO_LONG = "\x00a line that is too long\x00"  # in place of that line
_SPACE_BEHIND = re.compile(r'"[ \t]+(?=[,\t\r\n]|$)')
_MOST_READ_AGAIN = 4  # times the longest row


class _LongLine(Exception):
    pass


def read_csv(stream: IO[bytes], where: str, delimiter: str) -> Iterator[RawRow | BadRow]:
    """Yield one row per record of ``stream`` that is not empty.

    Raises:
        SourceError: two columns have one name, there are too many, the text is UTF-16, or quotes are never closed again
            and again.
    """
    csv.field_size_limit(raw_rows.MAX_LINE_BYTES)  # the default of 128 KiB refuses long dialogues; it is per process
    # Bytes that are not UTF-8 become lone surrogates, so that one bad cell costs one row and not the file.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        lines = _Lines(text, where)
        reader = csv.reader(lines, delimiter=delimiter)
        header = _header(reader, where)
        while True:
            lines.begin()
            try:
                cells = next(reader, None)
            except csv.Error as exc:
                yield BadRow(lines.start, "not_csv", f"not CSV: {exc}")
                lines.go_back()
                continue
            except _LongLine:
                if lines.is_in_record():
                    yield _not_closed(lines.start)
                    lines.go_back()
                else:
                    yield too_long(lines.start)
                    lines.pass_by()
                continue
            if cells is None or cells == [_END]:
                return
            if lines.is_swallowed(cells, delimiter):
                yield _not_closed(lines.start)
                lines.go_back()
            elif cells:
                yield _row(lines.start, header, cells)
    finally:
        # Otherwise it would close the stream, which is the caller's.
        text.detach()


class _Lines:
    """The lines of a file for a CSV reader, and those of the record that is being read, which can be read again."""

    def __init__(self, text: io.TextIOWrapper, where: str) -> None:
        self.start = 1
        self._text = text
        self._where = where
        self._taken: list[str] = []
        self._size = 0
        self._waiting: deque[str] = deque()
        self._read_again = self._empty = 0
        self._next = 1
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._read()
        if line == _TOO_LONG:
            self._waiting.appendleft(line)
            raise _LongLine
        self._next += 1
        if self._size > raw_rows.MAX_LINE_BYTES:
            self._waiting.appendleft(line)
            raise csv.Error(f"a record of more than {raw_rows.MAX_LINE_BYTES // 1024**2} MiB")
        self._taken.append(line)
        self._size += len(line)
        return line

    def begin(self) -> None:
        """What comes now is a new record."""
        self._taken.clear()
        self.start, self._size = self._next, 0

    def is_in_record(self) -> bool:
        """Whether lines of the record have been read."""
        return bool(self._taken)

    def pass_by(self) -> None:
        """Go behind a line that is too long."""
        self._waiting.popleft()
        self._next += 1

    def go_back(self) -> None:
        """Read on behind the first line of the record.

        Raises:
            SourceError: that has been done with too much text.
        """
        again = self._taken[1:]
        self._read_again += self._size
        if self._read_again > _MOST_READ_AGAIN * raw_rows.MAX_LINE_BYTES:
            raise SourceError(
                f"{self._where}:{self.start}: quotes that are not closed, in this line and many others",
                "Write the file with a program for CSV, or save one object per line as .jsonl.",
            )
        self._waiting.extendleft(reversed(again))
        self._next = self.start + 1

    def is_swallowed(self, cells: list[str], delimiter: str) -> bool:
        """Whether the record holds lines that a quote too many has taken in."""
        if len(self._taken) < 2:
            return bool(cells) and cells[-1].endswith(_END)
        if self._taken[-1] == _END:
            return True
        try:
            for _ in csv.reader(self._taken, delimiter=delimiter, strict=True):
                pass
        except csv.Error:
            text = _SPACE_BEHIND.sub('"', "".join(self._taken))
            try:
                for _ in csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True):
                    pass
            except csv.Error:
                return True
        return False

    def _read(self) -> str:
        most = raw_rows.MAX_LINE_BYTES
        line = self._text.readline(most)
        if not line:
            if self._ended:
                raise StopIteration
            self._ended = True
            return _END
        if len(line) == most and not line.endswith(("\n", "\r")):
            skipped = most
            while (rest := self._text.readline(1024 * 1024)) and not rest.endswith(("\n", "\r")):
                skipped += len(rest)
                if skipped > raw_rows.MAX_ENDLESS_BYTES:
                    raise endless(self._where, self._next)
            return _TOO_LONG
        self._empty = 0 if len(line) > 2 or line.strip() else self._empty + 1
        if self._empty > raw_rows.MAX_EMPTY_LINES:
            raise empty_lines(self._where, self._next)
        return line


def _not_closed(line: int) -> BadRow:
    return BadRow(line, "not_csv", "a quote in this line is not closed where its cell ends")


def _first(reader: Iterator[list[str]]) -> list[str]:
    """The first record that is not empty."""
    return next((cells for cells in reader if cells), [])


def _header(reader: Iterator[list[str]], where: str) -> list[str]:
    try:
        header = [(name if name.endswith(_END) else name.replace("\0", "")).strip() for name in _first(reader)]
    except (csv.Error, _LongLine) as exc:
        raise SourceError(
            f"{where}:1: the header cannot be read: {exc or 'too long'}", "Name the columns in the first line."
        ) from exc
    if header and header[-1].endswith(_END.strip()):
        if len(header) == 1 and header[0] == _END.strip():
            return []
        raise SourceError(f"{where}:1: a quote in the header is not closed", "Name the columns in the first line.")
    # "utf-8-sig" knows the mark of UTF-8 only: that of UTF-16 is in the first name.
    if header and header[0].encode("utf-8", "surrogateescape").startswith(OTHER_BOMS):
        without_bom(header[0].encode("utf-8", "surrogateescape"), where)
    if len(header) > raw_rows.MAX_COLUMNS:
        raise SourceError(
            f"{where}:1: {len(header):,} columns; at most {raw_rows.MAX_COLUMNS:,} are read",
            "Leave out the columns that are not needed.",
        )
    if len(set(header)) < len(header):
        raise SourceError(
            f"{where}:1: two columns have the same name", "Give every column its own name in the first line."
        )
    return header


def _row(line: int, header: list[str], cells: list[str]) -> RawRow | BadRow:
    if len(cells) != len(header):
        return BadRow(line, "not_csv", f"{len(cells)} cells under {len(header)} columns")
    if any("\udc80" <= character <= "\udcff" for cell in cells if not cell.isascii() for character in cell):
        return BadRow(line, "not_utf8", "not UTF-8; Excel's Chinese files convert with: iconv -f gb18030 -t utf-8")
    try:
        return RawRow(line, {name: _cell(cell) for name, cell in zip(header, cells, strict=True)})
    except KeyTwice as exc:
        return unread_row(line, exc)


def _cell(cell: str) -> Any:
    """A cell that holds a JSON list or object is read as such: histories and dialogues have no other form in CSV."""
    if not cell:
        return None
    if cell[0] in "[{":
        try:
            return read_json(cell, unambiguous)
        except KeyTwice:
            raise
        except ValueError:
            return cell
    return cell
