"""JSON Lines: one row per line. Lines may also end in a carriage return alone, as old spreadsheets write them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial
from typing import IO

from pairwright.pipelines.ingest import raw_rows
from pairwright.pipelines.ingest.raw_rows import BadRow, RawRow, empty_lines, endless, json_row, too_long, without_bom


def read_json_lines(stream: IO[bytes], where: str) -> Iterator[RawRow | BadRow]:
    """Yield one row per non-empty line of ``stream``; ``where`` names it in errors.

    Raises:
        SourceError: the text is UTF-16, a line does not end, or more than a million empty lines follow one another.
    """
    most, number, empty = raw_rows.MAX_LINE_BYTES, 0, 0
    for line in iter(partial(stream.readline, most), b""):
        number += 1
        if number == 1:
            line = without_bom(line, where)
        whole = line.endswith(b"\n") or len(line) < most
        if not whole:
            number = yield from _pieces(stream, line, where, number)
        elif line.strip():
            empty = 0
            number = yield from _rows(line, number)
        else:
            empty += 1
            if empty > raw_rows.MAX_EMPTY_LINES:
                raise empty_lines(where, number)


def _rows(line: bytes, number: int) -> Generator[RawRow | BadRow, None, int]:
    """The row of a line; its rows, if it is no JSON as a whole and a carriage return divides it. Returns the last number."""
    row = json_row(number, line)
    if isinstance(row, RawRow) or b"\r" not in line.strip():
        yield row
        return number
    parts = line.removesuffix(b"\n").removesuffix(b"\r").split(b"\r")
    if not any(isinstance(json_row(number, part), RawRow) for part in parts):
        yield row
        return number
    for number, part in enumerate(parts, start=number):  # noqa: B020
        if part.strip():
            yield json_row(number, part)
    return number


def _pieces(stream: IO[bytes], text: bytes, where: str, number: int) -> Generator[RawRow | BadRow, None, int]:
    """The rows of more text than one row may have, that ends with the next line feed. Returns the last number."""
    most, over, skipped = raw_rows.MAX_LINE_BYTES, False, 0
    while True:
        *parts, rest = text.split(b"\r")
        for part in parts:
            if over:
                over = False
                yield too_long(number)
            elif part.strip():
                yield json_row(number, part)
            number += 1
        if rest.endswith(b"\n"):
            break
        if over or len(rest) > most:
            skipped = skipped + len(rest) if over else len(rest)
            rest, over = b"", True
        if skipped > raw_rows.MAX_ENDLESS_BYTES:
            raise endless(where, number)
        more = stream.readline(most)
        if not more:
            break
        text = rest + more
    if over:
        yield too_long(number)
    elif rest.strip():
        yield json_row(number, rest)
    return number
