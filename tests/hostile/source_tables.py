"""CSV, TSV and Parquet files that are not quite what they should be."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from hostile.source_case import (
    ADA,
    ERROR,
    FIELDS,
    GOOD,
    MIB,
    PALACE,
    PARIS,
    SPA,
    Case,
    Content,
    Kept,
    Outcome,
    file_case,
    record,
    rewriting,
    table,
)

FOUR = (PARIS, SPA, ADA, PALACE)
EITHER = (Kept(4), Kept(3, 1))


def _quotes() -> Iterable[Case]:
    kind = "quotes"
    first = b'"[""Who?""],Where is he?,Where is Bob?\n'
    last = b'"[""Who?""]",Where is he?,"Where is Bob?\n'
    swallowed = (ERROR, Kept(3, 1), Kept(1, 3))
    yield file_case(kind, "quote-unclosed-in-first-cell.csv", table(PARIS, first, SPA, ADA), *swallowed, good=(PARIS,))
    yield file_case(kind, "quote-unclosed-in-last-cell.csv", table(PARIS, last, SPA, ADA), *swallowed, good=(PARIS,))
    chinese = '["谁？"]\t"他在哪？\t曹操在哪？\n'.encode()
    everything = (*swallowed, Kept(4))  # in TSV a quote may also be a mark like any other
    yield file_case(
        kind, "quote-unclosed-zh.tsv", table(PARIS, chinese, SPA, ADA, delimiter="\t"), *everything, good=(PARIS,)
    )
    in_last = '["谁？"]\t他在哪？\t"曹操在哪？\n'.encode()
    yield file_case(
        kind,
        "quote-unclosed-in-last-cell-zh.tsv",
        table(PARIS, in_last, SPA, ADA, delimiter="\t"),
        *everything,
        good=(PARIS,),
    )
    yield file_case(
        kind,
        "quote-unclosed-in-first-row-zh.csv",
        table('["谁？"],"他呢？,曹操呢？\n'.encode(), *GOOD),
        ERROR,
        Kept(3, 1),
        Kept(0, 4),
    )
    cut = table(PARIS, SPA, ADA, b'"[""Who?""]",Where is he?,"Where is Bo')
    yield file_case(kind, "truncated-inside-quotes.csv", cut, ERROR, Kept(3, 1, (5,)))
    cut = table(PARIS, SPA, ADA, '"[""谁？""]",他在哪？,"曹操在'.encode())
    yield file_case(kind, "truncated-inside-quotes-zh.csv", cut, ERROR, Kept(3, 1, (5,)))
    yield file_case(kind, "truncated-inside-row.csv", table(PARIS, SPA, ADA, b'"[""Who?""]",Where'), Kept(3, 1, (5,)))
    yield file_case(kind, "quote-unclosed-in-header.csv", table(*GOOD).replace(b"query", b'"query', 1), ERROR)
    broken = rewriting('He said ""hi""\nand left, why?', "Why did Bob say hi\nand leave?", "Who\nis Bob?")
    yield file_case(kind, "quoted-line-breaks.csv", table(PARIS, broken, b"x\n", SPA, ADA), Kept(4, 1, (6,)))
    after = '"[""谁？""]"x,他在哪？,"曹操"在哪？\n'.encode()
    yield file_case(kind, "text-after-closing-quote-zh.csv", table(PARIS, after, SPA, ADA), *EITHER)
    yield file_case(
        kind, "broken-list-in-cell.csv", table(PARIS, b'"[""Who?"" ""Me.""",x,y\n', SPA, ADA), Kept(3, 1, (3,))
    )
    yield file_case(
        kind,
        "query-begins-with-bracket-zh.csv",
        table(PARIS, rewriting("[笑] 他呢？", "曹操呢？", "谁？"), SPA, ADA),
        Kept(4),
    )


