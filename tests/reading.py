"""Rows as files, read by a source: for tests of the forms that rows have and of the files that hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pairwright.core.bookkeeping import Failed
from pairwright.core.records import Conversation
from pairwright.pipelines.ingest.sources import FileSource

REWRITING = {
    "id": "7",
    "history": [{"role": "user", "content": "小汤山镇在哪？"}, {"role": "assistant", "content": "在北京昌平。"}],
    "query": "门票多少？",
    "rewrite": "小汤山镇门票多少？",
}
DIALOGUE = {"id": "d1", "conversation": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)) + "\n" for row in rows),
        encoding="utf-8",
    )
    return path


def read(path: Path | str, **settings: Any) -> list[Conversation | Failed]:
    return list(FileSource(source="s", path=str(path), **settings).read())


def one(path: Path | str, **settings: Any) -> Conversation:
    (row,) = read(path, **settings)
    assert isinstance(row, Conversation), row
    return row


def failure(tmp_path: Path, row: Any, **settings: Any) -> Failed:
    (found,) = read(write_lines(tmp_path / "bad.jsonl", row), **settings)
    assert isinstance(found, Failed), found
    return found


def said(row: Conversation) -> list[tuple[str, str]]:
    return [(turn.role, turn.content) for turn in row.turns]
