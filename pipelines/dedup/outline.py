"""What later stages must know of every answer before they see the first one: a fraction of the rows' size.

It is written beside the answers, so that nobody has to read them once more for it.
"""

from __future__ import annotations

from pairwright.core.identity import Row
from pairwright.core.records import Language, Task
from pairwright.pipelines.dedup.request_text import asked_text, digest_of


class Outlined(Row):
    """One query: its task's id, the digest of its exact text in hex, what it asks, and what a split must not cut."""

    id: str
    digest: str
    asked: str
    dialogue: str
    language: Language
    domain: str | None


def outline(task: Task) -> Outlined:
    """The outline of one query."""
    return Outlined(
        id=task.id,
        digest=digest_of(task).hex(),
        asked=asked_text(task),
        dialogue=task.dialogue,
        language=task.language,
        domain=task.domain,
    )
