"""What a failed file operation is called, and what helps: one table of the system's errors, one of SQLite's.

Everything that writes goes through here, so that "free some space" is said where space is what is missing, and only there.
"""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pairwright.core.errors import StorageError

AGAIN = "then run the same command again: nothing paid for is lost."
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_LITTLE = 64 * 1024  # bytes; SQLite names the cause of an error only when a write of its own finds the disk full
_ELSEWHERE = "choose another place"
_DEVICE = "The disk is gone, or its driver is: look whether it is still mounted"

REMEDIES: Mapping[int, str] = {
    errno.ENOSPC: f"Free some space there or {_ELSEWHERE}",
    errno.EDQUOT: f"Your share of this disk is used up: free some space there or {_ELSEWHERE}",
    errno.EFBIG: "ulimit -f shows how large a file may grow here, and some file systems have a limit of their own: "
    f"raise it or {_ELSEWHERE}",
    errno.EMFILE: "This process has as many files open as it may: ulimit -n 4096 raises the limit",
    errno.ENFILE: "The whole machine has as many files open as it may: end other programs",
    errno.EROFS: f"The file system is mounted read-only: mount it for writing or {_ELSEWHERE}",
    errno.EACCES: f"You may not do this here: correct the permissions of the file and its folder, or {_ELSEWHERE}",
    errno.EPERM: f"The system does not allow this here: correct the owner or the attributes of the file, or {_ELSEWHERE}",
    errno.ENAMETOOLONG: "Give a shorter name: most file systems allow 255 bytes for each part of a path, which is 85 Chinese characters",
    errno.ENOENT: "It is not there, or a folder above it is not: correct the path",
    errno.EEXIST: "Something of that name is there already: move it away or choose another name",
    errno.ENOTEMPTY: "The folder is not empty: move away what is in it, or choose another name",
    errno.EISDIR: "A folder is where a file should be: move it away or choose another name",
    errno.ENOTDIR: "A file is where a folder should be: move it away or choose another path",
    errno.ELOOP: "The path goes round in symbolic links: correct them",
    errno.EMLINK: f"The folder has as many entries as its file system allows: {_ELSEWHERE}",
    errno.EXDEV: "Two parts of this path lie on different file systems, and must not: give a folder that is on one",
    errno.EBUSY: "Something else is using it: end that",
    errno.ETXTBSY: "It is a program that runs: end that",
    errno.EIO: "The disk or the way to it failed: dmesg says more; copy what you need from it, "
    f"and {_ELSEWHERE} on another disk",
    errno.ENODEV: _DEVICE,
    errno.ENXIO: _DEVICE,
    errno.ESTALE: "The network drive has lost this file: mount it again",
    errno.ENOLCK: f"The file system gives no more locks: {_ELSEWHERE} on a local disk",
    errno.ENOMEM: "The machine has no memory left: end other programs",
}
"""What to do about each error of the system: a sentence to which the way to go on is added."""

_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: REMEDIES[errno.ENOSPC],
    sqlite3.SQLITE_READONLY: "The ledger, or its folder, may not be written: correct the permissions",
    sqlite3.SQLITE_PERM: REMEDIES[errno.EACCES],
    sqlite3.SQLITE_BUSY: "Another process has kept it locked for a minute: wait for that or end it",
    sqlite3.SQLITE_LOCKED: "Another process has kept it locked for a minute: wait for that or end it",
    sqlite3.SQLITE_CANTOPEN: "It is a folder, or you may not open it: correct the path or the permissions",
    sqlite3.SQLITE_IOERR: REMEDIES[errno.EIO],
    sqlite3.SQLITE_CORRUPT: (
        "The file is damaged. Keep a copy; sqlite3 LEDGER .recover may save its answers. Without it they are paid for again. "
        "Name another ledger"
    ),
    sqlite3.SQLITE_NOTADB: "This file is no ledger: name another",
    sqlite3.SQLITE_NOMEM: REMEDIES[errno.ENOMEM],
}
_NUMBERED = re.compile(r"\[errno (\d+)\]", re.IGNORECASE)


