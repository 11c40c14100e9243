from __future__ import annotations

import errno
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pairwright.core.errors import BudgetReached, StorageError
from pairwright.core.files.file_errors import REMEDIES, file_errors, file_trouble, ledger_error, storage_error
from pairwright.core.files.storage import atomic_writer, open_log, text_file
from pairwright.core.records import Turn

SPACE = "ree some space"


@pytest.mark.parametrize("number", [*REMEDIES, errno.ECONNRESET])
def test_space_is_asked_for_only_where_space_is_what_is_missing(number: int) -> None:
    told = storage_error(OSError(number, os.strerror(number)), Path("数据/rows.jsonl"))
    assert told.message == f"数据/rows.jsonl: {os.strerror(number)}"
    assert (SPACE in told.hint) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert told.hint.endswith("then run the same command again: nothing paid for is lost.")


def test_the_file_that_the_system_names_is_named_and_never_by_its_unfinished_name(tmp_path: Path) -> None:
    other = OSError(errno.EACCES, "Permission denied", str(tmp_path / "other"))
    assert storage_error(other, tmp_path).message.startswith(f"{tmp_path / 'other'}:")
    (tmp_path / "rows.jsonl.partial").mkdir()
    said = r"rows\.jsonl: Is a directory\n.*folder is where a file"
    with pytest.raises(StorageError, match=said), atomic_writer(tmp_path / "rows.jsonl"):
        pass


def test_a_name_that_is_too_long_is_told_as_that(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match=r"File name too long\n.*shorter name"),
        atomic_writer(tmp_path / ("长" * 90)),
    ):
        pass


def _readonly(path: Path) -> None:
    path.touch()
    sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("CREATE TABLE t (x)")


def _no_ledger(path: Path) -> None:
    path.write_text("not a database, and long enough to be taken for the header of one" * 20)
    sqlite3.connect(path).execute("SELECT * FROM sqlite_master")


def _cannot_open(path: Path) -> None:
    path.mkdir()
    sqlite3.connect(path)


def _locked(path: Path) -> None:
    with sqlite3.connect(path) as first:
        first.execute("BEGIN EXCLUSIVE")
        sqlite3.connect(path, timeout=0).execute("BEGIN IMMEDIATE")


@pytest.mark.parametrize(
    ("fail", "said"),
    [
        (_readonly, "readonly database\n.*permissions"),
        (_no_ledger, "not a database\n.*no ledger"),
        (_cannot_open, "unable to open.*\n.*It is a folder"),
        (_locked, "locked\n.*Another process"),
    ],
)
def test_errors_of_the_ledger_have_words_of_their_own(tmp_path: Path, fail: Callable[[Path], None], said: str) -> None:
    with pytest.raises(sqlite3.Error) as caught:
        fail(tmp_path / "l")
    told = str(ledger_error(caught.value, tmp_path / "l"))
    assert re.search(said, told), told
    assert SPACE not in told


def test_a_full_disk_is_found_however_it_was_wrapped(tmp_path: Path) -> None:
    wrapped = RuntimeError("step failed")
    wrapped.__cause__ = ExceptionGroup("many", [ValueError("no"), OSError(errno.ENOSPC, "Error writing bytes to file")])
    told = file_trouble(wrapped, tmp_path)
    assert told is not None
    assert told.message == f"{tmp_path}: No space left on device"
    arrow = OSError("IOError: [Errno 28] Error writing bytes. Detail: [errno 28] No space left on device")
    assert str(file_trouble(arrow, tmp_path)) == str(told)
    assert file_trouble(FileNotFoundError(errno.ENOENT, "gone"), tmp_path) is None
    assert file_trouble(KeyError("a bug"), tmp_path) is None


def test_what_is_no_trouble_of_a_disk_stays_what_it_was() -> None:
    with pytest.raises(ConnectionResetError), file_errors("here"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")
    with pytest.raises(StorageError, match="here: Read-only file system"), file_errors("here"):
        raise OSError(errno.EROFS, "Read-only file system")


def test_a_file_that_only_closing_finds_full_is_an_error_and_hides_no_earlier_one() -> None:
    full = Path("/dev/full")
    with pytest.raises(StorageError, match="/dev/full: No space left"), text_file(full) as file:
        file.write("waits in the buffer")
    with pytest.raises(StorageError, match="/dev/full: No space left"), open_log(full) as write:
        write(Turn(role="user", content="它呢？"))
    with pytest.raises(BudgetReached), text_file(full) as file:
        file.write("waits in the buffer")
        raise BudgetReached("enough")


LIMITED = """
import resource, sys
from pathlib import Path
from pairwright.core.errors import StorageError
from pairwright.core.records import Turn
from pairwright.core.files.storage import atomic_writer
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with atomic_writer(Path(sys.argv[1])) as file:
        for number in range(3000):
            file.write("一行数据\\n")
except StorageError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("bytes_", [0, 5000, 38999])
def test_a_file_that_may_not_grow_leaves_the_old_one_and_nothing_half_written(tmp_path: Path, bytes_: int) -> None:
    (tmp_path / "rows").write_text("old")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "rows"), str(bytes_)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    assert done.stdout.startswith(f"{tmp_path / 'rows'}: File too large\nulimit -f"), done.stdout
    assert os.listdir(tmp_path) == ["rows"]
    assert (tmp_path / "rows").read_text() == "old"
