"""One bad row never ends a build, and nothing that stands in a file is lost in silence."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path

import pytest
import zstandard

from pairwright.core.bookkeeping import Failed
from pairwright.core.errors import SourceError
from pairwright.pipelines.ingest import raw_rows, unpacked
from pairwright.pipelines.ingest.sources import FileSource, StdinSource

Found = list[tuple[int | None, str]]


def row(query: str) -> bytes:
    return json.dumps({"query": query, "rewrite": "x"}, ensure_ascii=False).encode()


ONE, TWO, THREE = row("一"), row("two"), row("三")


def read(folder: Path, name: str, content: bytes) -> Found:
    """Line and query of each row, or its error; all can be written."""
    (folder / name).write_bytes(content)
    found: Found = []
    for outcome in FileSource(source="s", path=str(folder / name)).read():
        outcome.model_dump_json().encode()
        if isinstance(outcome, Failed):
            found.append((outcome.line, outcome.error))
        else:
            found.append((outcome.origin.line, outcome.turns[-1].content))
    return found


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (rb'{"\ud800": "a"}', "missing_key"),
        (rb'{"query": 1, "\ud800": "a"}', "wrong_type"),
        (rb'{"messages": [{"role": "\ud800", "content": "a"}]}', "unknown_role"),
        (b'{"query": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "not_json"),
        (b'{"query": "a", "id": ' + b"9" * 5000 + b"}", "not_json"),
        ('{"query": "她呢？", "rewrite": "x", "rewrite": "别的"}'.encode(), "key_twice"),
        (b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}', "key_twice"),
        (b'{"messages": {"role": ["user", "assistant", "user"], "content": ["a", "b"]}}', "wrong_type"),
    ],
)
def test_a_bad_row_costs_itself(tmp_path: Path, bad: bytes, error: str) -> None:
    assert read(tmp_path, "a.jsonl", bad + b"\n" + ONE) == [(1, error), (2, "一")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"query": "a", "rewrite": "x", "rewrite": "x"}', [(1, "a")]),
        (
            "a.json",
            b"[" + ONE + b',\n{"query": "a", "query": "b"},\n' + TWO + b"]",
            [(1, "一"), (2, "key_twice"), (3, "two")],
        ),
        ("a.csv", b'query,tools\na,"[{""name"": 1, ""name"": 2}]"\nb,[]\n', [(2, "key_twice"), (3, "b")]),
    ],
)
def test_a_key_that_stands_twice_costs_its_row_where_a_value_would_be_lost(
    tmp_path: Path, name: str, content: bytes, expected: Found
) -> None:
    assert read(tmp_path, name, content) == expected


def test_the_header_of_a_csv_file_has_no_nul(tmp_path: Path) -> None:
    assert read(tmp_path, "a.csv", b"query\0,rewrite\0\na,b\n") == [(2, "a")]


def test_a_file_is_read_once_however_many_names_it_has(tmp_path: Path) -> None:
    inner = tmp_path / "层"
    inner.mkdir()
    (inner / "a.jsonl").write_bytes(ONE)
    (tmp_path / "b.jsonl").write_bytes(TWO)
    (inner / "up").symlink_to("..")
    (tmp_path / "c.jsonl").symlink_to("b.jsonl")
    rows = FileSource(source="s", path=str(tmp_path / "**/*.jsonl")).read()
    assert [Path(row.origin.file).relative_to(tmp_path).as_posix() for row in rows if not isinstance(row, Failed)] == [
        "b.jsonl",
        "层/a.jsonl",
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jsonl", gzip.compress(ONE, mtime=0), "compressed with gzip, and its name says otherwise"),
        ("a.csv", zstandard.compress(b"query\na\n"), "compressed with Zstandard, and its name says otherwise"),
        ("a.csv", b"PK\x03\x04\x14\x00\x06\x00", "a ZIP or Excel file, and its name says otherwise"),
        ("a.json", b"PAR1\x15\x04", "a Parquet file, and its name says otherwise"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_one_error(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    _refused(tmp_path, name, content, words)


def test_a_parquet_file_is_the_one_of_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow reads some paths as addresses."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)
    Path("file:a").mkdir()
    with Path("file:a/rows.parquet").open("wb") as file:
        pq.write_table(pa.table({"query": ["一"]}), file)
    (row,) = FileSource(source="s", path="file:a/rows.parquet").read()
    assert not isinstance(row, Failed)
    assert row.turns[-1].content == "一"


@pytest.mark.parametrize("query", ["\u200b\u200b", "\u202e", " \ufeff "])
def test_a_query_in_which_nothing_is_to_be_seen_is_empty(tmp_path: Path, query: str) -> None:
    assert read(tmp_path, "a.jsonl", row(query) + b"\n" + ONE) == [(1, "empty_query"), (2, "一")]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"\n\r\nquery,rewrite\n\na,b\n", [(5, "a")]),
        ("a.json", b"[,," + ONE + b",,]", [(1, "一")]),
        (
            "a.json",
            b"[" + ONE + b"]\xef\xbb\xbf[" + TWO + b"]\n\xef\xbb\xbf" + THREE,
            [(1, "一"), (1, "two"), (2, "三")],
        ),
    ],
)
def test_empty_lines_commas_and_marks_of_joined_files_do_no_harm(
    tmp_path: Path, name: str, content: bytes, expected: Found
) -> None:
    assert read(tmp_path, name, content) == expected


def test_a_date_beyond_those_of_python_is_text(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    dates = pa.array([0, 3_000_000], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"query": ["一", "two"], "day": dates}), tmp_path / "written.parquet")
    content = (tmp_path / "written.parquet").read_bytes()
    assert read(tmp_path, "a.parquet", content) == [(1, "一"), (2, "two")]


def test_lone_surrogates_in_keys_of_tools_and_arguments_are_replaced_as_those_in_texts(tmp_path: Path) -> None:
    call = {"function": {"name": "find", "arguments": {"\ud800": "\ud801城"}}}
    turns = [{"role": "user", "content": "\ud800"}, {"role": "assistant", "tool_calls": [call]}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"messages": turns, "tools": [{"name": "f", "x": {"\udfff": 1}}]}), encoding="utf-8")
    (found,) = FileSource(source="s", path=str(path)).read()
    text = found.model_dump_json()
    assert text.count("\ufffd") == 4
    assert "城" in text


def test_a_message_that_quotes_a_row_is_short_and_without_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"\x1b[31m" + "k" * 99: 1}) + "\n" + json.dumps({"query": "q", "lang": "x" * 99999}))
    for found in FileSource(source="s", path=str(path)).read():
        assert isinstance(found, Failed)
        assert len(found.message) < 600
        assert "\x1b" not in found.message


def test_a_file_name_that_is_not_utf8_can_be_written(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl")).write_bytes(ONE + b"\nbad")
    for found in FileSource(source="s", path=f"{tmp_path}/*.jsonl").read():
        found.model_dump_json().encode()


def test_carriage_returns_end_lines_and_are_space_within_a_row(tmp_path: Path) -> None:
    found = read(tmp_path, "a.jsonl", b"\r".join([ONE, b"bad", TWO, b"", THREE]))
    assert found == [(1, "一"), (2, "not_json"), (3, "two"), (5, "三")]
    assert read(tmp_path, "a.jsonl", b'{"query":\r"a"}\r\n' + TWO) == [(1, "a"), (2, "two")]
    assert read(tmp_path, "a.json", b"\r".join([b"[", ONE + b",", TWO, b"]"])) == [(2, "一"), (3, "two")]


def test_carriage_returns_divide_more_text_than_a_row_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_rows, "MAX_LINE_BYTES", 200)
    found = read(tmp_path, "a.jsonl", b"\r".join([ONE] * 9 + [b"x" * 999, TWO, b"y" * 999]) + b"\n" + THREE)
    assert [what for _, what in found] == ["一"] * 9 + ["line_too_long", "two", "line_too_long", "三"]
    found = read(tmp_path, "a.jsonl", b"x" * 999 + b"\r" + ONE)
    assert found == [(1, "line_too_long"), (2, "一")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[%s]\n[%s,\n%s]" % (ONE, TWO, THREE), [(1, "一"), (2, "two"), (3, "三")]),
        (b"[%s]\n%s\ngarbage\n%s" % (ONE, TWO, THREE), [(1, "一"), (2, "two"), (3, "not_json"), (4, "三")]),
        (b"%s\n[%s]\n%s" % (ONE, TWO, THREE), [(1, "一"), (2, "two"), (3, "三")]),
        (b"[%s,%s,\n]" % (ONE, TWO), [(1, "一"), (1, "two")]),
        (b"%s,\n%s,\n" % (ONE, TWO), [(1, "一"), (2, "two")]),
        (b"%s\n[broken\n%s" % (ONE, TWO), [(1, "一"), (2, "not_json"), (3, "two")]),
        (json.dumps(json.loads(ONE), indent=1).encode(), [(1, "一")]),
        (b'%s\n{"query": "\xff"}\n%s' % (ONE, TWO), [(1, "一"), (2, "not_utf8"), (3, "two")]),
    ],
)
def test_all_that_stands_in_a_json_file_is_read(tmp_path: Path, content: bytes, expected: Found) -> None:
    assert read(tmp_path, "a.json", content) == expected


def test_a_json_array_larger_than_a_piece_is_read_in_pieces(tmp_path: Path) -> None:
    rows = [row("长" * 1000 + str(number)) for number in range(1500)]
    found = read(tmp_path, "a.json", b"[\n" + b",\r\n".join(rows) + b"\n]")
    assert [line for line, _ in found] == list(range(2, 1502))
    assert found[-1][1].endswith("1499")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (['"c,d', "e,f", '"g","h"', "三,j"], [(2, "not_csv"), (3, "e"), (4, "g"), (5, "三")]),
        (['c,"d', "e,f", "g,h"], [(2, "not_csv"), (3, "e"), (4, "g")]),
        (['"a', '第二",b', '"c', 'd" ,e'], [(2, "a\n第二"), (4, "c\nd")]),
    ],
)
def test_a_quote_that_is_not_closed_costs_its_line(tmp_path: Path, lines: list[str], expected: Found) -> None:
    content = "\n".join(["query,rewrite", *lines]).encode()
    assert read(tmp_path, "a.csv", content) == expected


def test_a_giant_line_of_csv_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_rows, "MAX_LINE_BYTES", 200)
    found = read(tmp_path, "a.csv", b"query,rewrite\na,b\n" + b"x" * 999 + b"\nc,d\n")
    assert found == [(2, "a"), (3, "line_too_long"), (4, "c")]


def test_odd_values_of_parquet_cost_their_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")]
    )
    pq.write_table(pa.table({"query": texts, "rewrite": ["x"] * 3}), tmp_path / "made.parquet")
    found = read(tmp_path, "a.parquet", (tmp_path / "made.parquet").read_bytes())
    assert found == [(1, "a"), (2, "not_readable"), (3, "c")]


def _refused(folder: Path, name: str, content: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words) as error:
        read(folder, name, content)
    assert name in error.value.message
    assert error.value.hint


def test_what_would_never_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "_ALWAYS", 1024 * 1024)
    monkeypatch.setattr(raw_rows, "MAX_EMPTY_LINES", 1000)
    bomb = b" " * 8_000_000
    _refused(tmp_path, "a.json.gz", gzip.compress(bomb), "unpacks to more than")
    _refused(tmp_path, "a.json.zst", zstandard.compress(bomb), "unpacks to more than")
    _refused(tmp_path, "a.jsonl", b"\n" * 2000, "empty lines")
    _refused(tmp_path, "a.csv", b"query\n" + b"\n" * 2000, "empty lines")
    monkeypatch.setattr(raw_rows, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(raw_rows, "MAX_ENDLESS_BYTES", 2_000_000)
    for name in ("a.jsonl", "a.csv"):
        _refused(tmp_path, name, b"query\n" + b"x" * 5_000_000, "no line break")
    _refused(tmp_path, "a.csv", b"query,rewrite\n" + b'a","\n' * 2000, "quotes that are not closed")


def test_a_header_has_bounds(tmp_path: Path) -> None:
    _refused(tmp_path, "a.csv", ",".join(map(str, range(20_000))).encode() + b"\n", "20,000 columns")
    _refused(tmp_path, "a.csv", b'query,"rewrite\na,b\n', "header")


def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.jsonl", tmp_path / "zero.jsonl", f"{tmp_path}/*.jsonl", "/dev/null"):
        with pytest.raises(SourceError, match="no file") as error:
            list(FileSource(source="s", path=str(path)).read())
        assert "stdin" in error.value.hint


@pytest.mark.parametrize("path", ["x" * 5000 + ".jsonl", "~nobody-of-that-name/a.jsonl"])
def test_a_path_that_cannot_be_is_a_clear_error(path: str) -> None:
    with pytest.raises(SourceError):
        list(FileSource(source="s", path=path).read())


def test_closed_standard_input_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SourceError, match="stdin: closed"):
        list(StdinSource(source="s").read())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rb'{"\ud800": 1}' + b"\n" + ONE)))
    bad, good = StdinSource(source="s").read()
    assert isinstance(bad, Failed)
    assert not isinstance(good, Failed)
