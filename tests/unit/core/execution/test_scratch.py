from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pairwright.core.execution.scratch import scratch_folder

KILLED = """
import os, signal, sys, tempfile
from pathlib import Path
from pairwright.core.execution.scratch import scratch_folder
tempfile.tempdir = sys.argv[1]
with scratch_folder("plan", Path(sys.argv[2])) as folder:
    (folder / "prompt.txt").write_text("它多少钱？", encoding="utf-8")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


def test_a_scratch_folder_is_gone_afterwards_also_after_an_error(temporary: Path, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder("plan", tmp_path) as folder:
        assert folder.stat().st_mode & 0o77 == 0, "others can read it"
        (folder / "file").touch()
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one_for_the_same_work_alone(
    temporary: Path, tmp_path: Path
) -> None:
    for owner in ("mine", "yours"):
        command = [sys.executable, "-c", KILLED, str(temporary), str(tmp_path / owner)]
        assert subprocess.run(command, check=False).returncode == -9
    yours = {path for path in temporary.iterdir() if (path / "prompt.txt").exists()}
    assert len(yours) == 2
    with scratch_folder("plan", tmp_path / "mine"):
        pass
    assert len(list(temporary.iterdir())) == 1


def test_the_folder_of_a_process_that_lives_stays(temporary: Path, tmp_path: Path) -> None:
    with scratch_folder("plan", tmp_path) as one:
        with scratch_folder("plan", tmp_path) as other:
            assert one != other
        assert one.exists()
    assert list(temporary.iterdir()) == []


def test_a_link_that_somebody_put_there_is_not_followed(temporary: Path, tmp_path: Path) -> None:
    with scratch_folder("plan", tmp_path) as folder:
        prefix = folder.name.rpartition("-")[0]
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").touch()
    (temporary / f"{prefix}-link").symlink_to(treasure)
    with scratch_folder("plan", tmp_path):
        pass
    assert (treasure / "gold").exists()


def test_where_the_path_would_be_too_long_for_a_socket_it_is_short(temporary: Path, tmp_path: Path) -> None:
    assert len(str(temporary)) > 20
    with scratch_folder("sockets", tmp_path, 60) as folder:
        assert folder.parent == Path("/tmp")
        assert len(str(folder)) <= 60
    assert not folder.exists()
    with scratch_folder("sockets", tmp_path, 1000) as folder:
        assert folder.parent == temporary
