"""The texts that tasks are compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from pairwright.core.language.canonical_form import canonical
from pairwright.core.records import Task, TaskKind, Turn
from pairwright.pipelines.dedup.near_duplicate_rows import BREAK
from pairwright.pipelines.dedup.same_request import essence


def compared_text(task: Task) -> str:
    """What exact duplicates share: the query and its window in one spelling, the query first, then newest first.

    Answers share as well what was called since the query, what came back, the system prompt and the tools.
    """
    return BREAK.join([canonical(task.query), *_TOLD[task.kind](task)])


def _told_to_rewrite(task: Task) -> list[str]:
    return [canonical(turn.content) for turn in reversed(task.history)]


def _told_to_answer(task: Task) -> list[str]:
    told = [canonical(turn_text(turn)) for turn in reversed((*task.history, *task.steps))]
    return [str(len(task.steps)), *told, task.system, task.tools]


_TOLD: Mapping[TaskKind, Callable[[Task], list[str]]] = {"rewrite": _told_to_rewrite, "answer": _told_to_answer}


def digest_of(task: Task) -> bytes:
    """Sixteen bytes that stand for :func:`compared_text`."""
    return hashlib.blake2b(compared_text(task).encode(), digest_size=16).digest()


def asked_text(task: Task) -> str:
    """What near duplicates share, or nearly so: the same without courtesy, particles and articles.

    An answer from results of tools is like no other: the steps of one query differ by little else than what came back.
    """
    if task.steps:
        return digest_of(task).hex()
    return BREAK.join([essence(task.query), *(essence(turn.content) for turn in reversed(task.history))])


def turn_text(turn: Turn) -> str:
    """What a turn says and calls."""
    return " ".join([turn.content, *(f"{call.name} {call.arguments}" for call in turn.calls)])
