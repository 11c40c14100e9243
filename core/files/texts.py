"""Texts in files that a user names."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from pairwright.core.errors import SourceError


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


def read_lines(path: Path, encoding: str = "utf-8") -> list[str]:
    """The lines of such a file, told apart by line feeds alone: U+2028 and its like may stand inside of a JSON text.

    Raises:
        OSError, UnicodeDecodeError: see :func:`read_text`.
    """
    lines = read_text(path, encoding).split("\n")
    return lines if lines[-1] else lines[:-1]


def read_row_lines(path: Path, hint: str) -> list[str]:
    """The lines of a file of rows that a user hands in; ``hint`` says what to do if there is no such file.

    Raises:
        SourceError: it cannot be read, or is not UTF-8.
    """
    try:
        return read_lines(path, "utf-8-sig")
    except OSError as exc:
        raise SourceError(f"{path}: {exc.strerror}", hint) from exc
    except UnicodeDecodeError as exc:
        raise SourceError(f"{path}: not UTF-8 at byte {exc.start + 1}", "Save the file as UTF-8.") from exc
