"""Texts in files that a user names."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The text of a file; of a plain one, for a device may have no end and a pipe may have no writer.

    Raises:
        OSError: it cannot be read, or is something else than a file; ``strerror`` says what.
        UnicodeDecodeError: another encoding.
    """
    # Not to wait in open() for the writer of a pipe.
    with open(path, encoding=encoding, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "a device, a pipe or a socket, no file", str(path))
        return file.read()
