"""Plain JSON Lines with everything known about each row: task, examples, verdicts, defect, evidence, generation.

The rows are those of core/records.py; ``read_rows(path, PreferencePair)`` reads them back. The folders that a source's file
lay in on one machine are left out of its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, ClassVar, get_args

from pairwright.core.components import Component
from pairwright.core.files.storage import atomic_writer
from pairwright.core.records import Split
from pairwright.core.result import BuildResult
from pairwright.exports.rows.provenance import public_lines

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
            stem = folder / "jsonl" / f"{build.config.name}_{kind}"
            written += _by_split(build.rows / f"{kind}.jsonl", stem, public_lines(build.config.sources))
        return written


def _by_split(source: Path, stem: Path, public: Callable[[str], str]) -> list[Path]:
    files: dict[str, IO[str]] = {}
    with ExitStack() as stack, source.open("r", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            split = _ENDS[line[line.rindex('"split":') :]]
            if split not in files:
                files[split] = stack.enter_context(atomic_writer(_named(stem, split)))
            files[split].write(public(line))
    return [_named(stem, split) for split in sorted(files)]


def _named(stem: Path, split: str) -> Path:
    return stem.with_name(f"{stem.name}_{split}.jsonl")
