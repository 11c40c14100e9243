"""The texts that tasks are compared by."""

from __future__ import annotations

import hashlib

from pairwright.core.records import RewriteTask
from pairwright.pipelines.canonical import canonical
from pairwright.pipelines.near_rows import BREAK
from pairwright.pipelines.same_request import essence


def compared_text(task: RewriteTask) -> str:
    """What exact duplicates share: the query and its window in one spelling, the query first, then newest first."""
    return BREAK.join([canonical(task.query), *(canonical(turn.content) for turn in reversed(task.history))])


def digest_of(task: RewriteTask) -> bytes:
    """Sixteen bytes that stand for :func:`compared_text`."""
    return hashlib.blake2b(compared_text(task).encode(), digest_size=16).digest()


def asked_text(task: RewriteTask) -> str:
    """What near duplicates share, or nearly so: the same without courtesy, particles and articles."""
    return BREAK.join([essence(task.query), *(essence(turn.content) for turn in reversed(task.history))])