def storage_error(exc: OSError, path: Path | str) -> StorageError:
    """The paragraph that a user reads for a failed file operation. A file that ``exc`` names is named instead of ``path``."""
    named = exc.filename
    if isinstance(named, str | bytes | os.PathLike) and named:
        path = os.fsdecode(named).removesuffix(".partial")
    number = exc.errno or _number_in(str(exc))
    reason = exc.strerror or str(exc)
    if number is not None and number in REMEDIES:
        # Arrow and others put words and detail of their own there.
        reason = os.strerror(number)
    return StorageError(f"{path}: {reason}", remedy(number))


def remedy(number: int | None) -> str:
    """What helps against an error of the system, and how to go on."""
    if number is None or number not in REMEDIES:
        return f"Mend that, {AGAIN}"
    return f"{REMEDIES[number]}, {AGAIN}"


def ledger_error(exc: sqlite3.Error, path: Path) -> StorageError:
    """The same for an error of SQLite, which has words of its own and often does not know the cause."""
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # the other bytes only say where in SQLite
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and disk_full(path.parent):
        return StorageError(f"{path}: {os.strerror(errno.ENOSPC)}", remedy(errno.ENOSPC))
    if code == sqlite3.SQLITE_IOERR and at_size_limit(path):
        return StorageError(f"{path}: {os.strerror(errno.EFBIG)}", remedy(errno.EFBIG))
    known = _SQLITE.get(code)
    if known is None:
        return StorageError(f"{path}: {exc}", f"Check that this is a ledger and can be written, {AGAIN}")
    return StorageError(f"{path}: {exc}", f"{known}, {AGAIN}")


def disk_full(folder: Path) -> bool:
    """Whether there is next to no room, for bytes or for files, where ``folder`` lies."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    no_files = found.f_files > 0 and found.f_favail == 0
    return no_files or found.f_bavail * found.f_frsize < _LITTLE


def full_disk(folder: Path) -> StorageError | None:
    """The error for something that failed where ``folder`` lies and did not say why, if the disk there is full."""
    return storage_error(OSError(errno.ENOSPC, ""), folder) if disk_full(folder) else None


def size_limit() -> int | None:
    """How many bytes a file of this process may have; none where that is not limited."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def at_size_limit(path: Path, more: int = _LITTLE) -> bool:
    """Whether ``more`` bytes would make a ledger, or the log that SQLite keeps beside it, larger than this process may."""
    limit = size_limit()
    if limit is None:
        return False
    sizes = [one.stat().st_size for one in (path, path.with_name(f"{path.name}-wal")) if one.exists()]
    return any(size + more > limit for size in sizes)


def file_trouble(exc: BaseException, place: Path | str) -> StorageError | None:
    """What to tell a user if ``exc`` comes from a disk, however it was wrapped on its way; else None.

    A file that is missing is none: where nobody expected that it is a bug.
    """
    for one in _chain(exc):
        if isinstance(one, StorageError):
            return one
        number = (one.errno if isinstance(one, OSError) else None) or _number_in(str(one))
        if number is not None and number in REMEDIES and number != errno.ENOENT:
            return storage_error(one if isinstance(one, OSError) else OSError(number, os.strerror(number)), place)
    return None


@contextmanager
def file_errors(place: Path | str) -> Iterator[None]:
    """Whatever a disk does in this block is told in a paragraph; ``place`` is named where the error names no file.

    Raises:
        StorageError: instead of the system's error.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as exc:
        if (told := file_trouble(exc, place)) is None:
            raise
        raise told from exc


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """An exception and those inside of it: of groups, causes, and what distilabel brings from another process."""
    waiting, seen = [exc], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inside = [one.__cause__, one.__context__, getattr(one, "subprocess_exception", None)]
        if isinstance(one, BaseExceptionGroup):
            inside += one.exceptions
        waiting += [other for other in inside if isinstance(other, BaseException)]


def _number_in(text: str) -> int | None:
    found = _NUMBERED.search(text)
    return int(found[1]) if found else None