def _columns() -> Iterable[Case]:
    kind = "columns"
    short, long = '["谁？"],他呢？\n'.encode(), b'"[""Who?""]",a,b,c,d,e\n'
    yield file_case(kind, "too-few-columns-zh.csv", table(PARIS, short, SPA, ADA), Kept(3, 1, (3,)))
    yield file_case(kind, "too-many-columns.csv", table(PARIS, long, SPA, ADA), Kept(3, 1, (3,)))
    yield file_case(
        kind,
        "too-few-and-too-many.tsv",
        table(PARIS, b"x\n", b"a\tb\tc\td\n", SPA, ADA, delimiter="\t"),
        Kept(3, 2, (3, 4)),
    )
    yield file_case(
        kind,
        "every-row-has-too-many.csv",
        table(*GOOD).replace(b"\n", b",\n").replace(b"rewrite,", b"rewrite", 1),
        ERROR,
        Kept(3),
    )
    yield file_case(
        kind,
        "empty-columns-at-the-end-zh.csv",
        table(SPA, PALACE).replace(b"\n", b",,\n"),
        ERROR,
        Kept(2),
        good=(SPA, PALACE),
    )
    yield file_case(kind, "header-twice.csv", table(*GOOD).replace(b"rewrite\n", b"query\n", 1), ERROR)
    yield file_case(kind, "header-twice-zh.tsv", table(*GOOD, delimiter="\t").replace(b"history", b"query", 1), ERROR)
    yield file_case(kind, "header-twice-but-for-spaces.csv", table(*GOOD).replace(b"rewrite\n", b" query \n", 1), ERROR)
    yield file_case(kind, "header-empty.csv", b"\n" + table(*GOOD), ERROR, Kept(3))
    yield file_case(kind, "header-of-commas.csv", b",,\n" + table(*GOOD)[len(b"history,query,rewrite\n") :], ERROR)
    yield file_case(kind, "header-missing-zh.csv", b"".join(map(record, (SPA, PALACE, PARIS))), ERROR)
    yield file_case(kind, "header-only.csv", table(), ERROR)
    yield file_case(kind, "header-only-zh.tsv", "问题\t改写\n".encode(), ERROR)
    yield file_case(kind, "semicolons.csv", table(*GOOD, delimiter=";"), ERROR, Kept(3))
    yield file_case(kind, "commas-zh.tsv", table(*GOOD), ERROR, Kept(3))
    yield file_case(kind, "blank-lines.csv", table(PARIS, b"\n\n", SPA, b"\n", ADA, b"\n"), Kept(3))
    yield file_case(kind, "lines-of-spaces.csv", table(PARIS, b"   \n", SPA, ADA), Kept(3), Kept(3, 1))
    names = b"," + b",".join(b"c%d" % number for number in range(100))
    some = table(*GOOD).replace(b"\n", b"," * 100 + b"\n").replace(b"," * 100, names, 1)
    yield file_case(kind, "a-hundred-columns.csv", some, Kept(3))
    heavy = {"heavy": True, "seconds": 30}

    def wide() -> Iterable[bytes]:
        yield b"history,query,rewrite," + b",".join(b"c%d" % number for number in range(1_000_000)) + b"\n"
        for row in GOOD:
            yield record(row)[:-1] + b"," * 1_000_000 + b"\n"

    yield file_case(kind, "a-million-columns.csv", wide, Kept(3), ERROR, **heavy)
    yield file_case(
        kind,
        "a-million-cells-too-many-zh.csv",
        lambda: [table(PARIS, "甲,".encode() * 1_000_000 + b"\n", SPA, ADA)],
        Kept(3, 1, (3,)),
        **heavy,
    )
    yield file_case(
        kind,
        "huge-cell.csv",
        lambda: [table(PARIS, b'"[""Who?""]",' + b"x" * (50 * MIB) + b",y\n", SPA, ADA)],
        *EITHER,
        **heavy,
    )
    yield file_case(
        kind,
        "endless-line.csv",
        lambda: [table(PARIS), *[b"x" * MIB] * 200, b"\n", record(SPA), record(ADA)],
        Kept(3, 1, (3,)),
        ERROR,
        **heavy,
    )
    yield file_case(kind, "endless-header-zh.csv", lambda: ["列,".encode() * MIB] * 50, ERROR, **heavy)


def _table(rows: Iterable[Mapping[str, Any]], **columns: Any) -> Any:
    import pyarrow as pa

    rows = list(rows)
    made = pa.table({name: pa.array([row[name] for row in rows]) for name in FIELDS if name in rows[0]})
    for name, column in columns.items():
        made = made.drop_columns([name]) if name in made.column_names else made
        made = made.append_column(name, column)
    return made


def _bytes(made: Any) -> bytes:
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(made, out)
    return out.getvalue()


def _parquet_case(name: str, content: Content, *expected: Outcome, **more: Any) -> Case:
    return file_case("parquet", name, content, *expected, **more)


