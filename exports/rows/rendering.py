"""Accepted answers and pairs as the texts that a trainer reads, checked for what loaders would quietly spoil.

Every exporter that feeds a trainer reads its rows here, so that all forms hold the same rows with the same prompt.
A row that no trainer could use is left out and counted: an empty answer, two equal sides, an answer that holds a
control token of a chat template, no analysis where one is asked for, a query that does not fit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ExportError
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.rewriting import StudentPrompt, case_start, student_answer, student_prompt
from pairwright.core.records import PreferencePair, SftRow, Split, Task
from pairwright.core.result import BuildResult

Kind = Literal["sft", "dpo", "kto"]

MARGIN = 24  # tokens that a chat template adds to system, user and answer, rounded up
BUCKET = 128  # tokens per bar of the histogram
_CONTROL = re.compile(r"<\|[^|<>]*\|>|</?(?:s|think|tool_call|tool_response|image|video|audio)>|\[/?INST\]")


_REMEDIES = {
    "no_analysis": "set prompt.analysis to false",
    "too_long": "raise max_tokens of the export, or lower context.max_tokens or examples.per_prompt",
    "tools_in_preference": "set prompt.tools: text, or preference: false and kto: false of the trl export",
    "null_argument": "set prompt.tools: text, or leave these rows to another form",
    "tool_name": "OpenAI's names have letters, digits, _ and - only: rename the tools, or set prompt.tools: text",
}


class TrainingRow(NamedTuple):
    """One prompt with an answer and, for a pair, the answer to avoid.

    ``tokens`` is the counted or estimated length of the whole row. Only rows of :func:`unpaired_rows` can have
    ``desirable=False``: then ``chosen`` is an answer to avoid.
    """

    split: Split
    system: str
    user: str
    chosen: str
    rejected: str | None
    tokens: int
    desirable: bool = True


class Budget(NamedTuple):
    """How many tokens a row may have, and who counts them."""

    max_tokens: int
    count: Callable[[str], int] = estimate_tokens
    counted_by: str = "estimate"

    @classmethod
    def of(cls, max_tokens: int, tokenizer: str | None) -> Budget:
        """Count with the ``tokenizer.json`` file of a model, or estimate without one.

        Raises:
            ExportError: the file cannot be used, or the package that reads it is not installed.
        """
        if tokenizer is None:
            return cls(max_tokens)
        try:
            from tokenizers import Tokenizer
        except ImportError as exc:
            raise ExportError(
                "counting with a tokenizer needs the package tokenizers", "pip install tokenizers"
            ) from exc
        if not Path(tokenizer).is_file():
            raise ExportError(f"{tokenizer}: no such file", "Name the tokenizer.json in the student's folder.")
        loaded = Tokenizer.from_file(tokenizer)
        return cls(
            max_tokens, lambda text: len(loaded.encode(text, add_special_tokens=False).ids), Path(tokenizer).parent.name
        )


@dataclass
class Tally:
    """What happened to the rows of one export; ``lengths`` counts rows per bucket of ``BUCKET`` tokens."""

    left_out: Counter[str] = field(default_factory=Counter)
    shortened: int = 0
    lengths: Counter[int] = field(default_factory=Counter)

    def summary(self, written: Mapping[Path, int]) -> dict[str, Any]:
        """For ``export.json``: rows of each file, rows left out by reason, lengths by the upper end of their bucket.

        Raises:
            ExportError: nothing was written because every row was left out.
        """
        if self.left_out and not written:
            reasons = ", ".join(f"{reason} {rows}" for reason, rows in sorted(self.left_out.items()))
            raise ExportError(
                f"no row can be exported: {reasons}",
                "; ".join(f"{reason}: {_REMEDIES[reason]}" for reason in sorted(self.left_out) if reason in _REMEDIES),
            )
        return {
            "rows": {path.name: rows for path, rows in written.items()},
            "left_out": dict(sorted(self.left_out.items())),
            "shortened": self.shortened,
            "tokens": {str((bucket + 1) * BUCKET): rows for bucket, rows in sorted(self.lengths.items())},
        }


def described(build: BuildResult, budget: Budget) -> dict[str, Any]:
    """The head of an ``export.json``: which build this is, and the prompt that its student must be served with."""
    prompt, task = build.config.prompt, build.config.task
    found = {key: value for key, value in KINDS[task].prompt_hashes(prompt).items() if key.startswith("student.")}
    return {
        "build": build.build_id,
        **({} if task == "rewrite" else {"task": task}),
        "prompt": prompt.model_dump(mode="json"),
        "prompt_hashes": found,
        "max_tokens": budget.max_tokens,
        "counted_by": budget.counted_by,
    }


def rendered(
    rows: Iterable[SftRow | PreferencePair], config: PromptConfig, budget: Budget, tally: Tally
) -> Iterator[tuple[SftRow | PreferencePair, TrainingRow]]:
    """The rows that can be trained on, in order, each with its texts; the others are counted in ``tally``.

    A row over the budget (prompt, template and the longer answer) loses its oldest turns, never its query.
    """
    for row in rows:
        chosen = student_answer(row.chosen, config)
        rejected = student_answer(row.rejected, config) if isinstance(row, PreferencePair) else None
        problem = _problem(chosen, rejected, isinstance(row, PreferencePair))
        if chosen is None or problem:
            tally.left_out[problem] += 1
            continue
        answer = max(budget.count(chosen), budget.count(rejected or ""))
        prompt, tokens, cut = _fitted(row.task, config, budget, answer)
        if prompt is None:
            tally.left_out["too_long"] += 1
            continue
        tally.shortened += cut
        tally.lengths[(tokens - 1) // BUCKET] += 1
        yield row, TrainingRow(row.split, prompt.system, prompt.user, chosen, rejected, tokens)


def rows_of(build: BuildResult, kind: Kind, budget: Budget, tally: Tally) -> Iterator[TrainingRow]:
    """The rows of one kind of training set: answers to imitate, pairs, or single answers with a label."""
    if kind == "kto":
        return unpaired_rows(build, budget, tally)
    rows: Iterator[SftRow | PreferencePair] = build.sft() if kind == "sft" else build.pairs()
    return (texts for _, texts in rendered(rows, build.config.prompt, budget, tally))


def unpaired_rows(build: BuildResult, budget: Budget, tally: Tally) -> Iterator[TrainingRow]:
    """Single answers with a label: every accepted one as desirable, then every rejected one as not.

    KTO compares each row with the answer of the row before it, so rows of one query do not follow each other: first
    comes the first pair of every query, then the second of every query that has two, and so on.
    """
    yield from rows_of(build, "sft", budget, tally)
    for _, texts in rendered(by_rank(build.pairs), build.config.prompt, budget, tally):
        assert texts.rejected is not None
        yield texts._replace(chosen=texts.rejected, rejected=None, desirable=False)


def by_rank(pairs: Callable[[], Iterator[PreferencePair]]) -> Iterator[PreferencePair]:
    """The first pair of every query, then the second of every query that has two, and so on."""
    for rank in count():
        found = None
        for _, of_one_query in groupby(pairs(), key=lambda pair: pair.task.id):
            for found in islice(of_one_query, rank, rank + 1):
                yield found
        if found is None:
            return


def _problem(chosen: str | None, rejected: str | None, is_pair: bool) -> str:
    if chosen is None or (is_pair and rejected is None):
        return "no_analysis"
    answers = [chosen] if rejected is None else [chosen, rejected]
    if not all(answer.strip() for answer in answers):
        return "empty_answer"
    if any(_CONTROL.search(answer) for answer in answers):
        return "control_token"
    return "identical" if rejected is not None and chosen.strip() == rejected.strip() else ""


def _fitted(task: Task, config: PromptConfig, budget: Budget, answer: int) -> tuple[StudentPrompt | None, int, bool]:
    """The prompt with as many of the newest turns as fit beside the answer, the row's tokens, whether turns went."""
    for start in range(len(task.history) + 1):
        shorter = task.model_copy(update={"history": task.history[start:]}) if start else task
        prompt = student_prompt(shorter, config)
        case = case_start(prompt, shorter, config)
        shared = _shared(budget.count, prompt.system) + _shared(budget.count, prompt.user[:case])
        tokens = shared + budget.count(prompt.user[case:]) + MARGIN + answer
        if tokens <= budget.max_tokens:
            return prompt, tokens, start > 0
    return None, 0, True


@lru_cache(maxsize=4096)
def _shared(count: Callable[[str], int], text: str) -> int:
    """Tokens of a part that many rows share: the system message, a set of examples."""
    return count(text)
