"""TRL: conversational prompt/completion for SFT, prompt/chosen/rejected for DPO and CPO, labels for KTO.

The rows are lists of messages, so that TRL applies the model's own chat template; plain strings would get none.
A ``README.md`` names the files of each set, so that ``load_dataset(FOLDER/trl, "dpo")`` and ``trl dpo`` find its splits.
Format: TRL documentation, "Dataset formats and types"; ``datasets``, "Manual configuration".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.files.storage import atomic_writer
from pairwright.core.records import TaskKind
from pairwright.core.result import BuildResult
from pairwright.exports.forms.arrow_columns import Columns
from pairwright.exports.rows.chat_forms import trl_answer_problem, trl_chat_pair, trl_chat_sft, trl_pair_problem
from pairwright.exports.rows.chat_rows import ChatRow, ChatRows
from pairwright.exports.rows.rendering import Budget, Kind
from pairwright.exports.rows.rewrite_rows import RewriteRows, TrainingRow
from pairwright.exports.rows.split_files import Record, RowForm, write_sets


class TrlExporter(Component):
    """``FOLDER/trl/NAME_sft_train.jsonl``, ``NAME_dpo_train.jsonl``, ``NAME_kto_train.jsonl``, …"""

    name: ClassVar[str] = "trl"

    preference: bool = Field(
        True,
        description="Write the pairs for DPO. TRL takes no tools from a row: pairs with tools need prompt.tools: text.",
        exclude_if=bool,
    )
    kto: bool = Field(False, description="Also write accepted and rejected answers with labels for KTO.")
    max_tokens: int = Field(
        2048, ge=64, description="Tokens of a row, as TRL's max_length; longer rows lose their oldest turns."
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
        """Write the files, ``README.md`` and ``export.json``, and return them.

        Raises:
            ExportError: there are rows, and every one of them had to be left out.
            StorageError: a file cannot be written.
        """
        target, budget = folder / "trl", Budget.of(self.max_tokens, self.tokenizer)
        files = write_sets(build, target, self.form(build.config.task), budget)
        with atomic_writer(target / "README.md") as file:
            file.write(_sets(files))
        return [*files, target / "README.md", target / "export.json"]

    def form(self, task: TaskKind) -> RowForm[Any]:
        """The layouts of the kinds of rows that are asked for; made anew for every export."""
        asked: dict[Kind, bool] = {"sft": True, "dpo": self.preference, "kto": self.kto}
        return _FORMS[task]().only(kind for kind, wanted in asked.items() if wanted)


def _sets(files: Mapping[Path, Kind]) -> str:
    """The head of a data set card: one configuration per kind, with the file of each split."""
    kinds: dict[str, list[dict[str, str]]] = {}
    for path, kind in files.items():
        kinds.setdefault(kind, []).append({"split": path.stem.rpartition("_")[2], "path": path.name})
    configs = [{"config_name": kind, "data_files": splits} for kind, splits in kinds.items()]
    return f"---\n{yaml.safe_dump({'configs': configs}, sort_keys=False)}---\n"


def prompt_messages(row: TrainingRow) -> list[dict[str, Any]]:
    """System and user message of a row."""
    return [{"role": "system", "content": row.system}, {"role": "user", "content": row.user}]


def answer_messages(answer: str | None) -> list[dict[str, Any]]:
    """The assistant's message."""
    return [{"role": "assistant", "content": answer}]


def trl_sft(row: TrainingRow) -> dict[str, Any]:
    """A row for ``SFTTrainer``."""
    return {"prompt": prompt_messages(row), "completion": answer_messages(row.chosen)}


def trl_dpo(row: TrainingRow) -> dict[str, Any]:
    """A row for ``DPOTrainer``."""
    sides = {"chosen": answer_messages(row.chosen), "rejected": answer_messages(row.rejected)}
    return {"prompt": prompt_messages(row), **sides}


def _trl_kto(row: TrainingRow) -> dict[str, Any]:
    return {**trl_sft(row), "label": row.desirable}


def _trl_chat_kto(row: ChatRow) -> dict[str, Any]:
    return {**trl_chat_sft(row), "label": row.desirable}


def _in_one_table(layout: Callable[[ChatRow], Record]) -> Callable[[ChatRow], Record]:
    """The layout of one file, whose rows with tools must fit into one table (see :class:`Columns`)."""
    columns = Columns()

    def checked(row: ChatRow) -> Record:
        record = layout(row)
        columns.add(record)
        return record

    return checked


def _rewrites() -> RowForm[TrainingRow]:
    return RowForm(RewriteRows(), {"sft": trl_sft, "dpo": trl_dpo, "kto": _trl_kto})


def _chats() -> RowForm[ChatRow]:
    return RowForm(
        ChatRows(),
        {"sft": _in_one_table(trl_chat_sft), "dpo": trl_chat_pair, "kto": _in_one_table(_trl_chat_kto)},
        {"sft": trl_answer_problem, "dpo": trl_pair_problem, "kto": trl_pair_problem},
    )


_FORMS: Mapping[TaskKind, Callable[[], RowForm[Any]]] = {"rewrite": _rewrites, "answer": _chats}
"""Made anew for every export: a table's columns are those of one file."""
