"""Rows on disk: JSON Lines, atomic files, the manifest, and the lock that keeps two builds out of one folder.

A file appears under its name only when it is complete: it is written beside its place and renamed. All file-system
errors of a build are translated here, so that a full disk is one clear paragraph and leaves nothing half-written.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from pydantic import ValidationError

from pairwright.core.errors import StorageError
from pairwright.core.files.file_errors import storage_error
from pairwright.core.identity import Row

R = TypeVar("R", bound=Row)


@contextmanager
def atomic_writer(path: Path) -> Iterator[IO[str]]:
    """Open ``path`` for UTF-8 text with ``\\n`` line ends; it replaces any older file only if the block succeeds.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    with atomic_path(path) as partial, text_file(partial, path) as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it replaces any older file at ``path`` only if the block succeeds.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    refuse_link(path)
    refuse_link(partial)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except BaseException as exc:
        with suppress(OSError):  # where nothing could be written there is nothing to remove
            partial.unlink()
        if isinstance(exc, OSError):
            raise storage_error(exc, path) from exc
        raise


def refuse_link(path: Path) -> None:
    """Check that ``path``, which is about to be written, is no link: what it points to is somebody else's.

    Raises:
        StorageError: it is one.
    """
    if os.path.islink(path):
        raise StorageError(
            f"{path}: a link, and pairwright writes through none",
            "Remove the link, or give another output folder; what it points to was not touched.",
        )


def write_rows(path: Path, rows: Iterable[Row]) -> int:
    """Write one row per line as UTF-8 JSON, unescaped; return how many."""
    count = 0
    with atomic_writer(path) as file:
        for row in rows:
            file.write(row.model_dump_json() + "\n")
            count += 1
    return count


@contextmanager
def text_file(path: Path, called: Path | None = None, mode: str = "w") -> Iterator[IO[str]]:
    """A file for UTF-8 text with ``\\n`` line ends that tells of all that goes wrong, also of what only closing it finds.

    ``called`` is its name in messages. Where the block fails anyway, closing it adds nothing to that.

    Raises:
        StorageError: the file cannot be opened, written or closed.
    """
    called = called or path
    try:
        file = path.open(mode, encoding="utf-8", newline="\n")
    except OSError as exc:
        raise storage_error(exc, called) from exc
    try:
        yield file
    except BaseException as exc:
        with suppress(OSError):
            file.close()
        if isinstance(exc, OSError):
            raise storage_error(exc, called) from exc
        raise
    try:
        file.close()
    except OSError as exc:
        raise storage_error(exc, called) from exc


@contextmanager
def temporary_file() -> Iterator[IO[bytes]]:
    """A file in the temporary folder that is gone with the block; see :func:`temporary_folder_errors`."""
    with temporary_folder_errors():
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    try:
        with temporary_folder_errors():
            yield file
    finally:
        close_temporary(file)


def close_temporary(file: IO[bytes]) -> None:
    """Close a file that nobody reads any more: what could not be written does not matter then."""
    with suppress(OSError):
        file.close()


@contextmanager
def temporary_folder_errors() -> Iterator[None]:
    """What goes wrong in this block went wrong in the temporary folder.

    Raises:
        StorageError: it is full, for instance; the hint says how to name another one.
    """
    try:
        yield
    except OSError as exc:
        raise temporary_folder_error(exc) from exc


def temporary_folder_error(exc: OSError) -> StorageError:
    """The same for one error: where a block for every row would take too long."""
    place = os.environ.get("TMPDIR") or tempfile.tempdir or "/tmp"
    told = storage_error(exc, place)
    if not told.message.startswith(place):
        return told
    return StorageError(told.message, f"{told.hint} TMPDIR names another temporary folder.")


@contextmanager
def open_log(path: Path) -> Iterator[Callable[[Row], None]]:
    """A function that adds one row to the file at ``path``, one per line, as they are made.

    Raises:
        StorageError: the file cannot be written.
    """
    refuse_link(path)
    with text_file(path, mode="a") as file:

        def write(row: Row) -> None:
            try:
                file.write(row.model_dump_json() + "\n")
            except OSError as exc:
                raise storage_error(exc, path) from exc

        yield write


def read_rows(path: Path, row_type: type[R]) -> Iterator[R]:
    """Yield the rows of a file written by :func:`write_rows`.

    Raises:
        StorageError: the file is missing, or a line is not such a row (names file and line).
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield row_type.model_validate_json(line)
                except ValidationError as exc:
                    raise StorageError(
                        f"{path}:{number}: not a {row_type.__name__}",
                        "The file was changed by hand or cut off; build again.",
                    ) from exc
    except OSError as exc:
        raise storage_error(exc, path) from exc


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as indented, key-sorted UTF-8 JSON with a final newline."""
    with atomic_writer(path) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def manifest_of(folder: Path, files: Sequence[Path]) -> dict[str, str]:
    """``{path relative to folder: SHA-256}`` of the files, sorted by path."""
    return {file.relative_to(folder).as_posix(): sha256_of(file) for file in sorted(files)}


_HOLDER = re.compile(r"(process \d+\n?)?")


def _open_itself(path: str, flags: int) -> int:
    """Opens no link: one may have been put there since it was looked at."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


@contextmanager
def lock_folder(folder: Path, what: str = "build") -> Iterator[None]:
    """Hold ``folder`` for one build or ``what`` else. The lock goes with the process, also when it is killed.

    Raises:
        StorageError: another one holds it; or a file of that name is no lock, and stays as it is.
    """
    path = folder / f"{what}.lock"
    refuse_link(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Not "w": that would wipe out who holds the lock before it is known whether we get it.
        file = open(path, "a+", encoding="utf-8", errors="replace", opener=_open_itself)  # noqa: SIM115
    except OSError as exc:
        raise storage_error(exc, path) from exc
    with file:
        file.seek(0)
        if not _HOLDER.fullmatch(file.read(100)):
            raise StorageError(f"{path}: not a lock of pairwright", "Move this file elsewhere; it was not touched.")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            file.seek(0)
            raise StorageError(
                f"{folder}: another {what} is running here ({file.read().strip() or 'unknown process'})",
                f"Wait for it to end, or give this {what} another output folder.",
            ) from exc
        # Who holds it is only told to others: the lock is as good on a disk that has no room for the line.
        with suppress(OSError):
            file.truncate(0)
            os.write(file.fileno(), f"process {os.getpid()}\n".encode())
        yield
