"""Plain JSON Lines with everything known about each row: task, examples, verdicts, defect, evidence, generation.

The rows are those of core/records.py; ``read_rows(path, PreferencePair)`` reads them back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, ClassVar, get_args

from pairwright.core.components import Component
from pairwright.core.records import Split
from pairwright.core.result import BuildResult
from pairwright.core.storage import atomic_writer

# ``split`` is the last field of both row types: a line's end says where it belongs, and nothing needs parsing.
_ENDS = {f'"split":"{split}"}}\n': split for split in get_args(Split)}


class JsonlExporter(Component):
    """``FOLDER/jsonl/NAME_sft_train.jsonl``, ``NAME_pairs_train.jsonl``, … for each split that has rows."""

    name: ClassVar[str] = "jsonl"

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write the files and return them.

        Raises:
            StorageError: a file cannot be written.
        """
        written: list[Path] = []
        for kind in ("sft", "pairs"):
            written += _by_split(build.rows / f"{kind}.jsonl", folder / "jsonl", f"{build.config.name}_{kind}")
        return written


def _by_split(source: Path, target: Path, stem: str) -> list[Path]:
    files: dict[str, IO[str]] = {}
    with ExitStack() as stack, source.open("r", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            split = _ENDS[line[line.rindex('"split":') :]]
            if split not in files:
                files[split] = stack.enter_context(atomic_writer(target / f"{stem}_{split}.jsonl"))
            files[split].write(line)
    return [target / f"{stem}_{split}.jsonl" for split in sorted(files)]
