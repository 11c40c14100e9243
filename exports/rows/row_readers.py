"""Reads every training export back, whatever its form: for evaluation, and as proof that nothing is lost in writing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pairwright.core.errors import ExportError
from pairwright.core.files.file_errors import storage_error
from pairwright.core.records import Split
from pairwright.core.untrusted_json import read_json
from pairwright.exports.rows.rewrite_rows import TrainingRow


def read_training_rows(path: Path) -> Iterator[TrainingRow]:
    """The rows of a file of the ``llamafactory``, ``trl``, ``openai`` or ``parquet`` export, in order.

    ``tokens`` is 0: files do not hold it.

    Raises:
        ExportError: the file is of no such form (names file and row).
        StorageError: the file cannot be opened.
    """
    split = path.stem.rpartition("_")[2]
    for number, record in enumerate(records(path), start=1):
        try:
            system, user, chosen, rejected = _texts(record)
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            raise ExportError(f"{path}: row {number}: not a row of a training export ({exc!r})") from exc
        yield TrainingRow(cast(Split, split), system, user, chosen, rejected, 0, record.get("label", True))


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a JSON Lines, JSON or Parquet file as they stand there.

    Raises:
        ExportError: no JSON.
        StorageError: the file cannot be opened.
    """
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        # A file, not a path: Arrow reads some paths as addresses.
        with path.open("rb") as stream:
            for batch in pq.ParquetFile(stream).iter_batches():
                yield from batch.to_pylist()
        return
    try:
        with path.open("r", encoding="utf-8", newline="\n") as file:
            yield from read_json(file.read()) if path.suffix == ".json" else map(read_json, file)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    except ValueError as exc:
        raise ExportError(f"{path}: not JSON: {exc}") from exc


def _texts(row: dict[str, Any]) -> tuple[Any, ...]:
    """System, user, chosen and rejected text of a row in any form."""
    # First, because these rows have an "input" as well, which is how OpenAI's pairs are told.
    if "instruction" in row:
        return row["system"], row["instruction"], row["chosen" if "chosen" in row else "output"], row.get("rejected")
    if "conversations" in row:
        turns = row["conversations"]
        sides = [row["chosen"]["value"], row["rejected"]["value"]] if "chosen" in row else [turns[1]["value"], None]
        return row["system"], turns[0]["value"], *sides
    if "messages" in row:
        return *_contents(row["messages"]), None
    if "input" in row:
        return _contents([*row["input"]["messages"], *row["preferred_output"], *row["non_preferred_output"]])
    if "completion" in row:
        return *_contents([*row["prompt"], *row["completion"]]), None
    return _contents([*row["prompt"], *row["chosen"], *row["rejected"]])


def _contents(messages: list[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(message["content"] for message in messages)
