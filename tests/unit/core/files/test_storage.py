from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from pairwright.core.bookkeeping import Dropped
from pairwright.core.errors import StorageError
from pairwright.core.files.storage import (
    atomic_writer,
    lock_folder,
    manifest_of,
    open_log,
    read_rows,
    sha256_of,
    write_json,
    write_rows,
)
from pairwright.core.records import PreferencePair, Turn
from pairwright.testing import factories


def test_rows_come_back_as_they_were_also_chinese_emoji_and_line_separators(tmp_path: Path) -> None:
    rows = [
        Turn(role="user", content=text)
        for text in ("它的内存管理怎么样？", "a\u2028b\u0085c\r\n\td", "👩‍👩‍👧 \U0001f9ea", "")
    ]
    assert write_rows(tmp_path / "rows.jsonl", rows) == 4
    assert list(read_rows(tmp_path / "rows.jsonl", Turn)) == rows
    assert "它的内存" in (tmp_path / "rows.jsonl").read_text(encoding="utf-8"), "text is not escaped"


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("old\n")
    with pytest.raises(ZeroDivisionError), atomic_writer(path) as file:
        file.write("half of the new")
        1 / 0  # noqa: B018
    assert path.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["rows.jsonl"]


def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"role":"user","content":"a"}\n{"role":"user"\n')
    with pytest.raises(StorageError, match=r"rows\.jsonl:2: not a Turn"):
        list(read_rows(path, Turn))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="none.jsonl"):
        list(read_rows(tmp_path / "none.jsonl", Dropped))


def test_a_full_disk_is_one_paragraph(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="No space left on device") as caught,
        atomic_writer(tmp_path / "full") as file,
    ):
        file.write("x")
        raise OSError(28, os.strerror(28))
    assert "nothing paid for is lost" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_two_builds_into_one_folder_are_refused(tmp_path: Path) -> None:
    with (
        lock_folder(tmp_path),
        pytest.raises(StorageError, match=rf"another build is running here \(process {os.getpid()}\)"),
        lock_folder(tmp_path),
    ):
        pytest.fail("two builds hold one folder")


def _hold(folder: str, ready: multiprocessing.synchronize.Event) -> None:
    with lock_folder(Path(folder)):
        ready.set()
        signal.pause()


def test_the_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(str(tmp_path), ready))
    process.start()
    assert ready.wait(30)
    with pytest.raises(StorageError), lock_folder(tmp_path):
        pass
    process.kill()
    process.join()
    with lock_folder(tmp_path):
        pass


def test_a_lock_is_neither_taken_through_a_link_nor_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("years")
    (tmp_path / "build.lock").symlink_to(tmp_path / "diary.txt")
    (tmp_path / "run.lock").symlink_to(tmp_path / "nowhere")
    (tmp_path / "sweep.lock").write_text("versions of my packages")
    for what, message in (("build", "a link"), ("run", "a link"), ("sweep", "not a lock of pairwright")):
        with pytest.raises(StorageError, match=message), lock_folder(tmp_path, what):
            pytest.fail("locked")
    assert (tmp_path / "diary.txt").read_text() == "years"
    assert (tmp_path / "sweep.lock").read_text() == "versions of my packages"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.partial"])
def test_nothing_is_written_through_a_link_or_in_its_place(tmp_path: Path, name: str) -> None:
    (tmp_path / "diary.txt").write_text("years")
    (tmp_path / name).symlink_to(tmp_path / "diary.txt")
    with pytest.raises(StorageError, match=f"{name}: a link"), atomic_writer(tmp_path / "rows.jsonl") as file:
        file.write("x")
    if name == "rows.jsonl":
        with pytest.raises(StorageError, match="a link"), open_log(tmp_path / name):
            pytest.fail("opened")
    assert (tmp_path / "diary.txt").read_text() == "years"
    assert (tmp_path / name).is_symlink()


def test_the_manifest_names_files_relative_to_the_folder(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "b.json", {"键": 1})
    assert manifest_of(tmp_path, [tmp_path / "a" / "b.json"]) == {"a/b.json": sha256_of(tmp_path / "a" / "b.json")}
    assert (tmp_path / "a" / "b.json").read_text(encoding="utf-8") == '{\n  "键": 1\n}\n'


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="Not a directory"), atomic_writer(tmp_path / "file" / "deep" / "rows.jsonl"):
        pass


def test_rows_that_are_not_utf8_are_named_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(factories.pair().model_dump_json().encode() + b"\n\x80\n")
    with pytest.raises(StorageError, match=r"pairs\.jsonl:2: not a PreferencePair"):
        list(read_rows(path, PreferencePair))
