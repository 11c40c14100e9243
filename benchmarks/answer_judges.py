"""How often the rules for answers object to real answers, and how often they find made defects.

    python benchmarks/answer_judges.py FILE...

Each FILE holds dialogues. Every assistant turn is judged as it is (`real`: each objection is a false alarm, unless the
answer is bad), and with one defect made: an earlier turn of the assistant instead (`repeated`), where the user asks a canned
brush-off and one of the perturber `brush_off`, which names the topic, a sentence in the other language, and of calls: an unknown tool, an unknown, missing or
mistyped argument, the last character cut off.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import NoReturn

from pairwright.core.config.build_file import ContextConfig
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import is_question, is_request
from pairwright.core.records import Candidate, Conversation, Language, Rejected, Task
from pairwright.core.requests import ChatRequest
from pairwright.core.tool_calls import calls_of
from pairwright.judges import JUDGES
from pairwright.perturbers.answers.brush_off import BrushOff
from pairwright.pipelines.ingest.answer_contexts import find_answers, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.sources import FileSource

NAMES = ("brush_off", "repeated_answer", "valid_tool_call", "language_mismatch")
BRUSH_OFFS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "I'm not sure, sorry.",
        "That's a great question!",
        "You could look it up online.",
        "Sorry, I can't help with that.",
    ),
    "zh": ("这个我不太清楚。", "抱歉，我无法回答。", "您可以自己上网查一下。", "这是个很好的问题。"),
}
OTHER: Mapping[Language, str] = {
    "en": "推荐您去这家餐馆，人均消费一百元左右。",
    "zh": "I would recommend this restaurant, it is about a hundred yuan per person.",
}


async def nobody(endpoint: str, request: ChatRequest) -> NoReturn:
    """Rules ask nobody."""
    raise AssertionError(f"{endpoint} was asked {request}")


def main() -> None:
    """Print one table per file: answers, and the share of them that each judge fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    for path in parser.parse_args().files:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        with CoroutineRunner() as runner:
            for task in tasks(path):
                for kind, answer in answers(task):
                    counts[kind]["answers"] += 1
                    for name in NAMES:
                        counts[kind][name] += fails(name, task, answer, runner)
        print(f"\n| answers of {path.name} | {' | '.join(NAMES)} |\n|---|{'---:|' * len(NAMES)}")
        for kind, found in counts.items():
            shares = " | ".join(f"{100 * found[name] / found['answers']:.1f}" for name in NAMES)
            print(f"| {kind} ({found['answers']:,}) | {shares} |")


def tasks(path: Path) -> Iterator[Task]:
    """Every answer of the file's dialogues, with up to ten exchanges before it."""
    config = ContextConfig(queries="every", turns=10, max_tokens=100_000)
    rows = (
        row for row in check_answerable(FileSource(source="s", path=str(path)).read()) if isinstance(row, Conversation)
    )
    for task in window_answers(find_answers(rows, config), config):
        if isinstance(task, Task) and task.reference is not None:
            yield task


def answers(task: Task) -> Iterator[tuple[str, str]]:
    """The real answer and those with a defect."""
    assert task.reference is not None
    yield "real", task.reference
    calls = calls_of(task.reference)
    if calls:
        yield from broken_calls(task.reference)
        return
    said = [turn.content for turn in task.history if turn.role == "assistant" and len(turn.content) > 12]
    if said and said[-1] != task.reference:
        yield "repeated", said[-1]
    yield "other language", OTHER[task.language]
    if is_question(task.query, task.language) or is_request(task.query, task.language):
        canned = BRUSH_OFFS[task.language]
        yield "canned brush-off", canned[len(task.query) % len(canned)]
        chosen = Candidate.create(task=task.id, origin="reference", text=task.reference)
        made = BrushOff().perturb(task, chosen, row_rng(0, "benchmark", task.id))
        yield from (("polite brush-off", one.text) for one in islice(made, 1) if isinstance(one, Rejected))


def broken_calls(answer: str) -> Iterator[tuple[str, str]]:
    """The calls of an answer with one thing wrong in the first of them."""

    def changed(name: str, arguments: dict[str, object]) -> str:
        first = {"name": name, "arguments": arguments}
        return json.dumps([first, *json.loads(answer)[1:]], ensure_ascii=False)

    name, arguments = json.loads(answer)[0]["name"], json.loads(answer)[0]["arguments"]
    yield "unknown tool", changed(f"{name}_v2", arguments)
    yield "unknown argument", changed(name, {**arguments, "verbose": True})
    yield "cut JSON", answer[:-1]
    if arguments:
        key = next(iter(arguments))
        yield "mistyped argument", changed(name, {**arguments, key: {"value": arguments[key]}})
        yield "missing argument", changed(name, {one: value for one, value in arguments.items() if one != key})


def fails(name: str, task: Task, answer: str, runner: CoroutineRunner) -> bool:
    """Whether a judge objects."""
    candidate = Candidate.create(task=task.id, origin="reference", text=answer)
    (verdict,) = runner.run(JUDGES[name]().judge(task, [candidate], nobody))  # type: ignore[attr-defined]
    return not verdict.passed


if __name__ == "__main__":
    main()
