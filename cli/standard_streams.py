"""Standard output and error as pipes end and disks fill up: ``pairwright list | head -1``, ``> /dev/full``, ``>&-``.

Whoever reads our output and has seen enough closes it, and a terminal may go away. That is no error: what comes after it is thrown away, the work goes
on to its end, and so does the exit code. Output that cannot be written for another reason is an error. Of standard error
nothing can be told to anybody.

What is printed is text: :class:`~pairwright.core.pages.plain_streams.PlainStream` lets no escape sequence through.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pairwright.core.files.file_errors import storage_error
from pairwright.core.pages.plain_streams import PlainStream


class _Stream(io.FileIO):
    """A standard stream whose reader may go away."""

    def __init__(self, number: int, called: str) -> None:
        super().__init__(number, "w", closefd=False)
        self._called = called  # in errors; nothing where none are told
        self._terminal = self.isatty()

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except OSError as exc:
            # What waits in buffers is written once more when the program ends.
            _point_nowhere(self.fileno())
            # EIO: the terminal went away, as when ssh is cut.
            hung_up = exc.errno == errno.EIO and self._terminal
            if isinstance(exc, BrokenPipeError) or hung_up or not self._called:
                return memoryview(data).nbytes  # type: ignore[arg-type]
            raise OSError(exc.errno, exc.strerror, self._called) from exc


def _point_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere != number:
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextmanager
def standard_streams() -> Iterator[None]:
    """Put streams in place that do what the module says, for a program that ends after this block.

    Raises:
        StorageError: standard output could not be written.
    """
    _open_closed()
    # Not those that somebody has put in their place: a test, a notebook.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _replaced(sys.stdout, 1, "standard output")
    if sys.stderr is sys.__stderr__:
        sys.stderr = _replaced(sys.stderr, 2, "")
    try:
        yield
    finally:
        _flush()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError as exc:
        raise storage_error(exc, "standard output") from exc


def _open_closed() -> None:
    """Open what the shell closed: the next file, a ledger for instance, would get its number, and what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _replaced(stream: io.TextIOWrapper | None, number: int, called: str) -> PlainStream:
    """``stream`` is None where the shell closed it."""
    raw = _Stream(number, called)
    encoding = stream.encoding if stream is not None else "utf-8"
    return PlainStream(io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=number == 2 or raw.isatty())
