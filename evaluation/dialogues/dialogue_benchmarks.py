"""Tool-use benchmarks as turns of dialogues, read from the user's own copies. Nothing of them is shipped.

``hammerbench:FILE.json`` (a list of dialogues with ``function call`` messages) and ``bfcl:QUESTIONS.jsonl,ANSWERS.jsonl``
(the multi-turn sets of the Berkeley function-calling leaderboard, whose answers are calls written as Python).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.errors import ConfigError, SourceError
from pairwright.core.files.storage import sha256_of
from pairwright.core.files.texts import read_lines, read_text
from pairwright.core.identity import content_id
from pairwright.core.language.text_analysis import detect_language
from pairwright.core.records import Turn
from pairwright.core.untrusted_json import read_json
from pairwright.evaluation.dialogues.dialogue_rows import (
    DialogueCall,
    DialogueRow,
    DialogueSet,
    Expected,
    read_dialogues,
)


def open_dialogues(spec: str) -> DialogueSet:
    """The turns that ``[READER:]PATH[,PATH]`` names.

    Raises:
        ConfigError: no such reader.
        SourceError: a file cannot be read or is of another form.
    """
    reader, _, rest = spec.partition(":")
    if not rest or Path(spec).exists():
        return read_dialogues(Path(spec))
    if reader not in DIALOGUE_READERS:
        raise ConfigError([f"--test {spec}: no reader {reader!r}; there are: {', '.join(sorted(DIALOGUE_READERS))}"])
    paths = [Path(part) for part in rest.split(",")]
    try:
        rows = tuple(DIALOGUE_READERS[reader](paths))
        digest = content_id([sha256_of(path) for path in paths])
    except OSError as exc:
        raise SourceError(
            f"{exc.filename or rest}: {exc.strerror}", "Check the path of the benchmark's files."
        ) from exc
    except (ValueError, KeyError, TypeError, SyntaxError) as exc:
        raise SourceError(
            f"{rest}: not a {reader} file: {exc}", "Give the files as their authors publish them."
        ) from exc
    return DialogueSet(name=reader, sha256=digest, rows=rows)


def hammerbench(paths: Sequence[Path]) -> Iterator[DialogueRow]:
    """HammerBench: one row per user turn; the calls up to the assistant's next words are what is expected."""
    for dialogue in read_json(read_text(paths[0])):
        messages = dialogue["messages"]
        for position, message in enumerate(messages):
            if message["role"] != "user":
                continue
            calls = []
            for later in messages[position + 1 :]:
                if later["role"] != "function call":
                    break
                calls.append(DialogueCall(name=later["content"]["name"], arguments=later["content"]["arguments"]))
            history = [one for one in messages[:position] if one["role"] in ("user", "assistant")]
            yield _row(str(dialogue["id"]), position, history, message["content"], calls)


def bfcl(paths: Sequence[Path]) -> Iterator[DialogueRow]:
    """BFCL multi-turn: one row per user turn, with its ground-truth calls in order."""
    if len(paths) != 2:
        raise ValueError("two files are needed: QUESTIONS.jsonl,ANSWERS.jsonl")
    questions, answers = ({row["id"]: row for row in map(read_json, _lines(path))} for path in paths)
    for identity, row in questions.items():
        history: list[Mapping[str, str]] = []
        for number, (said, calls) in enumerate(zip(row["question"], answers[identity]["ground_truth"], strict=True)):
            query = "\n".join(message["content"] for message in said)
            if query:
                yield _row(identity, number, history, query, [call_from(call) for call in calls])
            # The set has no words of the assistant.
            history = [*history, {"role": "user", "content": query}]


DIALOGUE_READERS: Mapping[str, Callable[[Sequence[Path]], Iterator[DialogueRow]]] = {
    "hammerbench": hammerbench,
    "bfcl": bfcl,
}


def call_from(text: str) -> DialogueCall:
    """A call written as Python: ``mv(source='a', destination='b')``. Positional arguments are named ``0``, ``1``, …

    Raises:
        ValueError, SyntaxError: it is no call with literal arguments.
    """
    found = ast.parse(text, mode="eval").body
    if not isinstance(found, ast.Call):
        raise ValueError(f"{text!r} is no call")
    arguments: dict[str, Any] = {str(index): ast.literal_eval(value) for index, value in enumerate(found.args)}
    arguments |= {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in found.keywords}
    return DialogueCall(name=ast.unparse(found.func), arguments=arguments)


def _row(
    dialogue: str, position: int, history: Sequence[Mapping[str, str]], query: str, calls: Sequence[DialogueCall]
) -> DialogueRow:
    return DialogueRow(
        id=f"{dialogue}#{position}",
        language=detect_language(query),
        dialogue=dialogue,
        history=tuple(
            Turn(role="user" if one["role"] == "user" else "assistant", content=one["content"]) for one in history
        ),
        query=query,
        expected=Expected(tool_calls=tuple(calls)),
    )


def _lines(path: Path) -> list[str]:
    return [line for line in read_lines(path) if line.strip()]
