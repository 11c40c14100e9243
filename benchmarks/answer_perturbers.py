"""What the answer perturbers make of real dialogues: tried, made, verified, dropped by reason, share longer than the
chosen answer, coverage and speed.

    python benchmarks/answer_perturbers.py DATA.jsonl... [--bfcl QUESTIONS.jsonl ANSWERS.jsonl] [--sample N] [--only NAME]

A line of a data file is a dialogue with ``conversation`` (KdConv, CrossWOZ), whose assistant turns are the answers, or
a row with ``history`` (iKAT, GECOR), where those of its history are; persona rows of iKAT (``meta.ptkb_used``) are left out. Where
a user's turn has the ``dialog_act`` of CrossWOZ, what it states is read as the call of a search tool as well. ``--bfcl``
takes the multi-turn files of the Berkeley function-calling leaderboard; the tools' schemas are read off its calls.
``--sample N`` prints N random rejects per perturber and language to be read one by one.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.records import Candidate, Language, Origin, Rejected, Task, ToolCall, Turn
from pairwright.core.tool_calls import compact
from pairwright.evaluation.dialogues.dialogue_benchmarks import open_dialogues
from pairwright.perturbers import PERTURBERS

ANSWER_PERTURBERS = [name for name, component in PERTURBERS.items() if "answer" in component.tasks]
MADE_BUT_DROPPED = ("not_proven_worse", "equals_chosen", "equals_reference", "made_before")
SEARCH = {
    "餐馆": "search_restaurant",
    "酒店": "search_hotel",
    "景点": "search_sight",
    "出租": "book_taxi",
    "地铁": "search_metro",
}
TYPES = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


class AnswerRow(NamedTuple):
    """A good answer and what it answers."""

    task: Task
    chosen: Candidate


class AttemptCounts:
    """Counts of one perturber in one language."""

    def __init__(self) -> None:
        self.tried = self.made = self.verified = 0
        self.dropped: Counter[str] = Counter()
        self.seconds = 0.0
        self.kept: list[tuple[AnswerRow, Rejected]] = []


def row_of(
    language: Language, key: str, source: str, history: Sequence[Turn], query: str, answer: str, tools: str = ""
) -> AnswerRow:
    """The answer as a task of ``kind: answer``."""
    setting = {"tools": tools} if tools else {}
    task = Task.create(
        kind="answer",
        conversation=key,
        dialogue=key.partition("#")[0],
        language=language,
        history=tuple(history),
        query=query,
        reference=answer,
        tokens=1,
        origin=Origin(source=source, file=source, key=key, licence="see data"),
        **setting,
    )
    return AnswerRow(task, Candidate.create(task=task.id, origin="reference", text=answer))


def read_rows(path: Path) -> Iterator[AnswerRow]:
    """Every answer of one file, each once."""
    seen: set[tuple[str, str]] = set()
    contents = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    tools = search_tools(contents)
    for content in contents:
        if content.get("meta", {}).get("ptkb_used"):
            continue
        language = content.get("lang") or content["metadata"]["lang"]
        said = content.get("conversation") or content["history"]
        turns = [Turn(role=turn["role"], content=turn["content"]) for turn in said]
        for at in range(1, len(turns)):
            query, answer = turns[at - 1], turns[at]
            pair = (query.content, answer.content)
            if (query.role, answer.role) != ("user", "assistant") or not all(map(str.strip, pair)) or pair in seen:
                continue
            seen.add(pair)
            key = f"{content['id']}#{at}"
            yield row_of(language, key, path.stem, turns[: at - 1], *pair)
            calls = search_calls(said[at - 1].get("dialog_act", ()))
            if calls:
                yield row_of(
                    language, f"{key}.call", f"{path.stem} calls", turns[: at - 1], query.content, compact(calls), tools
                )


def search_calls(acts: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """What a user states of each domain, as the call of its search tool."""
    stated: dict[str, dict[str, str]] = defaultdict(dict)
    for act, domain, slot, value in acts:
        if act == "Inform" and domain in SEARCH and value and "-" not in slot:
            stated[domain][slot] = value
    return [{"name": SEARCH[domain], "arguments": arguments} for domain, arguments in stated.items()]


def search_tools(contents: Sequence[Mapping[str, Any]]) -> str:
    """The definitions of the search tools, with every slot that is ever stated."""
    acts = [
        act for content in contents for turn in content.get("conversation", ()) for act in turn.get("dialog_act", ())
    ]
    calls = [call for act in acts for call in search_calls([act])]
    return compact(definitions([(call["name"], call["arguments"]) for call in calls], needed=False)) if calls else ""


def definitions(calls: Sequence[tuple[str, Mapping[str, Any]]], needed: bool = True) -> list[dict[str, Any]]:
    """Function definitions read off calls; an argument that every call has is required, if that is wanted."""
    by_name: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for name, arguments in calls:
        by_name[name].append(arguments)
    found = []
    for name, uses in sorted(by_name.items()):
        properties = {key: {"type": TYPES[type(value)]} for use in uses for key, value in use.items()}
        required = [key for key in properties if needed and all(key in use for use in uses)]
        schema = {"type": "object", "properties": properties, "required": required}
        found.append({"type": "function", "function": {"name": name, "parameters": schema}})
    return found


def read_bfcl(questions: Path, answers: Path) -> Iterator[AnswerRow]:
    """Every user turn of BFCL whose answer calls tools; earlier calls stand in the history."""
    rows = open_dialogues(f"bfcl:{questions},{answers}").rows
    known = definitions([(call.name, call.arguments) for row in rows for call in row.expected.tool_calls or ()])
    dialogue, history = "", list[Turn]()
    for row in rows:
        if row.dialogue != dialogue:
            dialogue, history = row.dialogue, []
        calls = [{"name": call.name, "arguments": call.arguments} for call in row.expected.tool_calls or ()]
        names = {call["name"] for call in calls}
        offered = [one for one in known if one["function"]["name"] in names]
        offered += row_rng(0, "tools", row.id).sample(known, 3)
        tools = compact(list({one["function"]["name"]: one for one in offered}.values()))
        if calls:
            yield row_of("en", row.id, "bfcl", history, row.query, compact(calls), tools)
        made = tuple(ToolCall(name=call["name"], arguments=compact(call["arguments"])) for call in calls)
        history = [*history, Turn(role="user", content=row.query), Turn(role="assistant", content="", calls=made)]


def try_one(perturber: Perturber, row: AnswerRow, tally: AttemptCounts) -> Rejected | None:
    """Run one perturber on one row until its first reject; count everything on the way."""
    tally.tried += 1
    start = time.process_time()
    first = None
    for outcome in perturber.perturb(row.task, row.chosen, row_rng(0, f"perturb.{perturber.name}", row.task.id)):
        if isinstance(outcome, Dropped):
            tally.dropped[outcome.reason] += 1
            tally.made += outcome.reason in MADE_BUT_DROPPED
            continue
        first = outcome
        break
    tally.seconds += time.process_time() - start
    if first is not None:
        tally.made += 1
        tally.verified += 1
        tally.kept.append((row, first))
    return first


def run(rows: Sequence[AnswerRow], names: Sequence[str]) -> tuple[dict[str, AttemptCounts], Counter[str]]:
    """Every perturber on every row; also how many kinds of reject an answer got."""
    tallies = {name: AttemptCounts() for name in names}
    coverage: Counter[str] = Counter()
    for row in rows:
        made = 0
        for name in names:
            component = PERTURBERS[name]()
            made += try_one(component, row, tallies[name]) is not None
        coverage["rows"] += 1
        for least in (1, 2, 3):
            coverage[str(least)] += made >= least
    return tallies, coverage


def print_table(title: str, tallies: Mapping[str, AttemptCounts], coverage: Counter[str]) -> None:
    """One Markdown table."""
    total = coverage["rows"]
    shares = ", ".join(f"{coverage[str(least)] / total:.1%} with {least} or more" for least in (1, 2, 3))
    print(f"\n### {title}\n\n{total} answers: {shares} kinds of verified reject.\n")
    print(
        "| perturber | tried | texts made | verified | dropped by reason | templates | largest template | longer | pairs / CPU s |"
    )
    print("|---|--:|--:|--:|---|--:|---|--:|--:|")
    for name, tally in tallies.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.dropped.most_common(4))
        templates = Counter(made.template for _, made in tally.kept)
        largest = ", ".join(f"{template} {count / tally.verified:.0%}" for template, count in templates.most_common(1))
        longer = sum(len(made.text) > len(row.chosen.text) for row, made in tally.kept)
        share = f"{longer / tally.verified:.0%}" if tally.verified else ""
        speed = tally.verified / tally.seconds if tally.seconds else 0.0
        print(
            f"| {name} | {tally.tried} | {tally.made} | {tally.verified} | {reasons} | {len(templates)} | {largest} | {share} | {speed:,.0f} |"
        )
    verified = sum(tally.verified for tally in tallies.values())
    seconds = sum(tally.seconds for tally in tallies.values())
    print(f"| **all** | | | {verified} | | | | | {verified / seconds if seconds else 0:,.0f} |")


def print_sample(tallies: Mapping[str, AttemptCounts], count: int, seed: int) -> None:
    """Random rejects to read against their dialogue."""
    for name, tally in tallies.items():
        print(f"\n--- {name}")
        for row, made in random.Random(seed).sample(tally.kept, min(count, len(tally.kept))):
            for turn in row.task.history[-2:]:
                print(f"  … {turn.role}: {turn.content[:160]}")
            print(
                f"  Q {row.task.query}\n  C {row.chosen.text}\n  - {made.text}   [{made.template}: {made.evidence[:80]}]\n"
            )


def main() -> None:
    """Print one table per language, over all files of that language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path)
    parser.add_argument("--bfcl", nargs=2, type=Path, metavar=("QUESTIONS", "ANSWERS"))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=ANSWER_PERTURBERS)
    options = parser.parse_args()
    rows: dict[Language, list[AnswerRow]] = defaultdict(list)
    for row in (row for path in options.data for row in read_rows(path)):
        rows[row.task.language].append(row)
    if options.bfcl:
        rows["en"] += read_bfcl(*options.bfcl)
    for language, found in rows.items():
        tallies, coverage = run(found, options.only or ANSWER_PERTURBERS)
        sources = Counter(row.task.origin.source for row in found)
        print_table(
            f"{language}: {', '.join(f'{source} {count}' for source, count in sources.items())}", tallies, coverage
        )
        print_sample(tallies, options.sample, options.seed)


if __name__ == "__main__":
    main()
