"""OpenAI's fine-tuning files: chat messages for supervised training, preferred and non-preferred output for DPO.

Format: OpenAI API documentation, "Supervised fine-tuning" and "Direct preference optimization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.records import TaskKind
from pairwright.core.result import BuildResult
from pairwright.exports.forms.trl import answer_messages, prompt_messages
from pairwright.exports.rows.chat_forms import openai_chat_pair, openai_chat_sft, openai_name_problem
from pairwright.exports.rows.chat_rows import ChatRow, ChatRows
from pairwright.exports.rows.rendering import Budget
from pairwright.exports.rows.rewrite_rows import RewriteRows, TrainingRow
from pairwright.exports.rows.split_files import RowForm, write_sets


class OpenAIExporter(Component):
    """``FOLDER/openai/NAME_sft_train.jsonl`` and ``NAME_dpo_train.jsonl``, … for each split that has rows."""

    name: ClassVar[str] = "openai"

    max_tokens: int = Field(16384, ge=64, description="Estimated tokens of a row; longer rows lose their oldest turns.")

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write the files and ``export.json``, and return them.

        Raises:
            ExportError: there are rows, and every one of them had to be left out.
            StorageError: a file cannot be written.
        """
        target = folder / "openai"
        written = write_sets(build, target, _FORMS[build.config.task], Budget(self.max_tokens))
        return [*written, target / "export.json"]


def _dpo(row: TrainingRow) -> dict[str, Any]:
    asked = {"messages": prompt_messages(row), "tools": [], "parallel_tool_calls": True}
    sides = {"preferred_output": answer_messages(row.chosen), "non_preferred_output": answer_messages(row.rejected)}
    return {"input": asked, **sides}


def _sft(row: TrainingRow) -> dict[str, Any]:
    return {"messages": [*prompt_messages(row), *answer_messages(row.chosen)]}


_FORMS: Mapping[TaskKind, RowForm[Any]] = {
    "rewrite": RowForm[TrainingRow](RewriteRows(), {"sft": _sft, "dpo": _dpo}),
    "answer": RowForm[ChatRow](
        ChatRows(),
        {"sft": openai_chat_sft, "dpo": openai_chat_pair},
        {"sft": openai_name_problem, "dpo": openai_name_problem},
    ),
}
