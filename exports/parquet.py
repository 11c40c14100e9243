"""Parquet: one flat table per kind and split, prompt and provenance side by side; what the Hub shows and filters best.

``datasets.load_dataset("parquet", data_files=...)`` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pairwright.core.components import Component
from pairwright.core.config import PromptConfig
from pairwright.core.prompts import student_answer, student_prompt
from pairwright.core.records import Generation, PreferencePair, Rejected, SftRow
from pairwright.core.result import BuildResult
from pairwright.core.storage import atomic_path

BATCH = 2000  # rows in memory at a time, and rows of one row group
_NUMBERS = {"source_line": "int64", "chosen_temperature": "float64", "rejected_temperature": "float64"}


class ParquetExporter(Component):
    """``FOLDER/parquet/NAME_sft_train.parquet``, ``NAME_dpo_train.parquet``, … for each split that has rows."""

    name: ClassVar[str] = "parquet"

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write the files and return them.

        Raises:
            StorageError: a file cannot be written.
        """
        stem, prompt = folder / "parquet" / build.config.name, build.config.prompt
        return [*_written(build.sft(), f"{stem}_sft", prompt), *_written(build.pairs(), f"{stem}_dpo", prompt)]


def flat(row: SftRow | PreferencePair, config: PromptConfig) -> dict[str, Any]:
    """A row as one flat record: the prompt, the answers, where they came from and what makes one worse.

    ``chosen`` and ``rejected`` are the student's answers (absent where an analysis is asked for and there is none).
    ``parameters`` of the perturber and ``verdicts`` are JSON; ``chosen_prompt`` and ``rejected_prompt`` are the hashes
    of the prompts that models were asked with.
    """
    task, chosen, prompt = row.task, row.chosen, student_prompt(row.task, config)
    return {
        "id": row.id,
        "system": prompt.system,
        "prompt": prompt.user,
        "chosen": student_answer(chosen, config),
        **(_worse(row.rejected, config) if isinstance(row, PreferencePair) else {}),
        "history": [turn.model_dump() for turn in task.history],
        "query": task.query,
        "rewrite": chosen.rewrite,
        "analysis": chosen.analysis,
        "language": task.language,
        "domain": task.domain,
        "dialogue": task.dialogue,
        "chosen_origin": chosen.origin,
        **_sampling("chosen", chosen.generation),
        "verdicts": json.dumps([verdict.model_dump(mode="json") for verdict in row.verdicts], ensure_ascii=False),
        "source": task.origin.source,
        "source_file": task.origin.file,
        "source_line": task.origin.line,
        "source_key": task.origin.key,
        "licence": task.origin.licence,
    }


def _worse(rejected: Rejected, config: PromptConfig) -> dict[str, Any]:
    return {
        "rejected": student_answer(rejected, config),
        "rejected_rewrite": rejected.text,
        "rejected_analysis": rejected.analysis,
        "defect": rejected.defect,
        "evidence": rejected.evidence,
        "maker": rejected.maker,
        "template": rejected.template,
        "parameters": json.dumps(dict(rejected.parameters), ensure_ascii=False, sort_keys=True),
        **_sampling("rejected", rejected.generation),
    }


def _sampling(side: str, generation: Generation | None) -> dict[str, Any]:
    return {
        f"{side}_model": generation.model if generation else None,
        f"{side}_temperature": generation.temperature if generation else None,
        f"{side}_prompt": generation.prompt_hash if generation else None,
    }


def _written(rows: Iterator[SftRow | PreferencePair], stem: str, prompt: PromptConfig) -> list[Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files: dict[Path, Any] = {}
    with ExitStack() as stack:
        while batch := list(islice(rows, BATCH)):
            schema = pa.schema([(name, _type(name)) for name in flat(batch[0], prompt)])
            for split in sorted({row.split for row in batch}):
                path = Path(f"{stem}_{split}.parquet")
                if path not in files:
                    partial = stack.enter_context(atomic_path(path))
                    files[path] = stack.enter_context(pq.ParquetWriter(partial, schema, compression="zstd"))
                records = [flat(row, prompt) for row in batch if row.split == split]
                files[path].write_table(pa.Table.from_pylist(records, schema=schema))
    return sorted(files)


def _type(name: str) -> Any:
    import pyarrow as pa

    if name == "history":
        return pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    return _NUMBERS.get(name, "string")
