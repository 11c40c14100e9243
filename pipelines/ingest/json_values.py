"""``.json`` files: arrays of rows, rows one after another, or both; read piece by piece, whatever the line ends are."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from pairwright.core.errors import SourceError
from pairwright.core.untrusted_json import KeyTwice, NotJson, brackets, check_nesting, not_json, unambiguous
from pairwright.pipelines.ingest import raw_rows
from pairwright.pipelines.ingest.raw_rows import BadRow, RawRow, endless, object_row, too_long, unread_row, without_bom

_PIECE = 1024 * 1024  # bytes
_SPACE = re.compile(r"[\s\ufeff]*")  # files that were joined bring their marks along
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPED = re.compile("[\udc80-\udcff]")
_LONGEST_WORD = 16  # characters: what the end of a piece may cut, such as -Infinity


class _TooLong(Exception):
    pass


def read_json_values(stream: IO[bytes], where: str) -> Iterator[RawRow | BadRow]:
    """Yield one row per value of the arrays in ``stream``, and per value that stands outside of arrays.

    Outside of arrays a bad value costs its line. Commas too many behind a row do no harm.

    Raises:
        SourceError: an array is broken or not closed, or the text is UTF-16.
    """
    text = _Text(stream, where)
    while text.skip_space():
        if text.next() == "[":
            yield from _array(text)
            continue
        yield from _outside(text)
        text.skip_commas()


def _outside(text: _Text) -> Iterator[RawRow | BadRow]:
    try:
        row = text.row()
    except NotJson as exc:
        row = BadRow(text.line, "not_json", f"not JSON: {exc.brief}")
        text.skip_line()
    except _TooLong:
        row = too_long(text.line)
        text.skip_line()
    yield row


def _array(text: _Text) -> Iterator[RawRow | BadRow]:
    is_whole_file, count = text.at_start, 0
    text.step()
    text.skip_commas()
    while text.skip_space() and text.next() != "]":
        try:
            row = text.row()
        except (NotJson, _TooLong) as exc:
            if count or is_whole_file:
                raise _broken(text, exc) from exc
            # A line of JSON Lines that begins with a bracket.
            yield BadRow(text.line, "not_json", f"not JSON: {exc}")
            text.skip_line()
            return
        yield row
        count += 1
        if not text.skip_commas() and text.next() not in ("]", ""):
            raise _broken(text, NotJson("no comma behind the row"))
    if text.next() != "]":
        raise _broken(text, NotJson("the array is not closed"))
    text.step()
    text.skip_commas()


def _broken(text: _Text, exc: Exception) -> SourceError:
    if (line := text.undecoded_line()) is not None:
        return SourceError(f"{text.where}:{line}: not UTF-8", "Save the file as UTF-8.")
    reason = "a row of more than 64 MiB" if isinstance(exc, _TooLong) else str(exc)
    return SourceError(
        f"{text.where}:{text.line}: not JSON: {reason}", "Mend the file, or save one object per line as .jsonl."
    )


class _Text:
    """The text of a file from a position on, as much of it as is needed; ``line`` is that of the position."""

    def __init__(self, stream: IO[bytes], where: str) -> None:
        self.where = where
        self.line = 1
        self.at_start = True
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._scan = json.JSONDecoder(object_pairs_hook=unambiguous).raw_decode
        self._scan_any = json.JSONDecoder().raw_decode
        self._text = ""
        self._position = self._counted = 0
        self._ended = False
        self._is_first = True

    def next(self) -> str:
        return self._text[self._position : self._position + 1]

    def step(self, size: int = 1) -> None:
        self.at_start = False
        self._position += size

    def skip_space(self) -> bool:
        """Go to the next character that is no white space; false at the end."""
        while True:
            self._position = _SPACE.match(self._text, self._position).end()  # type: ignore[union-attr]
            self._count()
            if self._position < len(self._text):
                return True
            if not self._more(_PIECE):
                return False

    def skip_commas(self) -> bool:
        """Go behind the commas that stand here; whether there were any."""
        found = False
        while self.skip_space() and self.next() == ",":
            self.step()
            found = True
        return found

    def skip_line(self) -> None:
        """Go behind the end of this line."""
        self.at_start = False
        skipped = 0
        while not (end := _LINE_END.search(self._text, self._position)):
            skipped += len(self._text) - self._position
            if skipped > raw_rows.MAX_ENDLESS_BYTES:
                raise endless(self.where, self.line)
            self._position = self._counted = len(self._text)
            if not self._more(_PIECE):
                return
        self._position = end.end()

    def row(self) -> RawRow | BadRow:
        """The row of the value that begins here; go behind it.

        Raises:
            NotJson: no JSON value begins here.
            _TooLong: it has more characters than a row may have.
        """
        try:
            start, value, end = self._value(self._scan)
        except KeyTwice as exc:
            _, _, self._position = self._value(self._scan_any)
            self.at_start = False
            return unread_row(self.line, exc)
        self.at_start = False
        self._position = end
        if _ESCAPED.search(self._text, start, end):
            return BadRow(self.line, "not_utf8", "not UTF-8")
        return object_row(self.line, value)

    def undecoded_line(self) -> int | None:
        """The line of the next byte that is no UTF-8, if one is near."""
        found = _ESCAPED.search(self._text, self._position, self._position + _PIECE)
        return self.line + len(_LINE_END.findall(self._text, self._position, found.start())) if found else None

    def _value(self, scan: Callable[[str, int], tuple[Any, int]]) -> tuple[int, Any, int]:
        piece = _PIECE
        while True:
            try:
                value, end = scan(self._text, self._position)
            except json.JSONDecodeError as exc:
                is_cut = exc.msg.startswith("Unterminated") or exc.pos > len(self._text) - _LONGEST_WORD
                if not is_cut or self._ended:
                    raise NotJson(exc.msg) from None
            except (ValueError, RecursionError) as exc:
                raise not_json(exc) from None
            else:
                # A number may go on in the next piece.
                if end < len(self._text) or self._ended:
                    check_nesting(value, brackets(self._text, self._position, end))
                    return self._position, value, end
            if len(self._text) - self._position > raw_rows.MAX_LINE_BYTES:
                raise _TooLong
            # Twice as much each time: what is read again and again stays within twice the row.
            self._more(piece)
            piece = min(2 * piece, raw_rows.MAX_LINE_BYTES)

    def _more(self, size: int) -> bool:
        """Read on; false at the end."""
        if self._ended:
            return False
        self._count()
        found = self._stream.read(size)
        self._ended = not found
        if found.endswith(b"\r"):
            found += self._stream.read(1)  # a line feed that belongs to it
        if self._is_first:
            found, self._is_first = without_bom(found, self.where), False
        self._text = self._text[self._position :] + self._decode(found, self._ended)
        self._position = self._counted = 0
        return not self._ended or bool(self._text)

    def _count(self) -> None:
        start, end = self._counted, self._position
        lines = self._text.count("\n", start, end)
        if returns := self._text.count("\r", start, end):
            lines += returns - self._text.count("\r\n", start, end)
        self.line += lines
        self._counted = end
