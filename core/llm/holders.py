"""Who is alive among those that ask with one ledger: each holds a lock, and the kernel gives it back however a process ends.

The locks are empty files beside the ledger, ``LEDGER-asking-…``: a process number would mean nothing in another
container, and a note in the ledger would outlive its writer.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"[0-9a-f]{16}")


class Holder:
    """One that asks with the ledger at ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tried = False
        self._held: tuple[str, int] | None = None  # name and lock

    def name(self) -> str | None:
        """What the others know this one by, from the first call on; None where this folder can hold no locks."""
        if not self._tried:
            self._tried = True
            with suppress(OSError):
                self._sweep()
                self._held = self._take()
        return self._held[0] if self._held else None

    def lives(self, name: str) -> bool:
        """Does the holder of that name still run?"""
        return name == self.name() or (_NAME.fullmatch(name) is not None and not _remove_if_left(self._file(name)))

    def release(self) -> None:
        """Be gone for the others."""
        if self._held is not None:
            name, lock = self._held
            with suppress(OSError):
                os.unlink(self._file(name))
            os.close(lock)
        self._tried, self._held = False, None

    def _file(self, name: str) -> str:
        # SQLite puts its own files beside the ledger itself too, not beside a link to it.
        return f"{os.path.realpath(self._path)}-asking-{name}"

    def _take(self) -> tuple[str, int]:
        while True:
            name = secrets.token_hex(8)
            file = self._file(name)
            lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.exists(file):
                    return name, lock
            except BlockingIOError:
                pass
            except OSError:  # no locks on this file system
                os.close(lock)
                os.unlink(file)
                raise
            os.close(lock)  # another one took it for one that was left, before it was locked

    def _sweep(self) -> None:
        ledger = os.path.realpath(self._path)
        for beside in os.listdir(os.path.dirname(ledger)):
            name = beside.removeprefix(f"{os.path.basename(ledger)}-asking-")
            if _NAME.fullmatch(name):
                _remove_if_left(self._file(name))


def _remove_if_left(file: str) -> bool:
    """Remove the lock of a process that has gone; False if its holder lives."""
    try:
        lock = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return True
    except OSError:  # another user's: not ours to judge, and the wait for an answer has an end
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(lock).st_size == 0:
            os.unlink(file)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
