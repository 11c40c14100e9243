"""Sources: every raw row has one outcome, with its true reason, file and line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from reading import DIALOGUE, REWRITING, one, read, write_lines

from pairwright.core.bookkeeping import Failed
from pairwright.core.components import Source
from pairwright.core.errors import SourceError
from pairwright.core.records import Conversation
from pairwright.pipelines.ingest import raw_rows
from pairwright.pipelines.ingest.row_forms import ROLES, RowMapping
from pairwright.pipelines.ingest.row_values import clean
from pairwright.pipelines.ingest.sources import SOURCES, FileSource, HuggingFaceSource, StdinSource


def test_a_bad_line_costs_itself_alone_and_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(REWRITING).encode()
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n\r\n" + b'{"query": "\xff"}\n' + b"\x00\n" + good)
    rows = read(path)
    assert [type(row) for row in rows] == [Conversation, Failed, Failed, Conversation]
    assert [(row.error, row.file, row.line) for row in rows if isinstance(row, Failed)] == [
        ("not_utf8", path.as_posix(), 3),
        ("not_json", path.as_posix(), 4),
    ]
    assert [row.origin.line for row in rows if isinstance(row, Conversation)] == [1, 5]


def test_an_enormous_line_is_one_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_rows, "MAX_LINE_BYTES", 1000)
    path = write_lines(tmp_path / "a.jsonl", "x" * 4321, REWRITING)
    rows = read(path)
    assert [row.error if isinstance(row, Failed) else row.origin.line for row in rows] == ["line_too_long", 2]


def test_text_loses_control_characters_and_lone_surrogates(tmp_path: Path) -> None:
    row = '{"history": [], "query": " a\\u0000b\\r\\nc\\td\\ud83d e\\ud83d\\ude00\\u202e ", "rewrite": "x\\ud800"}'
    found = one(write_lines(tmp_path / "a.jsonl", row))
    assert found.turns[0].content == "ab\nc\td\ufffd e\U0001f600\u202e"
    assert found.reference == "x\ufffd"
    found.model_dump_json().encode("utf-8")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_is_writable_and_clean_again(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode("utf-8")
    assert clean(cleaned) == cleaned


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(sorted(ROLES)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "from", "value"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "query", "history", "rewrite", "messages", "meta", "lang", "dialogue", "domain"]),
        json_values,
    )
)
def test_any_json_object_is_a_conversation_or_a_failure(fields: dict[str, Any]) -> None:
    source = FileSource(source="s", path="x")
    (row,) = source._outcomes([raw_rows.RawRow(1, fields)], "f")
    assert isinstance(row, Conversation | Failed)
    row.model_dump_json().encode("utf-8")


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(
        [{key: json.dumps(value) if isinstance(value, list) else value for key, value in row.items()} for row in rows]
    )
    return out.getvalue().encode("utf-8-sig")


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "a.jsonl": _jsonl,
    "a.ndjson": _jsonl,
    "lines.json": _jsonl,
    "a.json": lambda rows: json.dumps(rows, indent=1).encode(),
    "a.jsonl.gz": lambda rows: gzip.compress(_jsonl(rows)),
    "a.json.gz": lambda rows: gzip.compress(json.dumps(rows).encode()),
    "a.jsonl.zst": lambda rows: zstandard.compress(_jsonl(rows[:1])) + zstandard.compress(_jsonl(rows[1:])),
    "a.csv": _csv,
    "a.CSV.gz": lambda rows: gzip.compress(_csv(rows)),
    "a.csv.zst": lambda rows: zstandard.compress(_csv(rows)),
    "a.parquet": _parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    rows = [{**REWRITING, "id": str(number), "query": f'多少钱，"{number}"\n元？'} for number in range(3)]
    path = tmp_path / name
    path.write_bytes(WRITERS[name](rows))
    found = read(path)
    assert [row.origin.key for row in found if isinstance(row, Conversation)] == ["0", "1", "2"]
    expected = read(write_lines(tmp_path / "plain.jsonl", *rows))
    keep = {"turns", "reference", "dialogue", "language"}
    assert [row.model_dump(include=keep) for row in found] == [row.model_dump(include=keep) for row in expected]


def test_csv_lines_are_those_of_the_file_and_bad_records_fail_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        'id,query\n1,"two\nlines"\n2\n3,\n\n4,多少钱\n5,'.encode() + "多少钱".encode("gb18030") + b"\n6,x\n"
    )
    found = [
        (row.line, row.error) if isinstance(row, Failed) else (row.origin.line, row.origin.key) for row in read(path)
    ]
    assert found == [(2, "1"), (4, "not_csv"), (5, "empty_query"), (7, "4"), (8, "not_utf8"), (9, "6")]


def test_tsv_is_split_at_tabs(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("query\trewrite\na, b\tc\n", encoding="utf-8")
    assert one(tmp_path / "a.tsv").reference == "c"


def test_json_array_rows_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n  {"query": "a"},\n\n  7,\n  {\n"query": "b"}\n]\n', encoding="utf-8")
    assert [row.line if isinstance(row, Failed) else row.origin.line for row in read(path)] == [2, 4, 5]


def test_a_glob_reads_all_files_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "c.txt"):
        write_lines(tmp_path / name, REWRITING)
    files = [row.origin.file for row in read(f"{tmp_path}/[ab].jsonl") if isinstance(row, Conversation)]
    assert [Path(file).name for file in files] == ["a.jsonl", "b.jsonl"]
    brackets = write_lines(tmp_path / "x[1].jsonl", REWRITING)
    assert one(brackets).origin.file == brackets.as_posix()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.jsonl", None, "no such file"),
        ("no*.jsonl", None, "no file matches"),
        ("a.jsonl", b"", "no rows"),
        ("a.jsonl", b"\n\n", "no rows"),
        ("a.json", b"[]", "no rows"),
        ("a.csv", b"query,rewrite\n", "no rows"),
        ("a.csv", b"query,query\n1,2\n", "same name"),
        ("a.txt", b"x", "unknown kind"),
        ("a", b"x", "unknown kind"),
        ("a.parquet.gz", b"x", "compressed inside"),
        ("a.jsonl.gz", b"no gzip", "broken"),
        ("a.jsonl.gz", gzip.compress(b'{"query": "a"}\n' * 9999)[:-20], "broken"),
        ("a.jsonl.zst", b"no zstd", "broken"),
        ("a.parquet", b"no parquet", "not a Parquet file"),
        ("a.parquet", b"", "not a Parquet file"),
        ("a.json", b'[\n{"query": "a"},\n{"query":', ":3: not JSON"),
        ("a.json", b'[\n{"query": "a"}\n', "not closed"),
        ("a.json", b"[", "not JSON"),
        ("a.json", b'["\n\xff"]', ":2: not UTF-8"),
        ("a.jsonl", '{"query": "a"}'.encode("utf-16"), "UTF-16"),
        ("a.csv", "query\na\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_cannot_be_read_names_the_file_and_the_remedy(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as error:
        read(path)
    assert words in error.value.message
    assert name in error.value.message
    assert error.value.hint


def test_a_truncated_zstandard_file_is_an_error(tmp_path: Path) -> None:
    whole = zstandard.compress(b"".join(json.dumps({"query": str(number)}).encode() + b"\n" for number in range(9999)))
    (tmp_path / "a.jsonl.zst").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="broken"):
        read(tmp_path / "a.jsonl.zst")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="folder") as error:
        read(tmp_path)
    assert "*.jsonl" in error.value.hint


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.symlink_to(path)
    with pytest.raises(SourceError):
        read(path)


class FakeStdin:
    def __init__(self, content: bytes, terminal: bool = False) -> None:
        self.buffer = io.BytesIO(content)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


def test_stdin_gives_rows_and_failures_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", FakeStdin(json.dumps(DIALOGUE).encode() + b"\nnope\n"))
    rows = list(StdinSource(source="s").read())
    assert isinstance(rows[0], Conversation)
    assert isinstance(rows[1], Failed)
    assert (rows[1].file, rows[1].line) == ("stdin", 2)


@pytest.mark.parametrize(("content", "terminal"), [(b"", False), (b"", True)])
def test_stdin_without_data_is_an_error(monkeypatch: pytest.MonkeyPatch, content: bytes, terminal: bool) -> None:
    monkeypatch.setattr(sys, "stdin", FakeStdin(content, terminal))
    with pytest.raises(SourceError, match="stdin"):
        list(StdinSource(source="s").read())


def test_every_source_has_the_protocol_and_its_name_in_the_catalogue() -> None:
    assert set(SOURCES) == {"files", "stdin", "huggingface"}
    source = FileSource(source="shop", path="x.jsonl")
    assert isinstance(source, Source)
    assert source.model_dump(exclude_defaults=True) == {"use": "files", "source": "shop", "path": "x.jsonl"}
    with pytest.raises(ValidationError):
        FileSource(source="has space", path="x.jsonl")
    with pytest.raises(ValidationError):
        RowMapping.model_validate({"quary": "q"})


def test_a_hugging_face_data_set_is_read_from_a_folder_of_files(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", REWRITING, {**REWRITING, "query": ""})
    good, bad = HuggingFaceSource(source="hf", path=str(tmp_path)).read()
    assert isinstance(good, Conversation)
    assert good.reference == REWRITING["rewrite"]
    assert isinstance(bad, Failed)
    assert (bad.error, bad.line) == ("empty_query", 2)


def test_a_hugging_face_data_set_saved_to_disk_is_read(tmp_path: Path) -> None:
    import datasets

    datasets.DatasetDict({"validation": datasets.Dataset.from_list([DIALOGUE])}).save_to_disk(tmp_path / "saved")
    (row,) = HuggingFaceSource(source="hf", path=str(tmp_path / "saved"), split="validation").read()
    assert isinstance(row, Conversation)
    with pytest.raises(SourceError, match="train"):
        list(HuggingFaceSource(source="hf", path=str(tmp_path / "saved")).read())


def test_a_missing_hugging_face_split_or_folder_is_an_error(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.jsonl", REWRITING)
    with pytest.raises(SourceError, match="split"):
        list(HuggingFaceSource(source="hf", path=str(tmp_path), split="nope").read())
    with pytest.raises(SourceError):
        list(HuggingFaceSource(source="hf", path=str(tmp_path / "empty")).read())
