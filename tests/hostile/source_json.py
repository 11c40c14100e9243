"""JSON Lines and JSON files that are not quite what they should be."""

from __future__ import annotations

import json
from collections.abc import Iterable

from hostile.source_case import (
    ADA,
    ERROR,
    PALACE,
    PARIS,
    SPA,
    Case,
    Kept,
    around,
    array,
    file_case,
    gz,
    line,
    lines,
)
from hostile.source_values import EITHER, dialogue, extended


def _arrays() -> Iterable[Case]:
    kind = "arrays"
    first, second = array(PARIS, SPA), array(ADA, PALACE)
    four = (PARIS, SPA, ADA, PALACE)
    pretty = json.dumps(PALACE, ensure_ascii=False, indent=2).encode()
    many = lines(*(json.dumps(row, ensure_ascii=False, indent=2).encode() for row in four[:3]))
    yield file_case(kind, "two-arrays.json", first + second, ERROR, Kept(4), good=four)
    yield file_case(
        kind,
        "two-arrays-on-one-line-zh.json",
        array(SPA, PALACE).strip() + array(PARIS),
        ERROR,
        Kept(3),
        good=(SPA, PALACE, PARIS),
    )
    yield file_case(kind, "array-then-objects.json", first + lines(ADA, PALACE), ERROR, Kept(4), good=four)
    yield file_case(
        kind,
        "array-then-objects-zh.json.gz",
        gz(array(SPA) + lines(PALACE, PARIS)),
        ERROR,
        Kept(3),
        good=(SPA, PALACE, PARIS),
    )
    yield file_case(kind, "array-then-garbage.json", array(*four[:3]) + b"<html>oops</html>\n", ERROR, Kept(3, 1))
    yield file_case(kind, "array-then-bracket.json", array(*four[:3]) + b"]", ERROR, Kept(3, 1))
    yield file_case(
        kind,
        "objects-then-array.json",
        lines(PARIS, SPA) + array(ADA),
        ERROR,
        Kept(3),
        Kept(2, 1),
        Kept(3, 2),
        good=(PARIS, SPA),
    )
    yield file_case(
        kind,
        "arrays-in-lines.jsonl",
        lines(PARIS, array(ADA, PALACE).replace(b"\n", b""), SPA),
        Kept(2, 1, (2,)),
        Kept(2, 2),
        Kept(4),
        good=(PARIS, SPA),
    )
    yield file_case(kind, "array-in-jsonl.jsonl", array(*four[:3]), ERROR, Kept(3), Kept(1, 4), good=())
    yield file_case(kind, "array-in-jsonl-on-one-line-zh.jsonl", array(*four).replace(b"\n", b""), ERROR, Kept(4))
    yield file_case(kind, "two-objects.json", many, ERROR, Kept(3))
    yield file_case(kind, "one-object-zh.json", pretty, ERROR, Kept(1), good=(PALACE,))
    yield file_case(kind, "rows-under-a-key.json", b'{"data": ' + array(*four) + b"}", ERROR, Kept(4), good=four)
    yield file_case(kind, "trailing-comma.json", array(*four[:3]).replace(b"\n]", b",\n]"), ERROR, Kept(3))
    yield file_case(
        kind,
        "double-comma-zh.json",
        array(PARIS, SPA).replace(b",\n", b",,\n"),
        ERROR,
        Kept(2),
        Kept(2, 1),
        good=(PARIS, SPA),
    )
    yield file_case(kind, "leading-comma.json", array(*four[:3]).replace(b"[\n", b"[,\n"), ERROR, Kept(3), Kept(3, 1))
    yield file_case(
        kind, "missing-comma.json", array(PARIS, SPA).replace(b",\n", b"\n"), ERROR, Kept(2), good=(PARIS, SPA)
    )
    yield file_case(
        kind,
        "comment-in-array.json",
        array(*four[:3]).replace(b"[\n", b"[ // \xe6\xb3\xa8\xe9\x87\x8a\n"),
        ERROR,
        Kept(3),
    )
    yield file_case(kind, "truncated-array.json", array(*four[:3])[:-30], ERROR)
    yield file_case(kind, "truncated-array-after-comma-zh.json", array(SPA, PALACE)[:-3] + b",", ERROR)
    yield file_case(kind, "truncated-array-inside-character-zh.json", array(PARIS, SPA)[:-6], ERROR)
    yield file_case(kind, "empty-array.json", b"[]\n", ERROR)
    yield file_case(kind, "null.json", b"null\n", ERROR)
    yield file_case(
        kind, "array-of-scalars.json", array(PARIS, b"1", b"null", b'"\xe4\xbd\xa0"', b"[]", SPA, ADA), Kept(3, 4)
    )
    yield file_case(
        kind, "no-break-space-between-rows.json", array(*four[:3]).replace(b",\n", ",\u00a0\n".encode()), ERROR, Kept(3)
    )


