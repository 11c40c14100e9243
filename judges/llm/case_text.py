"""What judges that ask a model show of a case: its setting, its dialogue and its query, all of it escaped."""

from __future__ import annotations

from collections.abc import Iterable

from pairwright.core.prompts.escaping import escape
from pairwright.core.records import Case, Turn


def case_of(case: Case) -> dict[str, str]:
    """The places ``setting``, ``history``, ``query`` and ``steps`` of a prompt.

    ``setting`` is what an assistant that answers was told: its system prompt and tools, each where there is one.
    ``steps`` are the tool calls that it made since the query, with what the tools said. Those of earlier turns stand in
    the history.
    """
    told = {"system": case.system, "tools": case.tools}
    return {
        "setting": "".join(f"<{tag}>{escape(text)}</{tag}>\n" for tag, text in told.items() if text),
        "history": dialogue(case.history),
        "query": escape(case.query),
        "steps": dialogue(case.steps),
    }


def dialogue(turns: Iterable[Turn]) -> str:
    """One line per turn and per tool call."""
    return "".join(_turn(turn) for turn in turns)


def _turn(turn: Turn) -> str:
    calls = "".join(f"<tool_call>{escape(f'{call.name} {call.arguments}')}</tool_call>\n" for call in turn.calls)
    said = "" if calls and not turn.content else f"<{turn.role}>{escape(turn.content)}</{turn.role}>\n"
    return said + calls
