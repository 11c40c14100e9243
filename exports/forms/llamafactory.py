"""LlamaFactory: SFT, preference and KTO files with the ``dataset_info.json`` that its loader needs.

Train with ``dataset_dir: FOLDER/llamafactory`` and a data set's name. The rules that the loader does not enforce are
kept here: every column is named, roles alternate, no answer is empty, KTO labels are booleans.
Format: LlamaFactory, data/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.files.storage import write_json
from pairwright.core.records import TaskKind
from pairwright.core.result import BuildResult
from pairwright.exports.rows.chat_forms import alpaca_chat, sharegpt_answer, sharegpt_answered, sharegpt_chat
from pairwright.exports.rows.chat_rows import ChatRow, ChatRows
from pairwright.exports.rows.rendering import Budget, Kind
from pairwright.exports.rows.rewrite_rows import RewriteRows, TrainingRow
from pairwright.exports.rows.split_files import FileFormat, Record, RowForm, write_sets

# Not its formatting "openai", which appends "detailed thinking off" to every system prompt.
Form = Literal["alpaca", "sharegpt"]

_ALPACA = {"prompt": "instruction", "query": "input", "system": "system"}
_TAGS = {  # all of them: with some left out LlamaFactory drops every row
    "role_tag": "from",
    "content_tag": "value",
    "user_tag": "human",
    "assistant_tag": "gpt",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
_SHAREGPT = {"messages": "conversations", "system": "system"}
_PAIR = {"chosen": "chosen", "rejected": "rejected"}


class LlamaFactoryExporter(Component):
    """``FOLDER/llamafactory/NAME_sft_train.jsonl``, ``NAME_dpo_train.jsonl``, … and ``dataset_info.json``."""

    name: ClassVar[str] = "llamafactory"

    sft: bool = Field(True, description="Write the accepted answers for supervised fine-tuning.")
    preference: bool = Field(True, description="Write the pairs for DPO, SimPO or ORPO.")
    kto: bool = Field(False, description="Write accepted and rejected answers with labels for KTO.")
    form: Form = Field("alpaca", description="Layout of the rows.")
    file_format: FileFormat = Field("jsonl", description="One object per line, or one JSON array.")
    max_tokens: int = Field(
        2048,
        ge=64,
        description="Tokens of a row, as LlamaFactory's cutoff_len; longer rows lose their oldest turns.",
    )
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
        """Write the files, ``dataset_info.json`` and ``export.json``, and return them all.

        Raises:
            ExportError: there are rows, and every one of them had to be left out.
            StorageError: a file cannot be written.
        """
        target = folder / "llamafactory"
        budget = Budget.of(self.max_tokens, self.tokenizer)
        task = build.config.task
        form = _FORMS[task, self.form].only(self._kinds())
        files = write_sets(build, target, form, budget, self.file_format)
        info = {path.stem: self._info(path, kind, task) for path, kind in files.items()}
        write_json(target / "dataset_info.json", info)
        return [*files, target / "dataset_info.json", target / "export.json"]

    def _kinds(self) -> Iterator[Kind]:
        asked: dict[Kind, bool] = {"sft": self.sft, "dpo": self.preference, "kto": self.kto}
        return (kind for kind, wanted in asked.items() if wanted)

    def _info(self, path: Path, kind: Kind, task: TaskKind) -> Record:
        """The entry of one file: with ``columns`` given, LlamaFactory has no defaults left, so all are named."""
        alpaca = self.form == "alpaca"
        columns = {**(_ALPACA if alpaca else _SHAREGPT), **_MORE_COLUMNS[task, self.form]}
        if kind == "dpo":
            columns |= _PAIR
        elif alpaca:
            columns["response"] = "output"
        if kind == "kto":
            columns["kto_tag"] = "label"
        info: dict[str, Any] = {"file_name": path.name, "formatting": self.form, "columns": columns}
        if kind == "dpo":
            info["ranking"] = True
        return info if alpaca else {**info, "tags": _TAGS}


def _alpaca(row: TrainingRow) -> dict[str, Any]:
    return {"instruction": row.user, "input": "", "system": row.system}


def _sharegpt(row: TrainingRow) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": row.user}], "system": row.system}


def _gpt(answer: str | None) -> dict[str, Any]:
    return {"from": "gpt", "value": answer}


def _sharegpt_answered(row: TrainingRow) -> dict[str, Any]:
    return {"conversations": [{"from": "human", "value": row.user}, _gpt(row.chosen)], "system": row.system}


def _contents(row: ChatRow) -> dict[str, Any]:
    assert row.rejected is not None
    return {"chosen": row.chosen.content, "rejected": row.rejected.content}


_FORMS: Mapping[tuple[TaskKind, Form], RowForm[Any]] = {
    ("rewrite", "alpaca"): RowForm[TrainingRow](
        RewriteRows(),
        {
            "sft": lambda row: {**_alpaca(row), "output": row.chosen},
            "kto": lambda row: {**_alpaca(row), "output": row.chosen, "label": row.desirable},
            "dpo": lambda row: {**_alpaca(row), "chosen": row.chosen, "rejected": row.rejected},
        },
    ),
    ("rewrite", "sharegpt"): RowForm[TrainingRow](
        RewriteRows(),
        {
            "sft": _sharegpt_answered,
            "kto": lambda row: {**_sharegpt_answered(row), "label": row.desirable},
            "dpo": lambda row: {**_sharegpt(row), "chosen": _gpt(row.chosen), "rejected": _gpt(row.rejected)},
        },
    ),
    ("answer", "alpaca"): RowForm[ChatRow](
        ChatRows(),
        {
            "sft": lambda row: {**alpaca_chat(row), "output": row.chosen.content},
            "kto": lambda row: {**alpaca_chat(row), "output": row.chosen.content, "label": row.desirable},
            "dpo": lambda row: {**alpaca_chat(row), **_contents(row)},
        },
    ),
    ("answer", "sharegpt"): RowForm[ChatRow](
        ChatRows(),
        {
            "sft": sharegpt_answered,
            "kto": lambda row: {**sharegpt_answered(row), "label": row.desirable},
            "dpo": lambda row: {
                **sharegpt_chat(row),
                "chosen": sharegpt_answer(row.chosen),
                "rejected": sharegpt_answer(row.rejected),
            },
        },
    ),
}
_MORE_COLUMNS: Mapping[tuple[TaskKind, Form], Mapping[str, str]] = {
    ("rewrite", "alpaca"): {},
    ("rewrite", "sharegpt"): {},
    ("answer", "alpaca"): {"history": "history"},
    ("answer", "sharegpt"): {"tools": "tools"},
}