def _lines() -> Iterable[Case]:
    kind = "lines"
    pretty = json.dumps(PALACE, ensure_ascii=False, indent=2).encode()
    four = (PARIS, PALACE, SPA, ADA)
    yield file_case(
        kind, "two-objects-on-one-line.jsonl", around(line(PALACE) + line(dialogue())), Kept(3, 1), Kept(3, 2), Kept(5)
    )
    yield file_case(
        kind,
        "two-objects-on-one-line-zh.json",
        around(line(PALACE) + b" " + line(dialogue())),
        ERROR,
        Kept(3, 1),
        Kept(3, 2),
        Kept(5),
    )
    pieces = tuple(Kept(3, number) for number in (1, len(pretty.splitlines())))
    yield file_case(kind, "pretty-object-between-lines.jsonl", around(pretty), Kept(4), ERROR, *pieces)
    yield file_case(
        kind,
        "pretty-objects-only-zh.jsonl",
        lines(*[json.dumps(row, ensure_ascii=False, indent=1).encode() for row in four]),
        Kept(4),
        ERROR,
        good=four,
    )
    yield file_case(kind, "truncated-last-line.jsonl", lines(PARIS, SPA, ADA) + line(PALACE)[:50], Kept(3, 1, (4,)))
    yield file_case(
        kind, "truncated-inside-character-zh.jsonl", lines(PARIS, SPA, ADA) + line(PALACE)[:21], Kept(3, 1, (4,))
    )
    yield file_case(kind, "truncated-after-last-row.jsonl", lines(PARIS, SPA, ADA)[:-1], Kept(3))
    yield file_case(kind, "trailing-comma-in-line.jsonl", around(line(PALACE) + b","), Kept(3, 1, (2,)))
    yield file_case(kind, "comment-line-zh.jsonl", around("// 注释".encode(), b"# comment"), Kept(3, 2, (2, 3)))
    yield file_case(kind, "scalars.jsonl", around(b"null", b"true", b"7", b'"\xe4\xbd\xa0"', b"[]", b"{}"), Kept(3, 6))
    yield file_case(kind, "single-quotes.jsonl", around(str(PALACE).encode()), Kept(3, 1, (2,)))
    yield file_case(kind, "bad-escape-zh.jsonl", around(extended(b'"x": "\\x41\\q"')), Kept(3, 1, (2,)))
    yield file_case(kind, "raw-tab-in-string.jsonl", around(extended(b'"x": "a\tb"')), *EITHER)
    yield file_case(
        kind,
        "wrong-types.jsonl",
        around(
            b'{"query": null, "history": 3}',
            b'{"query": []}',
            b'{"query": {"a": 1}, "history": []}',
            b'{"query": "", "history": []}',
            b'{"query": "x", "history": [null, 1]}',
        ),
        Kept(3, 5, (2, 3, 4, 5, 6)),
    )
    twice = b'{"history": ["x"], "query": "How old is it?", "query": "\xe4\xbb\x96\xe5\x91\xa2\xef\xbc\x9f", "rewrite": "y"}'
    yield file_case(kind, "query-twice.jsonl", around(twice), Kept(3, 1, (2,)))
    yield file_case(
        kind, "rewrite-twice-zh.json", array(PARIS, extended('"rewrite": "别的"'.encode()), SPA, ADA), ERROR, Kept(3, 1)
    )
    yield file_case(
        kind,
        "content-twice-in-turn.jsonl",
        around(line(dialogue())[:-3] + b', "content": "other"}]}'),
        Kept(3, 1, (2,)),
    )
    yield file_case(kind, "ignored-key-twice.jsonl", around(extended(b'"x": 1, "x": 2')), *EITHER)
    columns = {"messages": {"role": ["user", "assistant", "user"], "content": ["谁？", "我。"]}}
    yield file_case(kind, "columns-of-unequal-length-zh.jsonl", around(columns), Kept(3, 1, (2,)))
    shorter = {**PALACE, "history": {"role": ["user"], "content": ["Who?", "Me."]}}
    yield file_case(kind, "history-columns-of-unequal-length.json", array(PARIS, shorter, SPA, ADA), Kept(3, 1))
    invalid = lines(b"{", b"not JSON", b'{"a": 1}', '{"\u001b[31m": "红"}'.encode())
    yield file_case(kind, "only-invalid-rows.jsonl", invalid, ERROR)
    yield file_case(kind, "only-invalid-rows-zh.json", array(b"{}", '{"键": 1}'.encode()), ERROR)
    yield file_case(
        kind,
        "only-escape-sequences.jsonl",
        lines(rb'{"\u001b[2J\u202e": 1}', rb'{"messages": [{"role": "\u001b]0;x\u0007", "content": "x"}]}'),
        ERROR,
    )


CASES = (*_arrays(), *_lines())
