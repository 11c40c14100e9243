"""What a card says of a set whose student learns to answer, where that is not what it says of rewrites."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pairwright.core.pages.markdown import block, inline
from pairwright.core.records import Task, Turn
from pairwright.core.result import BuildResult
from pairwright.exports.card.row_facts import Facts

_KINDS = {
    "words": "an answer in words",
    "call": "an answer that calls a tool",
    "result": "an answer from a tool's result",
}


class AnswerCard:
    """See :class:`~pairwright.exports.card.kinds.CardKind`."""

    def tags(self, facts: Facts) -> tuple[str, ...]:
        """What the Hub's search finds the set by."""
        return ("function-calling" if facts.kinds["call"] else "multi-turn",)

    def summary(self, build: BuildResult, facts: Facts) -> Iterator[str]:
        """What the rows are, and how many of them."""
        languages = " and ".join({"en": "English", "zh": "Chinese"}[language] for language in facts.languages)
        yield (
            "Data for answering in long dialogues: a row is a system prompt, the dialogue so far, with tools where there are "
            "some, and the assistant's next turn, in words or as calls of tools. "
            f"{facts.sft:,} answers to imitate (SFT) and {facts.pairs:,} preference pairs in {languages or 'no language'}."
        )
        yield from ("", f"Build `{build.build_id}`, seed {build.config.seed}, made with pairwright and distilabel.")
        counted = {kind: f"{facts.kinds[kind]:,}" for kind in _KINDS}
        yield ""
        yield "{call} of them call tools, {result} answer from a tool's result, {words} need no tool.".format(**counted)

    def method(self, build: BuildResult) -> Iterator[str]:
        """What a row's prompt holds."""
        config = build.config
        which = "every turn of the assistant" if config.context.queries == "every" else "the last turn of the assistant"
        yield (
            f"Each dialogue gives one row for {which}. The prompt holds the dialogue's system prompt (ours where it has none), the "
            f"last {config.context.turns} exchanges, the user's turn, and the calls made since then with their results; at most "
            f"{config.context.max_tokens} estimated tokens, tools included. Whole exchanges are cut, oldest first."
        )
        if config.prompt.tools == "text":
            yield "Tools are described in the system prompt; calls are JSON text and results are user messages."
        else:
            yield "Tools and calls stand in the fields that the trainer's chat template writes from; use a model whose template knows tools."

    def examples(self, facts: Facts) -> Iterator[str]:
        """One answer of each kind and language."""
        for (language, kind), row in sorted(facts.answers.items()):
            yield from (f"{_KINDS[kind]} ({language}), from {inline(row.task.origin.source)}:", "")
            yield from (*block([*told(row.task), ("answer", row.chosen.text)], longest=300), "")

    def limits_of_texts(self) -> Iterator[str]:
        """Nothing that :meth:`limits_of_files` does not say."""
        yield from ()

    def limits_of_files(self, build: BuildResult, folder: Path) -> Iterator[str]:  # noqa: ARG002
        """What is not in the files, and what nobody looked at."""
        for path in sorted(folder.glob("*/export.json")):
            for kind, content in json.loads(path.read_text(encoding="utf-8"))["files"].items():
                for reason, rows in content["left_out"].items():
                    yield f"- {rows:,} rows are not in the {kind} files of `{path.parent.name}`: {inline(reason)}."
        yield "- What an assistant says beside a call is left out: chat templates and trainers have no room for it."
        yield "- Nothing was checked for truth: answers and results of tools are those of the sources."

    def asking(self, path: str, trained: str) -> Iterator[str]:  # noqa: ARG002
        """Nothing: a row's messages alone would leave out its tools."""
        yield from ()


def told(task: Task) -> list[tuple[str, str]]:
    """What comes before the answer, as labelled lines, from the system prompt to the last result."""
    names = ", ".join(one["function"]["name"] for one in json.loads(task.tools or "[]"))
    head = [("system", task.system), ("tools", names), *map(_spoken, task.history)]
    return [line for line in [*head, ("query", task.query), *map(_spoken, task.steps)] if line[1]]


def _spoken(turn: Turn) -> tuple[str, str]:
    if not turn.calls:
        return turn.role, turn.content or "(nothing)"
    return "calls", ", ".join(f"{call.name} {call.arguments}" for call in turn.calls)