def _parquet() -> Iterable[Case]:
    def good() -> bytes:
        return _bytes(_table(FOUR))

    def typed(name: str, values: list[Any], kind: str | None = None) -> Content:
        def content() -> Iterable[bytes]:
            import pyarrow as pa

            column = pa.array(values, kind and getattr(pa, kind)())
            yield _bytes(_table(FOUR, **{name: column}))

        return content

    yield _parquet_case("parquet-truncated.parquet", lambda: [good()[:-20]], ERROR)
    yield _parquet_case("parquet-cut-in-half-zh.parquet", lambda: [good()[:600]], ERROR)
    yield _parquet_case("parquet-only-its-end.parquet", lambda: [good()[-300:]], ERROR)
    yield _parquet_case("parquet-page-overwritten.parquet", lambda: [good()[:4], b"\xff" * 400, good()[404:]], ERROR)
    yield _parquet_case(
        "parquet-footer-overwritten-zh.parquet", lambda: [good()[:-200], b"\xff" * 150, good()[-50:]], ERROR
    )
    yield _parquet_case("parquet-is-csv.parquet", table(*FOUR), ERROR)
    yield _parquet_case("parquet-empty.parquet", b"", ERROR)
    yield _parquet_case("parquet-zero-rows.parquet", lambda: [_bytes(_table(FOUR).slice(0, 0))], ERROR)
    yield _parquet_case("parquet-no-columns.parquet", lambda: [_bytes(_table(FOUR).select([]))], ERROR)
    yield _parquet_case("parquet-query-is-number.parquet", typed("query", [1, 2, 3, 4]), ERROR)
    yield _parquet_case(
        "parquet-query-is-binary-zh.parquet", typed("query", [row["query"].encode() for row in FOUR]), ERROR, Kept(4)
    )
    yield _parquet_case(
        "parquet-query-null.parquet", typed("query", ["How?", None, "他呢？", ""]), Kept(2, 2, (2, 4)), good=()
    )
    yield _parquet_case(
        "parquet-history-nulls.parquet",
        typed("history", [["Who?"], None, [None], []]),
        Kept(4),
        Kept(3, 1),
        Kept(2, 2),
        good=(),
    )
    turns = (
        [{"role": "user", "content": "曹操是谁？"}],
        [{"role": None, "content": "x"}],
        [{"role": "user", "content": None}],
        None,
    )
    yield _parquet_case("parquet-turns-nulls-zh.parquet", typed("history", list(turns)), Kept(3, 1, (2,)), good=())
    yield _parquet_case("parquet-query-is-list.parquet", typed("query", [["a"], ["b"], None, []]), ERROR)
    yield _parquet_case("parquet-far-future.parquet", typed("when", [10**17] * 4, "int64"), Kept(4), good=FOUR)

    def dated() -> Iterable[bytes]:
        import pyarrow as pa

        yield _bytes(_table(FOUR, when=pa.array([9 * 10**15] * 4, pa.timestamp("ms"))))

    yield _parquet_case("parquet-date-beyond-python.parquet", dated, Kept(4), good=FOUR)

    def precise() -> Iterable[bytes]:
        import pyarrow as pa

        yield _bytes(_table(FOUR, when=pa.array([1_700_000_000_123_456_789] * 4, pa.timestamp("ns"))))

    yield _parquet_case("parquet-nanoseconds-zh.parquet", precise, Kept(4), good=FOUR)
    yield _parquet_case(
        "parquet-language-is-date.parquet",
        typed("lang", [datetime(2024, 1, 1), None, None, None]),
        Kept(3, 1, (1,)),
        good=(SPA, ADA, PALACE),
    )

    def not_text() -> Iterable[bytes]:
        import pyarrow as pa

        texts = [row["query"].encode() for row in FOUR]
        texts[1] = b"\xff\xfe\xed\xa0\x80"
        joined, ends = b"".join(texts), [0]
        for text in texts:
            ends.append(ends[-1] + len(text))
        offsets = b"".join(end.to_bytes(4, "little") for end in ends)
        column = pa.Array.from_buffers(pa.string(), 4, [None, pa.py_buffer(offsets), pa.py_buffer(joined)])
        yield _bytes(_table(FOUR, query=column))

    yield _parquet_case("parquet-not-utf8.parquet", not_text, ERROR, Kept(3, 1, (2,)), good=(PARIS, ADA, PALACE))

    def twice() -> Iterable[bytes]:
        yield _bytes(_table(FOUR).rename_columns(["history", "query", "query"]))

    yield _parquet_case("parquet-columns-twice.parquet", twice, ERROR)

    def mapped() -> Iterable[bytes]:
        import pyarrow as pa

        yield _bytes(_table(FOUR, meta=pa.array([[("键", 1)]] * 4, pa.map_(pa.string(), pa.int64()))))

    yield _parquet_case("parquet-map-zh.parquet", mapped, Kept(4), good=FOUR)

    def nested() -> Iterable[bytes]:
        import pyarrow as pa

        value: Any = 1
        for _ in range(60):
            value = [value]
        yield _bytes(_table(FOUR, deep=pa.array([value, None, value, None])))

    yield _parquet_case("parquet-deep.parquet", nested, Kept(4), ERROR, good=FOUR)

    def bomb() -> Iterable[bytes]:
        import pyarrow as pa

        rows = [
            rewriting(f"How old is number {number}?", f"How old is house number {number}?", "x")
            for number in range(300)
        ]
        note = pa.DictionaryArray.from_arrays(pa.array([0] * 300, pa.int32()), pa.array(["x" * (20 * MIB)]))
        yield _bytes(_table(rows, note=note))

    yield _parquet_case("parquet-bomb.parquet", bomb, Kept(300), ERROR, good=(), heavy=True, seconds=30)


CASES = (*_quotes(), *_columns(), *_parquet())
