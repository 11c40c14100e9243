"""The comparisons of a build, on disk as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pairwright.core.records import Compared
from pairwright.core.storage import storage_error


@contextmanager
def open_log(path: Path) -> Iterator[Callable[[Compared], None]]:
    """A function that adds one comparison to the file at ``path``, one per line.

    Raises:
        StorageError: the file cannot be written.
    """
    with _opened(path) as file:

        def write(row: Compared) -> None:
            try:
                file.write(row.model_dump_json() + "\n")
            except OSError as exc:
                raise storage_error(exc, path) from exc

        yield write


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("a", encoding="utf-8", newline="\n")
    except OSError as exc:
        raise storage_error(exc, path) from exc
