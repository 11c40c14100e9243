"""Rows with values that are hard to hold: lone surrogates, deep nesting, odd numbers, great size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hostile.source_case import (
    ADA,
    ERROR,
    MIB,
    PALACE,
    PARIS,
    SPA,
    Case,
    Kept,
    around,
    array,
    escaped,
    file_case,
    line,
    lines,
    rewriting,
    table,
)

ENGLISH, CHINESE, FIFTY = b"How old is it? ", "他几岁？".encode() + b"   ", 50 * MIB // 15
HIGH, LOW = "\ud83d", "\udc00"
EITHER = (Kept(4), Kept(3, 1))
"""The row may be used or not, but it is one row of the books."""


def extended(raw: bytes, row: dict[str, Any] = PALACE) -> bytes:
    """``row`` with one more member, which is written as it stands."""
    return line(row)[:-1] + b", " + raw + b"}"


def dialogue(**turn: Any) -> dict[str, Any]:
    """A dialogue of three turns; ``turn`` changes the last."""
    return {
        "messages": [
            {"role": "user", "content": "故宫是谁建的？"},
            {"role": "assistant", "content": "明成祖朱棣。"},
            {"role": "user", "content": "他什么时候登基的？", **turn},
        ]
    }


def _called(arguments: Any) -> dict[str, Any]:
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": arguments}}
    turns = dialogue()["messages"]
    answer = {"role": "tool", "tool_call_id": "1", "content": "1402"}
    return {"messages": [*turns, {"role": "assistant", "content": "", "tool_calls": [call]}, answer]}


def _deep(levels: int, opening: bytes = b"[", closing: bytes = b"]", inside: bytes = b"1") -> bytes:
    return opening * levels + inside + closing * levels


def _objects(levels: int) -> bytes:
    return _deep(levels, b'{"a":', b"}")


def _placed(row: dict[str, Any], value: bytes) -> bytes:
    """``row`` with ``value`` where it says HERE."""
    return line(row).replace(b'"HERE"', value)


def _surrogates() -> Iterable[Case]:
    kind = "surrogates"
    here = rewriting(f"How {HIGH} old is it?", f"How old {HIGH} is Rome?", "Tell me about Rome.")
    jumbled = rewriting(f"他{LOW}{HIGH}几岁？", "曹操几岁？", f"曹操{HIGH}是谁？")
    yield file_case(kind, "surrogate-ignored-key-en.jsonl", around(escaped({**PALACE, HIGH: 1})), Kept(4))
    yield file_case(
        kind, "surrogate-ignored-key-zh.json", array(PARIS, escaped({**PALACE, f"键{LOW}": 1}), SPA, ADA), Kept(4)
    )
    yield file_case(kind, "surrogate-only-keys-en.jsonl", around(escaped({HIGH: "x", LOW: "y"})), Kept(3, 1, (2,)))
    yield file_case(
        kind, "surrogate-only-keys-zh.json", array(PARIS, escaped({f"问题{LOW}": "x"}), SPA, ADA), Kept(3, 1, (3,))
    )
    yield file_case(
        kind, "surrogate-nested-key.jsonl", around(escaped({**PALACE, "meta": {LOW: {HIGH: [{LOW: 1}]}}})), Kept(4)
    )
    yield file_case(kind, "surrogate-key-of-turn.jsonl", around(escaped(dialogue(**{HIGH: LOW}))), Kept(4))
    yield file_case(kind, "surrogate-values-en.jsonl", around(escaped(here)), Kept(4))
    yield file_case(kind, "surrogate-values-zh.json", array(PARIS, escaped(jumbled), SPA, ADA), Kept(4))
    yield file_case(kind, "surrogate-role.jsonl", around(escaped(dialogue(role=f"user{HIGH}"))), Kept(3, 1, (2,)))
    yield file_case(kind, "surrogate-language.jsonl", around(escaped({**PALACE, "lang": HIGH})), Kept(3, 1, (2,)))
    names = {"id": HIGH, "dialogue": f"d{LOW}", "domain": f"旅游{HIGH}"}
    yield file_case(kind, "surrogate-id-dialogue-domain.jsonl", around(escaped({**PALACE, **names})), Kept(4))
    yield file_case(kind, "surrogate-tool-arguments.jsonl", around(escaped(_called({HIGH: LOW}))), Kept(4))
    yield file_case(
        kind, "surrogate-tool-arguments-as-text.jsonl", around(escaped(_called('{"\\ud800": "\\udfff"}'))), Kept(4)
    )
    yield file_case(kind, "surrogate-bytes-value.jsonl", around(extended(b'"note": "\xed\xa0\x80"')), Kept(3, 1, (2,)))
    yield file_case(
        kind, "surrogate-bytes-key-zh.jsonl", around(extended(b'"\xed\xa0\xbd\xed": "x"')), Kept(3, 1, (2,))
    )
    header = table(PARIS, SPA, ADA).replace(b"\n", b",x\n").replace(b",x", b",\xed\xa0\x80", 1)
    yield file_case(kind, "surrogate-bytes-header.csv", header, ERROR, Kept(3))
    cells = '"[""\\ud800\\udfff"", ""曹操""]",他呢？,曹操呢？\n'.encode()
    yield file_case(kind, "surrogate-history-cell.csv", table(PARIS, cells, SPA, ADA), Kept(4))
    yield file_case(
        kind, "surrogate-keys-and-nothing-else.jsonl", lines(escaped({HIGH: 1}), escaped({f"键{LOW}": 1})), ERROR
    )


def _nesting() -> Iterable[Case]:
    kind = "nesting"
    turn = dialogue(content="HERE")
    cut = 'he said "' + "[" * 3000
    yield file_case(kind, "deep-100-lists.jsonl", around(extended(b'"x": ' + _deep(100))), Kept(4))
    yield file_case(
        kind, "deep-100-objects-zh.json", array(PARIS, extended('"键": '.encode() + _objects(100)), SPA, ADA), Kept(4)
    )
    yield file_case(kind, "deep-960-lists.jsonl", around(extended(b'"x": ' + _deep(960))), *EITHER)
    yield file_case(kind, "deep-5000-objects.jsonl", around(extended(b'"x": ' + _objects(5000))), *EITHER)
    yield file_case(kind, "deep-100000-lists.jsonl", around(extended(b'"x": ' + _deep(100_000))), *EITHER)
    yield file_case(
        kind, "deep-100000-objects-zh.jsonl", around(extended('"键": '.encode() + _objects(100_000))), *EITHER
    )
    yield file_case(kind, "deep-100000-lists-unclosed.jsonl", around(b"[" * 100_000), Kept(3, 1, (2,)))
    yield file_case(
        kind, "deep-100000-in-array.json", array(PARIS, extended(b'"x": ' + _deep(100_000)), SPA, ADA), ERROR, *EITHER
    )
    yield file_case(
        kind,
        "deep-100000-objects-in-array-zh.json",
        array(PARIS, extended('"键": '.encode() + _objects(100_000)), SPA, ADA),
        ERROR,
        *EITHER,
    )
    yield file_case(kind, "deep-940-message-lists.jsonl", around(_placed(turn, _deep(940))), *EITHER)
    yield file_case(kind, "deep-900-message-objects-zh.jsonl", around(_placed(turn, _objects(900))), *EITHER)
    yield file_case(kind, "deep-50000-message.jsonl", around(_placed(turn, _deep(50_000))), *EITHER)
    yield file_case(
        kind, "deep-history.jsonl", around(_placed(rewriting("他呢？", "曹操呢？", "HERE"), _deep(930))), *EITHER
    )
    yield file_case(kind, "deep-940-tool-arguments.jsonl", around(_placed(_called("HERE"), _objects(940))), *EITHER)
    yield file_case(kind, "deep-100-tool-arguments.jsonl", around(_placed(_called("HERE"), _objects(100))), Kept(4))
    for levels in (960, 100_000):
        text = _objects(levels).decode()
        yield file_case(kind, f"deep-{levels}-tool-arguments-as-text.jsonl", around(_called(text)), *EITHER)
    yield file_case(
        kind,
        "deep-100000-tool-arguments-as-text-zh.json",
        array(PARIS, _called(_deep(100_000).decode()), SPA, ADA),
        *EITHER,
    )
    tools = {**_called({"a": 1}), "tools": "HERE"}
    yield file_case(kind, "deep-930-tools.jsonl", around(_placed(tools, _deep(930))), *EITHER)
    yield file_case(kind, "deep-tools-as-text.jsonl", around({**tools, "tools": _deep(100_000).decode()}), *EITHER)
    deep_cell = b'"' + _deep(100_000) + '",他呢？,曹操呢？\n'.encode()
    yield file_case(kind, "deep-100000-history-cell.csv", table(PARIS, deep_cell, SPA, ADA), *EITHER)
    yield file_case(
        kind, "deep-quoted-brackets.jsonl", around(rewriting("What did he say?", "What did Bob say?", cut)), Kept(4)
    )


def _numbers() -> Iterable[Case]:
    kind = "numbers"
    digits = b"1" * 5000
    yield file_case(kind, "nan-ignored.jsonl", around(extended(b'"score": NaN')), *EITHER)
    yield file_case(
        kind, "infinity-ignored-zh.json", array(PARIS, extended('"分数": -Infinity'.encode()), SPA, ADA), ERROR, *EITHER
    )
    yield file_case(kind, "nan-query.jsonl", around(b'{"query": NaN, "history": []}'), Kept(3, 1, (2,)))
    yield file_case(kind, "nan-id.jsonl", around(extended(b'"id": NaN')), *EITHER)
    yield file_case(kind, "digits-5000-ignored.jsonl", around(extended(b'"n": ' + digits)), *EITHER)
    yield file_case(
        kind,
        "digits-5000-in-array-zh.json",
        array(PARIS, extended('"编号": '.encode() + digits), SPA, ADA),
        ERROR,
        *EITHER,
    )
    yield file_case(kind, "digits-5000-id.jsonl", around(extended(b'"id": ' + digits)), *EITHER)
    yield file_case(kind, "digits-4000-id.jsonl", around(extended(b'"id": ' + digits[:4000])), *EITHER)
    yield file_case(kind, "digits-4000-language.jsonl", around(extended(b'"lang": ' + digits[:4000])), Kept(3, 1, (2,)))
    yield file_case(
        kind, "digits-5000-history-cell.csv", table(PARIS, b"[" + digits + b"],x,y\n", SPA, ADA), Kept(3, 1)
    )
    yield file_case(kind, "1e400-ignored.jsonl", around(extended(b'"n": 1e400')), *EITHER)
    yield file_case(kind, "1e400-id-zh.json", array(PARIS, extended(b'"id": -1e400'), SPA, ADA), ERROR, *EITHER)
    yield file_case(kind, "1e400-query.jsonl", around(b'{"query": 1e400}'), Kept(3, 1, (2,)))


def _size() -> Iterable[Case]:
    kind = "size"
    heavy = {"heavy": True, "seconds": 30}
    yield file_case(
        kind,
        "huge-ignored-value.jsonl",
        lambda: [around(extended(b'"x": "' + ENGLISH * FIFTY + b'"'))],
        Kept(4),
        **heavy,
    )
    yield file_case(
        kind,
        "huge-ignored-value-zh.json",
        lambda: [array(PARIS, extended(b'"x": "' + CHINESE * FIFTY + b'"'), SPA, ADA)],
        Kept(4),
        **heavy,
    )
    yield file_case(
        kind,
        "huge-query.jsonl",
        lambda: [around(_placed(rewriting("HERE", "x", "y"), b'"' + ENGLISH * FIFTY + b'"'))],
        *EITHER,
        **heavy,
    )
    yield file_case(
        kind,
        "huge-history-zh.jsonl",
        lambda: [around(_placed(rewriting("他呢？", "曹操呢？", "HERE"), b'"' + CHINESE * FIFTY + b'"'))],
        *EITHER,
        **heavy,
    )
    yield file_case(
        kind,
        "huge-rewrite-zh.json",
        lambda: [array(PARIS, _placed(rewriting("他呢？", "HERE", "谁？"), b'"' + CHINESE * FIFTY + b'"'), SPA, ADA)],
        *EITHER,
        **heavy,
    )
    yield file_case(
        kind,
        "huge-role.jsonl",
        lambda: [around(_placed(dialogue(role="HERE"), b'"' + ENGLISH * FIFTY + b'"'))],
        Kept(3, 1, (2,)),
        **heavy,
    )
    yield file_case(
        kind, "huge-key-zh.jsonl", lambda: [around(b'{"' + CHINESE * FIFTY + b'": 1}')], Kept(3, 1, (2,)), **heavy
    )
    yield file_case(
        kind, "huge-id.jsonl", lambda: [around(extended(b'"id": "' + ENGLISH * FIFTY + b'"'))], *EITHER, **heavy
    )
    endless = [b"x" * MIB] * 200
    yield file_case(
        kind,
        "endless-line-in-the-middle.jsonl",
        lambda: [lines(PARIS), *endless, b"\n", lines(SPA, ADA)],
        Kept(3, 1, (2,)),
        **heavy,
    )
    yield file_case(
        kind,
        "endless-line-at-the-end-zh.jsonl",
        lambda: [lines(PARIS, SPA, ADA), *["长".encode() * (MIB // 3)] * 200],
        Kept(3, 1, (4,)),
        **heavy,
    )
    yield file_case(kind, "endless-line-alone.json", lambda: [b'"', *endless], ERROR, **heavy)
    yield file_case(kind, "endless-array.json", lambda: [b"[", *[b"1," * (MIB // 2)] * 100], ERROR, **heavy)
    yield file_case(kind, "a-million-keys.jsonl", lambda: [around(extended(_wide()))], *EITHER, **heavy)
    yield file_case(
        kind, "a-million-keys-and-no-query-zh.jsonl", lambda: [around(b"{" + _wide() + b"}")], Kept(3, 1, (2,)), **heavy
    )


def _wide() -> bytes:
    return b",".join(b'"k%d": 1' % number for number in range(1_000_000))


CASES = (*_surrogates(), *_nesting(), *_numbers(), *_size())
