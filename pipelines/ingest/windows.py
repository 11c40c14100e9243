"""What becomes a task of each kind: which turns are asked about, and how much of the dialogue before them is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.config.sections import ExamplesConfig
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Conversation, Task, TaskKind
from pairwright.pipelines.ingest.answer_contexts import find_answers, list_questions, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.contexts import QueryPosition, find_queries, window_queries

Conversations = Iterable[Conversation | Failed]


class WindowSettings(Protocol):
    """What windowing needs of a build file."""

    @property
    def context(self) -> ContextConfig: ...
    @property
    def examples(self) -> ExamplesConfig: ...


class Windowing(Protocol):
    """How dialogues become tasks of one kind."""

    def check(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        """One outcome per dialogue: those that nothing can be learnt from fail."""
        ...

    def find(self, conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[QueryPosition]:
        """The places in the dialogues that become tasks."""
        ...

    def windower(self, config: WindowSettings) -> Callable[[Iterable[QueryPosition]], Iterator[Task | Dropped]]:
        """What makes one task of each place, or says why not.

        Raises:
            ConfigError: the examples of the build file cannot be read.
        """
        ...

    def list_tests(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        """What copies of test rows are looked for in."""
        ...


class RewriteWindowing:
    """One task per user turn that is to be rewritten."""

    def check(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        return iter(rows)

    def find(self, conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[QueryPosition]:
        return find_queries(conversations, config)

    def windower(self, config: WindowSettings) -> Callable[[Iterable[QueryPosition]], Iterator[Task | Dropped]]:
        bank = read_examples(config.examples.path)
        return lambda rows: window_queries(rows, config.context, bank, config.examples.per_prompt)

    def list_tests(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        return iter(rows)


class AnswerWindowing:
    """One task per assistant turn that is to be learnt."""

    def check(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        return check_answerable(rows)

    def find(self, conversations: Iterable[Conversation], config: ContextConfig) -> Iterator[QueryPosition]:
        return find_answers(conversations, config)

    def windower(self, config: WindowSettings) -> Callable[[Iterable[QueryPosition]], Iterator[Task | Dropped]]:
        return lambda rows: window_answers(rows, config.context)

    def list_tests(self, rows: Conversations) -> Iterator[Conversation | Failed]:
        return list_questions(rows)


WINDOWS: Mapping[TaskKind, Windowing] = {"rewrite": RewriteWindowing(), "answer": AnswerWindowing()}
