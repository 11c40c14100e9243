"""Temporary folders that go however their process ends: what a killed one left, the next one for the same owner removes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_RANDOM = 8  # characters that mkdtemp adds


@contextmanager
def scratch_folder(purpose: str, owner: Path, longest: int | None = None) -> Iterator[Path]:
    """An empty folder ``pairwright-PURPOSE-…`` in the system's temporary folder, which only this user can read.

    ``owner`` is a path that names the work: the folders that a killed process left for the same ``purpose`` and owner
    are removed first. Those of processes that live are theirs. Where its path would have more than ``longest`` bytes it
    lies in ``/tmp``: a socket's address has room for a hundred.
    """
    digest = hashlib.sha256(os.fsencode(owner.absolute())).hexdigest()[:12]
    prefix = f"pairwright-{purpose}-{digest}-"
    place = Path(tempfile.gettempdir())
    if longest is not None and len(os.fsencode(place / prefix)) + _RANDOM > longest:
        place = Path("/tmp")
    for left in place.glob(f"{prefix}*"):
        _remove_if_left(left)
    folder, lock = _locked_folder(prefix, place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder(prefix: str, place: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        # The kernel gives the lock back when the process dies. It is not inherited by programs that are started.
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)  # it was taken for one that was left, before it was locked


def _remove_if_left(folder: Path) -> None:
    with suppress(OSError):  # gone meanwhile, in use, or another user's
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.geteuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
