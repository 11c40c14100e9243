"""Only plain files are read: a device may have no end, and a pipe no writer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pairwright.core.files.texts import read_text


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
