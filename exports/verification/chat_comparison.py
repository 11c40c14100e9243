"""What both verifications ask of a chat: every turn arrived, in order, and the loss covers exactly the answer meant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pairwright.core.records import ToolCall, Turn
from pairwright.exports.rows.chat_rows import ChatRow

IGNORED = -100  # the label that torch's cross entropy leaves out


def arrived(text: str, row: ChatRow) -> Iterator[str]:
    """Problems of a rendered prompt: a system prompt, a tool, a turn or a call that is not there, or not in its place."""
    names = [one["function"]["name"] for one in json.loads(row.chat.tools or "[]")]
    if row.chat.system not in text:
        yield "the system message was cut or changed"
    if any(json.dumps(name, ensure_ascii=False) not in text for name in names):
        yield "a tool's definition is not in the prompt"
    place = text.find(row.chat.system) + len(row.chat.system)
    for parts in _parts(row.chat.turns):
        found = {part: text.find(part, place) for part in parts}
        if -1 in found.values():
            yield "the prompt was cut: the query, a turn or a call may be lost"
            return
        place = max((at + len(part) for part, at in found.items()), default=place)


def _parts(turns: Sequence[Turn]) -> Iterator[list[str]]:
    """The texts of the turns in order; those of one list in any order, for a table gives all rows' objects one order."""
    for turn in turns:
        yield [turn.content]
        for call in turn.calls:
            yield [call.name]
            yield list(_leaves(json.loads(call.arguments)))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield json.dumps(value, ensure_ascii=False)


def check_labels(tok: Any, row: ChatRow, ids: Sequence[int], labels: Sequence[int]) -> Iterator[str]:
    """Problems of token ids and labels as LlamaFactory makes them, with a template that ends each message with EOS."""
    learned = [label for label in labels if label != IGNORED]
    prompt = list(ids[: len(ids) - len(learned)])
    if list(labels) != [IGNORED] * len(prompt) + list(ids[len(prompt) :]):
        yield "the loss does not cover exactly one stretch at the end; SFT needs mask_history: true"
    if learned.count(tok.eos_token_id) != 1:
        yield "the answer does not have exactly one end-of-sequence token"
    if prompt.count(tok.eos_token_id) != 1 + _messages(row.chat.turns):
        yield "the messages of the prompt do not end as often as there are messages"
    yield from arrived(tok.decode(prompt, skip_special_tokens=False), row)


def _messages(turns: Sequence[Turn]) -> int:
    """Messages that a template writes: the results of one round stand in one."""
    roles = [turn.role for turn in turns]
    return sum(not (role == "tool" and before == "tool") for role, before in zip(roles, ["", *roles], strict=False))


def is_answer(text: str, answer: Turn, extracted: Any) -> bool:
    """Whether the learnt ``text`` says the answer; ``extracted`` is what the template reads out of it."""
    if not answer.calls:
        return text.rstrip("\n") == answer.content.rstrip("\n")
    if not isinstance(extracted, list):
        return False
    return [(name, json.loads(arguments)) for name, arguments in extracted] == [_value(call) for call in answer.calls]


def _value(call: ToolCall) -> tuple[str, Any]:
    return call.name, json.loads(call.arguments)
