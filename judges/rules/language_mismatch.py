"""A rewrite or an answer in another language than its query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import detect_language, supported
from pairwright.core.records import Candidate, Case, TaskKind, Verdict
from pairwright.core.requests import Ask
from pairwright.core.tool_calls import calls_of
from pairwright.judges.rules.rule_verdicts import known_texts, verdicts

_FOREIGN = {"zh": re.compile(r"[A-Za-z]{2,}"), "en": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+")}
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+")


class LanguageMismatch(Component):
    """Fails a rewrite whose script is not the query's, or that brings words in the other script.

    Foreign names that somebody in the dialogue used are no mismatch. An answer may bring names; it fails in a script
    that is neither the query's nor the dialogue's.
    """

    name: ClassVar[str] = "language_mismatch"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite", "answer"})

    foreign_words: int = Field(2, ge=1, description="Words in the other script, said by nobody, that fail a rewrite.")

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        find = _FINDERS[case.kind]
        return verdicts(self.name, "language", (find(case, one.text, self.foreign_words) for one in candidates))


def _in_rewrite(case: Case, rewrite: str, foreign_words: int) -> str | None:
    language = detect_language(case.query)
    texts = known_texts(case)
    foreign = [word for word in _FOREIGN[language].findall(rewrite) if not supported(word, texts)]
    if foreign and (detect_language(rewrite) != language or len(foreign) >= foreign_words):
        return " ".join(foreign)
    return None


def _in_answer(case: Case, answer: str, foreign_words: int) -> str | None:  # noqa: ARG001 - an answer may bring names
    if calls_of(answer):
        return None
    # Addresses are written in Latin letters in any language.
    answer = _ADDRESS.sub(" ", answer)
    language = detect_language(answer)
    if language in (case.language, detect_language(case.query)):
        return None
    foreign = [word for word in _FOREIGN[case.language].findall(answer) if not supported(word, known_texts(case))]
    return " ".join(foreign) or None


_FINDERS: Mapping[TaskKind, Callable[[Case, str, int], str | None]] = {"rewrite": _in_rewrite, "answer": _in_answer}
