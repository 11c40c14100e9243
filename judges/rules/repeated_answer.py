"""An answer that was given before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import Candidate, Case, TaskKind, Verdict
from pairwright.core.requests import Ask
from pairwright.core.tool_calls import calls_of
from pairwright.judges.rules.rule_verdicts import verdicts


class RepeatedAnswer(Component):
    """Fails an answer that repeats an earlier turn of the assistant word for word, and a call made since the query.

    Where the user repeats a turn, the assistant may repeat its answer. Short answers (Yes. 好的。) come again.
    """

    name: ClassVar[str] = "repeated_answer"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})

    long_enough: int = Field(8, ge=1, description="Letters and digits from which a repeated answer counts.")

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "repeated", (self._finding(case, one.text) for one in candidates))

    def _finding(self, case: Case, answer: str) -> str | None:
        if calls := calls_of(answer):
            made = [call for turn in case.steps for call in turn.calls]
            again = next((call for call in calls if call in made), None)
            return f"{again.name} {again.arguments}" if again else None
        said = _plain(answer)
        asked, users = _plain(case.query), ""
        for turn in case.history:
            if turn.role == "user":
                users = _plain(turn.content)
            elif users != asked and len(said) >= self.long_enough and _plain(turn.content) == said:
                return answer
        return None


def _plain(text: str) -> str:
    return normalise(text).replace(" ", "")
