"""What strangers read of where a row came from: never the folders of somebody's disk."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pairwright.core.files.storage import read_rows
from pairwright.core.records import PreferencePair
from pairwright.exports import EXPORTERS
from pairwright.exports.rows.provenance import public_lines, public_path
from pairwright.pipelines.ingest.sources import FileSource
from pairwright.testing import factories


@pytest.mark.parametrize(
    ("file", "given", "public"),
    [
        ("data/rows.jsonl", "data/rows.jsonl", "data/rows.jsonl"),
        ("stdin", "", "stdin"),
        ("/home/Zhangwei/data/rows.jsonl", "/home/Zhangwei/data/rows.jsonl", "rows.jsonl"),
        ("/srv/logs/2026/05/客服.jsonl.gz", "/srv/logs/**/*.jsonl.gz", "2026/05/客服.jsonl.gz"),
        ("../Zhangwei/rows.jsonl", "../Zhangwei/rows.jsonl", "rows.jsonl"),
        ("~/rows.jsonl", "", "rows.jsonl"),
        ("C:\\Users\\Zhangwei\\rows.jsonl", "C:\\Users\\Zhangwei\\rows.jsonl", "rows.jsonl"),
        ("\\\\nas\\Zhangwei\\rows.jsonl", "", "rows.jsonl"),
        ("/home/Zhangwei/set/train", "/home/Zhangwei/set", "set/train"),
        ("owner/name/train", "owner/name", "owner/name/train"),
    ],
)
def test_folders_of_one_machine_are_left_out(file: str, given: str, public: str) -> None:
    assert public_path(file, given) == public


def test_exported_rows_name_the_file_without_its_folders(tmp_path: Path) -> None:
    folder = "/home/Zhangwei/私人/2026"
    said = f'he said "origin":{{"source":"logs","file":"{folder}/rows.jsonl"'
    task = factories.task(said, origin=factories.origin(source="logs", file=f"{folder}/rows.jsonl"))
    logs = FileSource(source="logs", path=f"{folder}/*.jsonl")
    build = factories.build_result(tmp_path, [factories.sft_row(task)], [factories.pair(task)], sources=(logs,))
    for form in ("jsonl", "parquet"):
        EXPORTERS[form]().export(build, tmp_path / "exports")  # type: ignore[attr-defined]
    (lines,) = (tmp_path / "exports/jsonl").glob("*_pairs_*")
    (row,) = read_rows(lines, PreferencePair)
    assert (row.task.origin.file, row.task.query) == ("rows.jsonl", said)
    (table,) = (tmp_path / "exports/parquet").glob("*_dpo_*")
    assert pq.read_table(table)["source_file"].to_pylist() == ["rows.jsonl"]
    # What lies here keeps it: it leads back to the row.
    assert folder in (tmp_path / "rows/pairs.jsonl").read_text(encoding="utf-8")


def test_rows_of_relative_files_are_copied_as_they_are() -> None:
    line = json.dumps({"task": {"origin": {"source": "a", "file": "data/a.jsonl"}}}, separators=(",", ":"))
    assert public_lines([FileSource(source="a", path="data/a.jsonl")])(line) == line
