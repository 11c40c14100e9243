"""Files whose bytes are not the text that one expects: line ends, encodings, NUL bytes, emptiness."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hostile.source_case import (
    ADA,
    ERROR,
    GOOD,
    PALACE,
    PARIS,
    SPA,
    Case,
    Kept,
    around,
    array,
    file_case,
    line,
    lines,
    rewriting,
    table,
)

BOM = b"\xef\xbb\xbf"
EITHER = (Kept(4), Kept(3, 1))
CHINESE = (SPA, PALACE)


def _line_ends() -> Iterable[Case]:
    kind = "line ends"
    yield file_case(kind, "cr-only-en.jsonl", lines(PARIS, ADA, end=b"\r"), Kept(2), good=(PARIS, ADA))
    yield file_case(kind, "cr-only-zh.jsonl", lines(*CHINESE, PARIS, end=b"\r"), Kept(3), good=(*CHINESE, PARIS))
    yield file_case(kind, "cr-only-with-a-bad-row.jsonl", lines(PARIS, b"{", SPA, ADA, end=b"\r"), Kept(3, 1))
    yield file_case(kind, "cr-only-zh.csv", table(*GOOD, end="\r"), Kept(3))
    yield file_case(kind, "cr-only.tsv", table(*GOOD, delimiter="\t", end="\r"), Kept(3))
    yield file_case(kind, "cr-only-array.json", array(*GOOD).replace(b"\n", b"\r"), Kept(3))
    yield file_case(kind, "cr-only-lines-zh.json", lines(*GOOD, end=b"\r"), Kept(3))
    yield file_case(kind, "crlf.jsonl", lines(*GOOD, end=b"\r\n"), Kept(3))
    mixed = lines(PARIS) + lines(SPA, end=b"\r\n") + lines(PALACE, end=b"\r") + lines(ADA)
    yield file_case(kind, "mixed.jsonl", mixed, Kept(4), good=(*GOOD, PALACE))
    yield file_case(
        kind, "mixed-zh.json", b"\r".join(map(line, CHINESE)) + b"\r\n" + lines(PARIS), Kept(3), good=(*CHINESE, PARIS)
    )
    ends = table(PARIS, end="\r\n") + table(SPA, end="\r").split(b"\r", 1)[1] + table(ADA).split(b"\n", 1)[1]
    yield file_case(kind, "mixed.csv", ends, Kept(3))
    inside = line(PALACE).replace(b", ", b",\r ")
    yield file_case(kind, "cr-as-space-inside-a-row.jsonl", around(inside), Kept(4), good=(*GOOD, PALACE))
    inside = line(PALACE).replace(b": ", b"\r:\r\r ")
    yield file_case(kind, "cr-as-space-zh.json", around(inside), Kept(4), good=(*GOOD, PALACE))
    other = rewriting("他\u2028呢\u0085？", "曹操呢？", "谁\u2029？")
    yield file_case(kind, "unicode-line-ends-in-strings-zh.jsonl", around(other), Kept(4))
    yield file_case(
        kind,
        "unicode-line-ends-in-cells.csv",
        table(PARIS, rewriting("And\u2028him\u0085?", "And Bob?", "Who\x0b?\x0c"), SPA, ADA),
        Kept(4),
    )
    yield file_case(
        kind,
        "many-blank-lines.jsonl",
        b"\n \r\n" * 1000 + lines(PARIS) + b"\n" * 1000 + lines(SPA, ADA) + b"\t\n",
        Kept(3),
    )


def _encodings() -> Iterable[Case]:
    kind = "encodings"
    known = (ERROR, Kept(3))
    text = lines(*GOOD).decode()
    yield file_case(kind, "utf16-le-bom.jsonl", b"\xff\xfe" + text.encode("utf-16-le"), *known)
    yield file_case(kind, "utf16-be-bom-zh.jsonl", b"\xfe\xff" + text.encode("utf-16-be"), *known)
    yield file_case(kind, "utf16-le-bom-array.json", b"\xff\xfe" + array(*GOOD).decode().encode("utf-16-le"), *known)
    yield file_case(kind, "utf16-le-bom-zh.csv", b"\xff\xfe" + table(*GOOD).decode().encode("utf-16-le"), *known)
    yield file_case(
        kind, "utf16-be-bom.tsv", b"\xfe\xff" + table(*GOOD, delimiter="\t").decode().encode("utf-16-be"), *known
    )
    yield file_case(kind, "utf16-le-no-bom.jsonl", text.encode("utf-16-le"), *known)
    yield file_case(
        kind,
        "utf16-be-no-bom-zh.jsonl",
        lines(*CHINESE, PARIS).decode().encode("utf-16-be"),
        *known,
        good=(*CHINESE, PARIS),
    )
    yield file_case(kind, "utf16-le-no-bom-zh.csv", table(*GOOD).decode().encode("utf-16-le"), *known)
    yield file_case(kind, "utf16-no-bom-array.json", array(*GOOD).decode().encode("utf-16-le"), *known)
    yield file_case(kind, "utf32-bom.jsonl", text.encode("utf-32"), *known)
    yield file_case(kind, "utf8-bom-en.jsonl", BOM + lines(PARIS, ADA), Kept(2), good=(PARIS, ADA))
    yield file_case(kind, "utf8-bom-zh.csv", BOM + table(*GOOD), Kept(3))
    yield file_case(
        kind, "utf8-bom-quoted-header.csv", BOM + table(*GOOD).replace(b"history", b'"history"', 1), Kept(3)
    )
    yield file_case(kind, "utf8-bom.tsv", BOM + table(*GOOD, delimiter="\t"), Kept(3))
    yield file_case(kind, "utf8-bom-array-zh.json", BOM + b"\n" + array(*GOOD), Kept(3))
    yield file_case(
        kind, "utf8-bom-twice.jsonl", BOM + lines(PARIS) + BOM + lines(SPA, ADA), Kept(3), Kept(2, 1), good=(PARIS, ADA)
    )
    yield file_case(kind, "utf8-bom-only.jsonl", BOM, ERROR)
    mixed = b"".join(row.encode("gb18030") for row in lines(PARIS, SPA, ADA, PALACE).decode().splitlines(keepends=True))
    yield file_case(kind, "gb18030-with-english-rows.jsonl", mixed, Kept(2, 2, (2, 4)), good=(PARIS, ADA))
    yield file_case(kind, "gb18030-only-zh.jsonl", lines(*CHINESE).decode().encode("gb18030"), ERROR)
    yield file_case(kind, "gb18030-only-zh.csv", table(*CHINESE).decode().encode("gb18030"), ERROR)
    yield file_case(kind, "gb18030-array-zh.json", array(*CHINESE).decode().encode("gb18030"), ERROR)
    yield file_case(
        kind,
        "gb18030-one-row-zh.tsv",
        table(
            PARIS, table(PALACE, delimiter="\t").split(b"\n", 1)[1].decode().encode("gb18030"), SPA, ADA, delimiter="\t"
        ),
        Kept(3, 1, (3,)),
    )
    header = "备注".encode("gb18030")
    yield file_case(
        kind,
        "gb18030-header-zh.csv",
        table(*GOOD).replace(b"\n", b",x\n").replace(b",x", b"," + header, 1),
        ERROR,
        Kept(3),
    )
    yield file_case(kind, "latin1-row.jsonl", around('{"query": "Où est-il né ?"}'.encode("latin-1")), Kept(3, 1, (2,)))
    yield file_case(kind, "latin1-row.csv", table(PARIS, b'"[""Qui?""]",O\xf9 ?,x\n', SPA, ADA), Kept(3, 1, (3,)))
    yield file_case(kind, "overlong-utf8.jsonl", around(b'{"query": "\xc0\xae\xc0\xae"}'), Kept(3, 1, (2,)))


def _control() -> Iterable[Case]:
    kind = "control characters"
    zeros = rewriting("他\0呢？", "曹操\0呢？", "\0谁？")
    yield file_case(kind, "nul-escaped-zh.jsonl", around(json.dumps(zeros).encode()), Kept(4))
    yield file_case(kind, "nul-raw-in-string.jsonl", around(line(PALACE).replace("他".encode(), b"\0")), *EITHER)
    yield file_case(kind, "nul-between-rows-zh.jsonl", around(b"\0" * 512), Kept(3), Kept(3, 1))
    yield file_case(kind, "nul-padded-end.jsonl", lines(*GOOD) + b"\0" * 4096, Kept(3), Kept(3, 1))
    yield file_case(kind, "nul-before-row.jsonl", around(b"\0" * 16 + line(PALACE)), *EITHER)
    yield file_case(kind, "nul-in-cell-zh.csv", table(PARIS, zeros, SPA, ADA), *EITHER)
    yield file_case(kind, "nul-in-header.csv", table(*GOOD).replace(b"rewrite\n", b"rewrite\0\n", 1), ERROR, Kept(3))
    yield file_case(kind, "nul-padded-end.csv", table(*GOOD) + b"\0" * 4096, Kept(3), Kept(3, 1))
    yield file_case(kind, "nul-only.jsonl", b"\0" * 10_000, ERROR)
    yield file_case(kind, "nul-only.json", b"\0" * 10_000, ERROR)
    yield file_case(kind, "nul-only.csv", b"\0" * 10_000, ERROR)
    yield file_case(kind, "nul-after-array-zh.json", array(*GOOD) + b"\0" * 512, ERROR, Kept(3), Kept(3, 1))
    yield file_case(
        kind,
        "escape-sequences-in-role.jsonl",
        around(rb'{"messages": [{"role": "\u001b[31m\u202eresu", "content": "x"}]}'),
        Kept(3, 1, (2,)),
    )
    yield file_case(kind, "escape-sequences-in-header-zh.csv", b"\x1b[2J,\xe2\x80\xae\x07\n1,2\n", ERROR)
    yield file_case(
        kind, "delete-and-c1-zh.jsonl", around(rewriting("他\x7f\u009b31m呢？", "曹操呢？", "谁？")), Kept(4)
    )
    yield file_case(kind, "random-bytes.jsonl", bytes(range(256)) * 40, ERROR)
    yield file_case(kind, "random-bytes.csv", bytes(range(255, -1, -1)) * 40, ERROR)


def _empty() -> Iterable[Case]:
    kind = "empty"
    for suffix in ("jsonl", "json", "csv", "tsv"):
        yield file_case(kind, f"empty.{suffix}", b"", ERROR)
        yield file_case(kind, f"whitespace-only.{suffix}", b" \n\t\r\n\n  ", ERROR)
    yield file_case(kind, "ideographic-spaces-only-zh.jsonl", "\u3000\n\u3000".encode(), ERROR)
    yield file_case(kind, "line-breaks-only.json", b"\n" * 100_000, ERROR)


CASES = (*_line_ends(), *_encodings(), *_control(), *_empty())
