"""Reads the training exports of an answering build back, whatever their form: the counterpart of ``row_readers.py``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, cast

from pairwright.core.errors import ExportError
from pairwright.core.prompts.answering import Chat
from pairwright.core.records import Split, ToolCall, Turn
from pairwright.core.tool_calls import calls_of, compact
from pairwright.exports.rows.chat_forms import RESULTS
from pairwright.exports.rows.chat_rows import ChatRow
from pairwright.exports.rows.row_readers import records

Record = Mapping[str, Any]


def read_chat_rows(path: Path) -> Iterator[ChatRow]:
    """The rows of a file of the ``llamafactory``, ``trl``, ``openai`` or ``parquet`` export, in order.

    ``tokens`` is 0: files do not hold it.

    Raises:
        ExportError: the file is of no such form (names file and row).
        StorageError: the file cannot be opened.
    """
    split = cast(Split, path.stem.rpartition("_")[2])
    for number, record in enumerate(records(path), start=1):
        try:
            yield _row(split, record)
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            raise ExportError(f"{path}: row {number}: not a chat of a training export ({exc!r})") from exc


def _row(split: Split, record: Record) -> ChatRow:
    desirable = record.get("label", True)
    # First, because these rows have an "input" as well, which is how OpenAI's pairs are told.
    if "instruction" in record:
        said = chain.from_iterable(record["history"])
        turns = [*(_words(number, text) for number, text in enumerate(said)), _turn("user", record["instruction"])]
        answers = [_turn("assistant", text) for text in _sides(record, "output")]
        return _made(split, record["system"], "", turns, answers, desirable)
    if "conversations" in record:
        turns = list(chain.from_iterable(map(_sharegpt, record["conversations"])))
        answers = [turn for side in _sides(record, None) for turn in _sharegpt(side)] or [turns.pop()]
        return _made(split, record["system"], record["tools"], turns, answers, desirable)
    if "input" in record:
        asked = record["input"]
        answers = [*_messages(record["preferred_output"]), *_messages(record["non_preferred_output"])]
        return _made(split, *_told(_messages(asked["messages"])), answers, desirable, asked["tools"])
    if "messages" in record:
        *turns, answer = _messages(record["messages"])
        return _made(split, *_told(turns), [answer], desirable, record.get("tools"))
    answers = [turn for side in _sides(record, "completion") for turn in _messages(side)]
    return _made(split, *_told(_messages(record["prompt"])), answers, desirable, record.get("tools"))


def _made(
    split: Split,
    system: str,
    tools: str,
    turns: Iterable[Turn],
    answers: list[Turn],
    desirable: bool,
    definitions: Any = None,
) -> ChatRow:
    if definitions:
        tools = definitions if isinstance(definitions, str) else compact(definitions)
    rejected = answers[1] if len(answers) > 1 else None
    return ChatRow(split, Chat(system, tools, tuple(turns)), answers[0], rejected, 0, desirable)


def _told(turns: list[Turn]) -> tuple[str, str, list[Turn]]:
    return turns[0].content, "", turns[1:]


def _sides(record: Record, single: str | None) -> list[Any]:
    if "chosen" in record:
        return [record["chosen"], record["rejected"]]
    return [record[single]] if single else []


def _words(number: int, text: str) -> Turn:
    return _turn("assistant" if number % 2 else "user", text)


def _turn(role: str, text: str) -> Turn:
    return Turn.model_validate({"role": role, "content": text})


def _sharegpt(turn: Record) -> list[Turn]:
    value = turn["value"]
    if turn["from"] == "observation":
        return [_turn("tool", result) for result in value.split(RESULTS)]
    if turn["from"] == "function_call":
        return [Turn(role="assistant", content="", calls=calls_of(value))]
    return [_turn("user" if turn["from"] == "human" else "assistant", value)]


def _messages(messages: Iterable[Record]) -> list[Turn]:
    return [
        Turn(role=one["role"], content=one["content"], calls=tuple(map(_called, one.get("tool_calls") or ())))
        for one in messages
    ]


def _called(call: Record) -> ToolCall:
    arguments = call["function"]["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall(name=call["function"]["name"], arguments=text)
