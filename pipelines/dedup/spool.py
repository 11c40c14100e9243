"""Tasks that wait in a temporary file until all of them have been seen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pairwright.core.records import Task
from pairwright.core.storage import storage_error


def write_task(spool: IO[bytes], task: Task) -> None:
    """Write one task.

    Raises:
        StorageError: the temporary folder is full; ``TMPDIR`` names another one.
    """
    try:
        spool.write(task.model_dump_json().encode() + b"\n")
    except OSError as exc:
        raise storage_error(exc, Path(tempfile.gettempdir())) from exc


def spooled_lines(spool: IO[bytes]) -> Iterator[bytes]:
    """The tasks as they were written, in order."""
    spool.seek(0)
    return iter(spool)


def spooled_tasks(spool: IO[bytes]) -> Iterator[Task]:
    """The tasks, in order."""
    return map(Task.model_validate_json, spooled_lines(spool))
