from __future__ import annotations

from pathlib import Path

import pytest

from pairwright.core.errors import StorageError
from pairwright.core.files.owned_folder import (
    begin_files,
    end_files,
    read_mark,
    require_folder,
    require_places,
    writing_files,
)

NAMES = ("报告.md", "deep/figures.json")


def never(folder: Path) -> bool:
    return False


def written(folder: Path, text: str = "ours") -> None:
    begin_files(folder, "evaluation", NAMES, never)
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    end_files(folder, "evaluation")


def test_files_of_ours_are_written_again_also_after_a_kill(tmp_path: Path) -> None:
    written(tmp_path)
    written(tmp_path, "again")
    begin_files(tmp_path, "evaluation", NAMES, never)
    (tmp_path / NAMES[0]).write_text("half")  # and killed here
    written(tmp_path)


def test_a_command_that_fails_before_it_wrote_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for folder in (tmp_path / "there", tmp_path / "new"):
        with pytest.raises(ZeroDivisionError), writing_files(folder, "evaluation", NAMES, never):
            raise ZeroDivisionError
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["there"]


def test_what_a_command_wrote_before_it_failed_stays_its_own(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing_files(tmp_path, "evaluation", NAMES, never):
        (tmp_path / NAMES[0]).write_text("ours")
        raise ZeroDivisionError
    mark = read_mark(tmp_path, "evaluation")
    assert mark is not None
    assert list(mark.files) == [NAMES[0]]
    written(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_an_edited_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    (tmp_path / name).write_text("better")
    with pytest.raises(StorageError, match=f"{name}: changed since"):
        begin_files(tmp_path, "evaluation", NAMES, never)
    assert (tmp_path / name).read_text() == "better"


def test_a_file_that_was_there_before_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).write_text("mine")
    with pytest.raises(StorageError, match="not made by pairwright"):
        begin_files(tmp_path, "evaluation", NAMES, never)
    assert [path.name for path in tmp_path.iterdir()] == [NAMES[0]]


def test_a_folder_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / NAMES[0]).write_text("old")
    begin_files(tmp_path, "evaluation", NAMES, lambda _: True)


def test_links_folders_and_files_in_the_way_are_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name, what in (("link", "a link"), ("link/x", "a link"), ("file/x", "a file"), ("folder", "a folder")):
        with pytest.raises(StorageError, match=what):
            require_places(tmp_path, [name])
    require_places(tmp_path, ["file", "folder/x", "new/x"])
    for name, what in (("link", "a link to nowhere"), ("file", "not a folder"), ("file/deep", "not a folder")):
        with pytest.raises(StorageError, match=what):
            require_folder(tmp_path / name)


@pytest.mark.parametrize("content", ["{}", "a list of my files", '{"kind": "evaluation", "format": 2}'])
def test_another_file_of_the_marks_name_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "evaluation.files.json").write_text(content)
    with pytest.raises(StorageError, match="not a list of files of this version"):
        read_mark(tmp_path, "evaluation")
