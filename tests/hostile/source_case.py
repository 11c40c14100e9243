"""What a hostile source file is: how it is made, and what whoever builds from it should see."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
Content = bytes | Callable[[], Iterable[bytes]]

MIB = 1024 * 1024


def rewriting(query: str, rewrite: str, *history: str, **more: Any) -> dict[str, Any]:
    """A rewriting row."""
    return {"history": list(history), "query": query, "rewrite": rewrite, **more}


PARIS = rewriting("How old is it?", "How old is Paris?", "Tell me about Paris.", "Paris is nice.")
SPA = rewriting("门票多少？", "小汤山镇门票多少？", "小汤山镇在哪？", "在北京昌平。")
ADA = rewriting("Where was she born?", "Where was Ada Lovelace born?", "Who was Ada Lovelace?")
PALACE = rewriting("他什么时候登基的？", "朱棣什么时候登基的？", "故宫是谁建的？", "明成祖朱棣。")
GOOD = (PARIS, SPA, ADA)
FIELDS = ("history", "query", "rewrite")


@dataclass(frozen=True)
class Kept:
    """The build succeeds and its books show these rows. ``lines``: where the failed rows start, if it is certain."""

    kept: int
    failed: int = 0
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.kept} kept, {self.failed} failed"


@dataclass(frozen=True)
class ClearError:
    """Exit 1 or 2; stderr is one paragraph that begins with ``error: `` and names the file."""

    def __str__(self) -> str:
        return "one clear error"


Outcome = Kept | ClearError
ERROR = ClearError()


@dataclass(frozen=True)
class Case:
    """One source. ``make`` writes files into an empty folder and gives the ``path`` for the build file.

    ``good`` are the rows that must be among the tasks of a build that succeeds; ``named`` is what an error must say, by
    default the name of the file; ``during`` is called with the reader's process id and the folder while it reads.
    ``heavy`` cases take seconds or much memory: the benchmark has them, the tests have not.
    """

    name: str
    kind: str
    make: Callable[[Path], str]
    expected: tuple[Outcome, ...]
    good: Sequence[Row] = field(default=GOOD, repr=False)
    named: str | None = None
    seconds: int = 20
    heavy: bool = False
    during: Callable[[int, Path], None] | None = None


def file_case(kind: str, file: str, content: Content, *expected: Outcome, **more: Any) -> Case:
    """A case of one file; the file's name is the case's."""

    def make(folder: Path) -> str:
        return str(write(folder / file, content))

    return Case(file, kind, make, expected, **more)


def write(path: Path, content: Content) -> Path:
    """Write ``content``, piece by piece where it is made so."""
    with path.open("wb") as out:
        for piece in [content] if isinstance(content, bytes) else content():
            out.write(piece)
    return path


def lines(*rows: Row | bytes, end: bytes = b"\n") -> bytes:
    """Rows as JSON Lines; bytes stand for themselves."""
    return b"".join(line(row) + end for row in rows)


def line(row: Row | bytes) -> bytes:
    """One row as JSON, without a line break."""
    return row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()


def escaped(row: Row) -> bytes:
    """One row as JSON in ASCII: lone surrogates become escapes."""
    return json.dumps(row).encode()


def array(*rows: Row | bytes) -> bytes:
    """Rows as a JSON array."""
    return b"[\n" + b",\n".join(map(line, rows)) + b"\n]\n"


def around(*bad: Row | bytes) -> bytes:
    """JSON Lines: one good row, the bad ones, two good rows."""
    return lines(PARIS, *bad, SPA, ADA)


def cell(value: object, delimiter: str = ",") -> str:
    """One cell, quoted where it must be."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    quoted = any(mark in text for mark in (delimiter, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if quoted else text


def record(row: Row | bytes, delimiter: str = ",", end: str = "\n") -> bytes:
    """One row as a record of a table; bytes stand for themselves."""
    if isinstance(row, bytes):
        return row
    return (delimiter.join(cell(row[name], delimiter) for name in FIELDS) + end).encode()


def table(*rows: Row | bytes, delimiter: str = ",", end: str = "\n") -> bytes:
    """Rows as CSV or TSV under a header."""
    head = (delimiter.join(FIELDS) + end).encode()
    return head + b"".join(record(row, delimiter, end) for row in rows)


def gz(content: bytes) -> bytes:
    """One gzip member, the same bytes at any time."""
    return gzip.compress(content, mtime=0)
