"""Accepted answers and pairs as the rows that a trainer reads, checked for what loaders would quietly spoil.

Every exporter that feeds a trainer reads its rows here, so that all forms hold the same rows with the same prompt.
A row that no trainer could use is left out and counted: an empty answer, two equal sides, an answer that holds a
control token of a chat template, no analysis where one is asked for, a query that does not fit.

What a row is depends on the kind of task: a :class:`RowRenderer` makes it (``rewrite_rows.py``, ``chat_rows.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count, groupby, islice
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ExportError
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.prompts.student import Student
from pairwright.core.records import PreferencePair, SftRow, Split
from pairwright.core.result import BuildResult

Kind = Literal["sft", "dpo", "kto"]

MARGIN = 24  # tokens that a chat template adds to system, user and answer, rounded up
BUCKET = 128  # tokens per bar of the histogram

_REMEDIES = {
    "no_analysis": "set prompt.analysis to false",
    "too_long": "raise max_tokens of the export, or lower context.max_tokens or examples.per_prompt",
    "tools_in_preference": "set prompt.tools: text, or preference: false and kto: false of the trl export",
    "null_argument": "set prompt.tools: text, or leave these rows to another form",
    "tool_name": "OpenAI's names have letters, digits, _ and - only: rename the tools, or set prompt.tools: text",
}


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
            what = "a folder" if Path(tokenizer).is_dir() else "no such file"
            raise ExportError(f"{tokenizer}: {what}", "Name the tokenizer.json in the student's folder.")
        try:
            loaded = Tokenizer.from_file(tokenizer)
        except Exception as exc:  # the package raises nothing more special
            raise ExportError(
                f"{tokenizer}: no tokenizer: {exc}", "Name the tokenizer.json in the student's folder."
            ) from exc
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
        self.require_rows(bool(written))
        return {
            "rows": {path.name: rows for path, rows in written.items()},
            "left_out": dict(sorted(self.left_out.items())),
            "shortened": self.shortened,
            "tokens": {str((bucket + 1) * BUCKET): rows for bucket, rows in sorted(self.lengths.items())},
        }

    def require_rows(self, written: bool) -> None:
        """Check that something was ``written`` where there were rows.

        Raises:
            ExportError: nothing was written because every row was left out.
        """
        if self.left_out and not written:
            reasons = ", ".join(f"{reason} {rows}" for reason, rows in sorted(self.left_out.items()))
            raise ExportError(
                f"no row can be exported: {reasons}",
                "; ".join(f"{reason}: {_REMEDIES[reason]}" for reason in sorted(self.left_out) if reason in _REMEDIES),
            )


def described(build: BuildResult, budget: Budget) -> dict[str, Any]:
    """The head of an ``export.json``: which build this is, and the prompt that its student must be served with."""
    config = build.config
    student = Student(kind=config.task, prompt=config.prompt)
    return {
        "build": build.build_id,
        # Left out where it is left out of the build file: without it a student rewrites.
        **config.model_dump(include={"task"}),
        "prompt": config.prompt.model_dump(mode="json"),
        "prompt_hashes": student.prompt_hashes(),
        "max_tokens": budget.max_tokens,
        "counted_by": budget.counted_by,
    }


class TrainerRow(Protocol):
    """One prompt with an answer and, for a pair, the answer to avoid.

    ``tokens`` is the counted or estimated length of the whole row.
    """

    @property
    def split(self) -> Split: ...

    @property
    def tokens(self) -> int: ...

    def to_avoid(self) -> Self:
        """Of a pair: the rejected side alone, as an answer to avoid."""
        ...


R = TypeVar("R", bound=TrainerRow)
Source = SftRow | PreferencePair


class Rendered(NamedTuple, Generic[R]):
    """A row that can be trained on, and whether it lost some of its history to fit."""

    row: R
    shortened: bool


class LeftOut(NamedTuple):
    """Why no trainer could use a row."""

    reason: str


class RowRenderer(Protocol[R]):
    """Makes the rows of one kind of task."""

    def render(self, source: Source, config: PromptConfig, budget: Budget) -> Rendered[R] | LeftOut:
        """The row of an answer or a pair.

        A row over the budget (prompt, template and the longer answer) loses its oldest turns, never its query.
        """
        ...


def rendered(
    renderer: RowRenderer[R],
    sources: Iterable[Source],
    config: PromptConfig,
    budget: Budget,
    tally: Tally,
    unfit: Callable[[R], str] | None = None,
) -> Iterator[tuple[Source, R]]:
    """The rows that can be trained on, in order; the others are counted in ``tally``.

    ``unfit`` gives the reason why a form cannot hold a row, else nothing; without it the form holds every row.
    """
    for source in sources:
        made = renderer.render(source, config, budget)
        if isinstance(made, Rendered) and unfit is not None and (reason := unfit(made.row)):
            made = LeftOut(reason)
        if isinstance(made, LeftOut):
            tally.left_out[made.reason] += 1
            continue
        tally.shortened += made.shortened
        tally.lengths[(made.row.tokens - 1) // BUCKET] += 1
        yield source, made.row


def rows_of(
    renderer: RowRenderer[R],
    build: BuildResult,
    kind: Kind,
    budget: Budget,
    tally: Tally,
    unfit: Callable[[R], str] | None = None,
) -> Iterator[R]:
    """The rows of one kind of training set: answers to imitate, pairs, or single answers with a label.

    KTO gets every accepted answer as desirable, then every rejected one as not. It compares each row with the answer of
    the row before it, so rows of one query do not follow each other: first comes the first pair of every query, then
    the second of every query that has two, and so on.
    """

    def made(sources: Iterable[Source]) -> Iterator[R]:
        return (row for _, row in rendered(renderer, sources, build.config.prompt, budget, tally, unfit))

    if kind == "dpo":
        yield from made(build.pairs())
        return
    yield from made(build.sft())
    if kind == "kto":
        yield from (row.to_avoid() for row in made(by_rank(build.pairs)))


def by_rank(pairs: Callable[[], Iterator[PreferencePair]]) -> Iterator[PreferencePair]:
    """The first pair of every query, then the second of every query that has two, and so on."""
    # The file is read once for each rank, so that no more than one query's pairs are in memory.
    for rank in count():
        found = None
        for _, of_one_query in groupby(pairs(), key=lambda pair: pair.task.id):
            for found in islice(of_one_query, rank, rank + 1):
                yield found
        if found is None:
            return


@lru_cache(maxsize=4096)
def shared_tokens(count: Callable[[str], int], text: str) -> int:
    """Tokens of a part that many rows share: the system message, a set of examples, the tools."""
    return count(text)
