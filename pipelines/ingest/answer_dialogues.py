"""Dialogues that an assistant can learn to answer from: user and assistant alternate, and every call has its results.

Between a user turn and the next one stand any number of rounds of calls and results, and then the assistant's answer:

    user, (assistant with calls, tool results)*, assistant, user, …

Consecutive turns of one speaker are one turn. A call that nothing answered before the assistant spoke on was not
carried out, and goes (HammerBench notes such calls after every user turn). All else that does not fit is a failed row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pairwright.core.bookkeeping import Failed
from pairwright.core.records import Conversation, ToolCall, Turn
from pairwright.core.tool_calls import argument_text, compact, strict_json
from pairwright.pipelines.ingest.row_values import RowError

STAGE = "read"


def check_answerable(rows: Iterable[Conversation | Failed]) -> Iterator[Conversation | Failed]:
    """One outcome per row: the dialogue in order, or a failure.

    ``bad_tool_call`` (no name, arguments that are no JSON object), ``bad_tools``, ``orphan_tool_result``,
    ``call_without_result``, ``result_without_answer``.
    """
    for row in rows:
        yield row if isinstance(row, Failed) else _outcome(row)


def _outcome(row: Conversation) -> Conversation | Failed:
    origin = row.origin
    try:
        update = {"turns": well_formed(row.turns), "tools": check_tools(row.tools)}
    except RowError as exc:
        where = f"{origin.file}:{origin.line}"
        return Failed(
            stage=STAGE, row=where, error=exc.error, message=str(exc), file=origin.file, line=origin.line or None
        )
    return row.model_copy(update=update)


def check_tools(text: str) -> str:
    """Tool definitions that every chat template can render: each has a name and parameters.

    Raises:
        RowError: ``bad_tools``.
    """
    if not text:
        return ""
    try:
        found = strict_json(text)
    except ValueError as exc:
        raise RowError("bad_tools", f"the tools are no JSON: {exc}") from exc
    return compact([_definition(one, number) for number, one in enumerate(found, start=1)])


def _definition(one: Any, number: int) -> Mapping[str, Any]:
    function = one.get("function") if isinstance(one, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str) or not function["name"].strip():
        raise RowError("bad_tools", f"tool {number} has no name")
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    if not isinstance(parameters, Mapping):
        raise RowError("bad_tools", f"tool {function['name']!r}: parameters must be a JSON schema")
    # Chat templates read the properties of every tool, of one that takes no arguments as well.
    return {"type": "function", "function": {**function, "parameters": {"properties": {}, **parameters}}}


def well_formed(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns in the order that the module describes; system prompts stay where they are.

    Raises:
        RowError: they cannot be brought into it.
    """
    found: list[Turn] = []
    last: int | None = None  # place of the last turn that is no system prompt
    results = 0
    for number, turn in enumerate(turns, start=1):
        turn = _with_checked_calls(turn, number)
        before = found[last] if last is not None else None
        if turn.role == "system":
            found.append(turn)
            continue
        if turn.role == "tool":
            results = _one_more_result(before, results, number)
        elif before is not None and before.role == "tool":
            _require_all_results(_caller(found), results, number)
            if turn.role == "user":
                raise RowError(
                    "result_without_answer", f"turn {number}: the user goes on before the tool's result is used"
                )
        elif before is not None and before.role == turn.role:
            assert last is not None
            found[last] = _joined(before, turn)
            continue
        elif before is not None and before.calls and turn.role == "user":
            raise RowError("call_without_result", f"turn {number}: the user goes on before the call has a result")
        results = results if turn.role == "tool" else 0
        last = len(found)
        found.append(turn)
    if last is not None and found[last].role == "tool":
        _require_all_results(_caller(found), results, len(turns))
    return tuple(found)


def _with_checked_calls(turn: Turn, number: int) -> Turn:
    if not turn.calls:
        return turn
    calls = []
    for call in turn.calls:
        if not call.name:
            raise RowError("bad_tool_call", f"turn {number}: a call without a name: {call.arguments[:80]}")
        try:
            calls.append(ToolCall(name=call.name, arguments=argument_text(call.arguments)))
        except ValueError as exc:
            raise RowError("bad_tool_call", f"turn {number}: the arguments of {call.name!r}: {exc}") from exc
    # ShareGPT writes the call itself where the words would be.
    words = "" if turn.content[:1] in ("{", "[") else turn.content
    return Turn(role=turn.role, content=words, calls=tuple(calls))


def _joined(first: Turn, second: Turn) -> Turn:
    """One turn out of two of the same speaker. What is said after a call takes its place; calls add up."""
    content = "\n".join(text for text in (first.content, second.content) if text)
    calls = (*first.calls, *second.calls) if second.calls else ()
    return Turn(role=first.role, content=content, calls=calls)


def _one_more_result(before: Turn | None, results: int, number: int) -> int:
    if before is None or not (before.role == "tool" or before.calls):
        raise RowError("orphan_tool_result", f"turn {number}: the result of a tool that was not called")
    return results + 1 if before.role == "tool" else 1


def _caller(found: Sequence[Turn]) -> Turn:
    return next(turn for turn in reversed(found) if turn.calls)


def _require_all_results(caller: Turn, results: int, number: int) -> None:
    """One result per call, or one for all of them."""
    if results > len(caller.calls):
        raise RowError("orphan_tool_result", f"turn {number}: {results} results of {len(caller.calls)} calls")
    if results not in (1, len(caller.calls)):
        raise RowError("call_without_result", f"turn {number}: {results} results of {len(caller.calls)} calls")
