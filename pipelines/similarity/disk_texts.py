"""Texts and columns that wait on disk: what is compared may be larger than memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from pairwright.core.files.storage import close_temporary, temporary_folder_error, temporary_folder_errors

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.shingles import I64, U64

_CHUNK = 50_000  # texts read at once


class DiskTexts:
    """Texts in a temporary file, gone with :meth:`close`; in memory are eight bytes each, where they end."""

    def __init__(self) -> None:
        with temporary_folder_errors():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open until close()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, text: str) -> None:
        """Add a text.

        Raises:
            StorageError: the temporary folder is full; ``TMPDIR`` names another one.
        """
        data = text.encode("utf-8", "surrogatepass")
        try:
            self._file.write(data)
        except OSError as exc:
            raise temporary_folder_error(exc) from exc
        self._ends.append(self._ends[-1] + len(data))

    def close(self) -> None:
        """Give the disk space back."""
        close_temporary(self._file)

    def one(self, row: int) -> str:
        """The text of one row."""
        self._flush()
        start, stop = self._ends[row : row + 2]
        # pread leaves the place alone where the next text is written.
        return os.pread(self._file.fileno(), stop - start, start).decode("utf-8", "surrogatepass")

    def many(self, rows: I64) -> list[str]:
        """The texts of ``rows``, in that order; neighbours are read together."""
        if not len(rows):
            return []
        self._flush()
        ends = np.frombuffer(self._ends, np.uint64)
        begins, stops = ends[rows], ends[rows + 1]
        breaks = np.flatnonzero(begins[1:] != stops[:-1]) + 1
        found: list[str] = []
        for first, last in zip([0, *breaks.tolist()], [*breaks.tolist(), len(rows)], strict=True):
            start = int(begins[first])
            data = os.pread(self._file.fileno(), int(stops[last - 1]) - start, start)
            places = (stops[first:last] - np.uint64(start)).tolist()
            found += [
                data[begin:end].decode("utf-8", "surrogatepass")
                for begin, end in zip([0, *places[:-1]], places, strict=True)
            ]
        return found

    def _flush(self) -> None:
        with temporary_folder_errors():
            self._file.flush()


def whole(text: str) -> str:
    """All of a text."""
    return text


class View(Sequence[str]):
    """A part of some of the texts of a :class:`DiskTexts`, in the order of ``rows``, read when it is asked for."""

    def __init__(self, texts: DiskTexts, rows: I64, part: Callable[[str], str] = whole) -> None:
        self._texts = texts
        self._rows = rows
        self._part = part

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self._rows), _CHUNK):
            yield from self[start : start + _CHUNK]

    def many(self, places: I64) -> list[str]:
        """The texts at ``places``, in that order."""
        return list(map(self._part, self._texts.many(self._rows[places])))

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return list(map(self._part, self._texts.many(self._rows[place])))
        return self._part(self._texts.one(int(self._rows[place])))


class DiskRows:
    """A table of 64-bit words of a known shape on disk: written in blocks of columns, read row by row, gone with :meth:`close`."""

    def __init__(self, rows: int, columns: int) -> None:
        with temporary_folder_errors():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open until close()
        self._rows = rows
        self._columns = columns

    def __len__(self) -> int:
        return self._rows

    def close(self) -> None:
        """Give the disk space back."""
        close_temporary(self._file)

    def put(self, first: int, block: U64) -> None:
        """Write ``block``, of shape (rows, some columns), from column ``first`` on.

        Raises:
            StorageError: the temporary folder is full; ``TMPDIR`` names another one.
        """
        for number, row in enumerate(block):
            place = 8 * (number * self._columns + first)
            data = memoryview(row).cast("B")
            with temporary_folder_errors():
                # pwrite may write less than it was given.
                while data:
                    written = os.pwrite(self._file.fileno(), data, place)
                    data, place = data[written:], place + written

    def row(self, number: int) -> U64:
        """One row."""
        # Row -1 is the last one: beside the first band stands the last.
        self._file.seek(8 * (number % self._rows) * self._columns)
        return np.fromfile(self._file, np.uint64, self._columns)
