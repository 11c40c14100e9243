"""OpenAI's fine-tuning files: chat messages for supervised training, preferred and non-preferred output for DPO.

Format: OpenAI API documentation, "Supervised fine-tuning" and "Direct preference optimization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.result import BuildResult
from pairwright.exports.forms.trl import answer_messages, prompt_messages
from pairwright.exports.rows.chat_forms import openai_chat_pair, openai_chat_sft, openai_name_problem
from pairwright.exports.rows.rendering import Budget, Kind, TrainingRow
from pairwright.exports.rows.split_files import ChatForms, Layout, write_chats, write_kinds


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
        target, budget = folder / "openai", Budget(self.max_tokens)
        if build.config.task == "answer":
            written = write_chats(build, target, _CHATS, budget)
        else:
            written = write_kinds(build, target, _LAYOUTS, budget)
        return [*written, target / "export.json"]


def _dpo(row: TrainingRow) -> dict[str, Any]:
    asked = {"messages": prompt_messages(row), "tools": [], "parallel_tool_calls": True}
    sides = {"preferred_output": answer_messages(row.chosen), "non_preferred_output": answer_messages(row.rejected)}
    return {"input": asked, **sides}


_LAYOUTS: Mapping[Kind, Layout] = {
    "sft": lambda row: {"messages": [*prompt_messages(row), *answer_messages(row.chosen)]},
    "dpo": _dpo,
}
_CHATS = ChatForms(
    {"sft": openai_chat_sft, "dpo": openai_chat_pair}, {"sft": openai_name_problem, "dpo": openai_name_problem}
)
