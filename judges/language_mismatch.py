"""A rewrite in another language than its query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language import detect_language, supported
from pairwright.core.records import Candidate, RewriteTask, TaskKind, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules import said, verdicts

_FOREIGN = {"zh": re.compile(r"[A-Za-z]{2,}"), "en": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")}


class LanguageMismatch(Component):
    """Fails a rewrite whose script is not the query's, or that brings words in the other script.

    Foreign names that somebody in the dialogue used are no mismatch.
    """

    name: ClassVar[str] = "language_mismatch"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    foreign_words: int = Field(2, ge=1, description="Words in the other script, said by nobody, that fail a rewrite.")

    async def judge(self, task: RewriteTask, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "language", (self._finding(task, one.rewrite) for one in candidates))

    def _finding(self, task: RewriteTask, rewrite: str) -> str | None:
        language = detect_language(task.query)
        texts = said(task)
        foreign = [word for word in _FOREIGN[language].findall(rewrite) if not supported(word, texts)]
        if foreign and (detect_language(rewrite) != language or len(foreign) >= self.foreign_words):
            return " ".join(foreign)
        return None
