"""What a card says in other words for each kind of task: take ``CARD_KINDS[build.config.task]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pairwright.core.records import TaskKind
from pairwright.core.result import BuildResult
from pairwright.exports.card.answer_sections import AnswerCard
from pairwright.exports.card.rewrite_sections import RewriteCard
from pairwright.exports.card.row_facts import Facts


class CardKind(Protocol):
    """The parts of a card that differ from one kind of task to another, as lines of Markdown."""

    def tags(self, facts: Facts) -> Sequence[str]:
        """What the Hub's search finds the set by."""
        ...

    def summary(self, build: BuildResult, facts: Facts) -> Iterator[str]:
        """What the rows are, and how many of them."""
        ...

    def method(self, build: BuildResult) -> Iterator[str]:
        """What a row's prompt holds."""
        ...

    def examples(self, facts: Facts) -> Iterator[str]:
        """Answers to show before the pairs."""
        ...

    def limits_of_texts(self) -> Iterator[str]:
        """What nobody checked in the texts."""
        ...

    def limits_of_files(self, build: BuildResult, folder: Path) -> Iterator[str]:
        """What is not in the exported files, and what is in every one of them."""
        ...

    def asking(self, path: str, trained: str) -> Iterator[str]:
        """How to ask the student that TRL ``trained`` about a row of ``path``, where a few lines can show it."""
        ...


CARD_KINDS: Mapping[TaskKind, CardKind] = {"rewrite": RewriteCard(), "answer": AnswerCard()}
