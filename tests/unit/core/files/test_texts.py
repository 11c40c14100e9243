"""Only plain files are read: a device may have no end, and a pipe no writer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pairwright.core.errors import SourceError
from pairwright.core.files.texts import read_lines, read_row_lines, read_text


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("\ufeff一\n二", encoding="utf-8")
    assert read_text(tmp_path / "rows", "utf-8-sig") == "一\n二"


@pytest.mark.parametrize("kind", ["/dev/zero", "pipe", "folder", "missing"])
def test_anything_else_is_an_error_at_once(tmp_path: Path, kind: str) -> None:
    path = Path(kind) if kind == "/dev/zero" else tmp_path / kind
    if kind == "pipe":
        os.mkfifo(path)
    if kind == "folder":
        path.mkdir()
    said = {"folder": "Is a directory", "missing": "No such file"}.get(kind, "a device, a pipe or a socket, no file")
    with pytest.raises(OSError, match=said):
        read_text(path)


def test_a_line_ends_with_a_line_feed_only(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes("一\u2028\x85\x0b\x1e二\r\n\n三\n".encode())
    assert read_lines(path) == ["一\u2028\x85\x0b\x1e二", "", "三"]


def test_lines_that_cannot_be_read_are_one_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    with pytest.raises(SourceError, match="rows: No such file or directory\nLook for it."):
        read_row_lines(path, "Look for it.")
    path.write_bytes("甲".encode("gbk"))
    with pytest.raises(SourceError, match="rows: not UTF-8 at byte 1\nSave the file as UTF-8."):
        read_row_lines(path, "Look for it.")
