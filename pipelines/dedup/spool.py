"""Tasks that wait in a temporary file until all of them have been seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from pairwright.core.files.storage import temporary_folder_error, temporary_folder_errors
from pairwright.core.records import Task


def write_task(spool: IO[bytes], task: Task) -> None:
    """Write one task.

    Raises:
        StorageError: the temporary folder is full; ``TMPDIR`` names another one.
    """
    try:
        spool.write(task.model_dump_json().encode() + b"\n")
    except OSError as exc:
        raise temporary_folder_error(exc) from exc


def spooled_lines(spool: IO[bytes]) -> Iterator[bytes]:
    """The tasks as they were written, in order.

    Raises:
        StorageError: the temporary folder is full.
    """
    with temporary_folder_errors():
        spool.seek(0)
    return iter(spool)


def spooled_tasks(spool: IO[bytes]) -> Iterator[Task]:
    """The tasks, in order."""
    return map(Task.model_validate_json, spooled_lines(spool))
