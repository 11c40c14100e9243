"""A call that its tool would refuse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, TaskKind, Verdict
from pairwright.core.requests import Ask
from pairwright.core.tool_calls import calls_of
from pairwright.core.tool_schemas import call_problem

# JSON that begins like a call, and the tags in which models write calls of their own accord.
_MEANT = re.compile(
    r"""\A\s*(?:```(?:json)?\s*)?[\[{]\s*\{?\s*"?'?(?:name|function|tool|arguments|parameters)['"]|<tool_call>|<function="""
)


class ValidToolCall(Component):
    """Fails a call of a tool that there is not, or with arguments that the tool's definition does not allow.

    The defects are ``unknown_tool``, ``wrong_argument`` (one that is missing, unknown, or of the wrong type or value)
    and ``broken_call`` for text that is meant as a call and is none. Answers in words pass.
    """

    name: ClassVar[str] = "valid_tool_call"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [self._verdict(case, one.text) for one in candidates]

    def _verdict(self, case: Case, answer: str) -> Verdict:
        calls = calls_of(answer)
        problem = next((found for call in calls if (found := call_problem(call, case.tools))), None)
        if not calls and _MEANT.search(answer):
            problem = "broken_call", answer[:200]
        if problem is None:
            return Verdict(judge=self.name, passed=True)
        return Verdict(judge=self.name, passed=False, defect=problem[0], evidence=problem[1])
