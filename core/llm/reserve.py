"""Disk space that is kept free for answers on their way: whoever pays for an answer must be able to write it down.

The space is that of a file without a name beside the ledger. Nobody else can take it, and it goes with its process, however
that ends. It is given back at the moment at which the disk is full.
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from pairwright.core.files.file_errors import FULL

STEP = 64 * 1024  # bytes that are taken at once
# What a commit adds to the log of SQLite beside the text: pages of four kB of four tables and two indexes, each whole.
# Now and then one is split in two.
COMMIT = 40 * 1024
LETTERS = 2  # bytes for each token that was set aside: the prompt counts among them, with every byte of it


def room_for(tokens: int) -> int:
    """Bytes that an answer of at most so many tokens, and the note of how its attempt ended, may take on disk."""
    return COMMIT + LETTERS * tokens


class Reserve:
    """Space in ``folder`` that only this process can use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: int | None = None
        self._size = 0

    def hold(self, size: int) -> None:
        """Keep at least ``size`` bytes; no more than before where they are kept already.

        Raises:
            OSError: there is not so much space.
        """
        if size <= self._size or not hasattr(os, "posix_fallocate"):
            return
        wanted = -(-size // STEP) * STEP
        if self._file is None:
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                self._file = os.dup(file.fileno())
        try:
            os.posix_fallocate(self._file, self._size, wanted - self._size)
        except OSError as exc:
            if exc.errno not in FULL | {errno.EFBIG}:
                return  # a file system that cannot keep space
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._size = wanted

    def release(self) -> bool:
        """Give the space back; False if there was none."""
        held, self._size = self._size, 0
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None
        return held > 0
