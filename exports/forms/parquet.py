"""Parquet: one table per kind and split with TRL's conversational columns and the provenance of every row beside them.

What to publish: the Hub shows and filters it, TRL trains on it as it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.config.build_file import PromptConfig
from pairwright.core.files.storage import atomic_path, write_json
from pairwright.core.records import Generation, PreferencePair, Rejected, SftRow, Split, TaskKind, ToolCall, Turn
from pairwright.core.result import BuildResult
from pairwright.exports.forms.trl import trl_dpo, trl_sft
from pairwright.exports.rows.chat_rows import ChatRow, ChatRows
from pairwright.exports.rows.provenance import public_rows
from pairwright.exports.rows.rendering import Budget, R, RowRenderer, Source, Tally, described, rendered
from pairwright.exports.rows.rewrite_rows import RewriteRows, TrainingRow

BATCH = 2000  # rows in memory at a time, and rows of one row group
_MESSAGES = ("prompt", "completion", "chosen", "rejected", "history")
_NUMBERS = {"source_line": "int64", "chosen_temperature": "float64", "rejected_temperature": "float64"}


class ParquetExporter(Component):
    """``FOLDER/parquet/NAME_sft_train.parquet``, ``NAME_dpo_train.parquet``, … for each split that has rows."""

    name: ClassVar[str] = "parquet"

    max_tokens: int = Field(2048, ge=64, description="Tokens of a row; longer rows lose their oldest turns.")
    tokenizer: str | None = Field(
        None, description="tokenizer.json of the student, to count tokens exactly; else they are estimated."
    )

    def require(self) -> None:
        """Load the tokenizer, where one is named.

        Raises:
            ExportError: it cannot be used.
        """
        Budget.of(self.max_tokens, self.tokenizer)

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write the files and ``export.json``, and return them.

        Raises:
            ExportError: there are rows, and every one of them had to be left out.
            StorageError: a file cannot be written.
        """
        target = folder / "parquet"
        budget = Budget.of(self.max_tokens, self.tokenizer)
        files: dict[Path, int] = {}
        kinds: dict[str, Any] = {}
        given = build.config.sources
        sources: dict[str, Iterator[Source]] = {
            "sft": public_rows(given, build.sft()),
            "dpo": public_rows(given, build.pairs()),
        }
        for kind, rows in sources.items():
            tally = Tally()
            records = _RECORDS[build.config.task](rows, build.config.prompt, budget, tally)
            written = _written(records, target / f"{build.config.name}_{kind}")
            files |= written
            kinds[kind] = tally.summary(written)
        write_json(target / "export.json", {**described(build, budget), "files": kinds})
        return [*sorted(files), target / "export.json"]


def flat(row: Source, texts: TrainingRow) -> dict[str, Any]:
    """A row as one flat record: what a trainer reads first, then where it came from and what makes one side worse.

    ``prompt``, ``completion``, ``chosen`` and ``rejected`` are lists of messages. ``parameters`` of the perturber and
    ``verdicts`` are JSON; ``chosen_prompt`` and ``rejected_prompt`` are hashes of the prompts that models were asked with.
    """
    said = {
        "history": [turn.model_dump() for turn in row.task.history],
        "query": row.task.query,
        "rewrite": row.chosen.text,
        "analysis": row.chosen.analysis,
    }
    return _record(row, trl_sft(texts) if isinstance(row, SftRow) else trl_dpo(texts), said)


def flat_chat(row: Source, chat: ChatRow) -> dict[str, Any]:
    """The same of a chat. ``tools`` and the arguments of ``tool_calls`` are JSON text: a column has one type."""
    prompt = _messages([Turn(role="system", content=chat.chat.system), *chat.chat.turns])
    sides = ("completion",) if chat.rejected is None else ("chosen", "rejected")
    answers = [_messages([side]) for side in (chat.chosen, chat.rejected) if side is not None]
    read = {"prompt": prompt, **dict(zip(sides, answers, strict=True)), "tools": chat.chat.tools}
    return _record(row, read, {"query": row.task.query, "answer": row.chosen.text})


def _messages(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    def called(call: ToolCall) -> dict[str, Any]:
        return {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}

    return [
        {"role": turn.role, "content": turn.content, "tool_calls": [called(call) for call in turn.calls] or None}
        for turn in turns
    ]


def _record(row: Source, read: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    task, chosen = row.task, row.chosen
    return {
        **read,
        "id": row.id,
        "language": task.language,
        "domain": task.domain,
        **said,
        **(_worse(row.rejected) if isinstance(row, PreferencePair) else {}),
        "chosen_origin": chosen.origin,
        **_sampling("chosen", chosen.generation),
        "verdicts": json.dumps([verdict.model_dump(mode="json") for verdict in row.verdicts], ensure_ascii=False),
        "dialogue": task.dialogue,
        "source": task.origin.source,
        "source_file": task.origin.file,
        "source_line": task.origin.line,
        "source_key": task.origin.key,
        "licence": task.origin.licence,
    }


def _worse(rejected: Rejected) -> dict[str, Any]:
    return {
        "rejected_rewrite": rejected.text,
        "rejected_analysis": rejected.analysis,
        "defect": rejected.defect,
        "evidence": rejected.evidence,
        "maker": rejected.rejected_by,
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


Records = Callable[[Iterable[Source], PromptConfig, Budget, Tally], Iterator[tuple[Split, dict[str, Any]]]]


def _flattened(renderer: RowRenderer[R], layout: Callable[[Source, R], dict[str, Any]]) -> Records:
    """The records of rows that ``renderer`` makes."""

    def records(
        rows: Iterable[Source], prompt: PromptConfig, budget: Budget, tally: Tally
    ) -> Iterator[tuple[Split, dict[str, Any]]]:
        return ((row.split, layout(row, made)) for row, made in rendered(renderer, rows, prompt, budget, tally))

    return records


_RECORDS: Mapping[TaskKind, Records] = {
    "rewrite": _flattened(RewriteRows(), flat),
    "answer": _flattened(ChatRows(), flat_chat),
}


def _written(rows: Iterator[tuple[Split, dict[str, Any]]], stem: Path) -> dict[Path, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files: dict[Path, Any] = {}
    counts: Counter[Path] = Counter()
    with ExitStack() as stack:
        while batch := list(islice(rows, BATCH)):
            schema = pa.schema([(name, _type(name, "tools" in batch[0][1])) for name in batch[0][1]])
            for split in sorted({split for split, _ in batch}):
                path = stem.with_name(f"{stem.name}_{split}.parquet")
                if path not in files:
                    partial = stack.enter_context(atomic_path(path))
                    # A file, not a path: Arrow reads some paths as addresses.
                    file = stack.enter_context(partial.open("wb"))
                    files[path] = stack.enter_context(pq.ParquetWriter(file, schema, compression="zstd"))
                records = [record for place, record in batch if place == split]
                files[path].write_table(pa.Table.from_pylist(records, schema=schema))
                counts[path] += len(records)
    return dict(counts)


def _type(name: str, with_calls: bool) -> Any:
    import pyarrow as pa

    if name in _MESSAGES:
        function = pa.struct([("name", pa.string()), ("arguments", pa.string())])
        calls = pa.list_(pa.struct([("type", pa.string()), ("function", function)]))
        spoken = [("role", pa.string()), ("content", pa.string())]
        return pa.list_(pa.struct([*spoken, ("tool_calls", calls)] if with_calls else spoken))
    return _NUMBERS.get(name, "string")
