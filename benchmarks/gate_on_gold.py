"""How well the gate tells which queries need a rewrite, and which of those depend on an answer that is missing.

    python benchmarks/gate_on_gold.py [DATA_DIR...] [--limit 1000] [--only SET] [--show] [--build BUILD.yaml --rows 40]

Reads the sets of ``examples_data.py`` that it finds in the folders, without a folder those of ``examples/data``. A query
*needs* a rewrite when the human rewrite says a content word that the query lacks, or the other way round: differences in punctuation, case, inflection and function words do not count, and neither does a name said
twice. ``--strict`` counts every difference that normalising (case, width, punctuation) leaves. Queries without history
need none.

What it needs *depends on a missing answer* when words that the human rewrite restores stand in the assistant's turns and
not in the user's; the gate is then shown the user's turns alone. ``meta.depends_on_assistant`` says it where it is there.

The rules were developed on the dialogues whose hash is even (``dev``); ``held`` are the others. Intervals are 95 %
bootstrap intervals over dialogues. With ``--build`` the gate of that build file is asked too, about ``--rows`` rows per data
set with history, half of which need a rewrite where there are that many. It sees the window of that build file, and its
answers go to that build's ledger.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from examples_data import EXAMPLES, NAMES, SETS, gold_files

from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import RequestFailed
from pairwright.core.language.text_analysis import mentions_many, normalise, restored, supported
from pairwright.core.llm.ledger import Ledger
from pairwright.core.prompts.history_window import window
from pairwright.core.records import GateDecision, Origin, Task, Turn
from pairwright.core.statistics import group_indices, group_sums, percentile_interval, resample
from pairwright.judges.gates.rules import decision
from pairwright.judges.rules.rule_verdicts import same_question
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.endpoint_servers import open_endpoints, running_servers
from pairwright.pipelines.judging.candidate_judging import ordered_map

Half = Literal["dev", "held"]


class Case(NamedTuple):
    """One query with what people say of it; ``depends`` only where it needs a rewrite."""

    task: Task
    rewrite: str
    half: Half
    needs: bool
    depends: bool | None


class Outcome(NamedTuple):
    """What was said of a case beside what is right."""

    case: Case
    right: bool
    said: bool
    decision: GateDecision


def read_cases(path: Path, limit: int, *, strict: bool) -> list[Case]:
    """The cases of one file, at most ``limit`` of them drawn by a fixed seed."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if not row["meta"].get("ptkb_used") and row["meta"].get("original", True)]
    rows = rows if len(rows) <= limit else random.Random(0).sample(rows, limit)
    mentions_many([text for row in rows for text in (row["query"], row["rewrite"])], rows[0]["lang"])
    return [_case(row, strict=strict) for row in rows]


def _case(row: dict[str, Any], *, strict: bool) -> Case:
    query, rewrite, language = row["query"], row["rewrite"], row["lang"]
    task = Task.create(
        conversation=row["id"],
        dialogue=dialogue_of(row),
        language=language,
        history=tuple(Turn(role=turn["role"], content=turn["content"]) for turn in row["history"]),
        query=query,
        tokens=0,
        origin=Origin(source="benchmark", file="", key=row["id"], licence=""),
    )
    same = normalise(query).replace(" ", "") == normalise(rewrite).replace(" ", "")
    needs = bool(row["history"]) and not (same if strict else same_question(query, rewrite, language))
    half: Half = "held" if hashlib.sha256(task.dialogue.encode()).digest()[0] % 2 else "dev"
    return Case(task, rewrite, half, needs, _depends(task, rewrite, row["meta"]) if needs else None)


def dialogue_of(row: dict[str, Any]) -> str:
    """The dialogue that a row was cut from, by its metadata or its id."""
    name = str(row["id"])
    return str(row["meta"].get("dialogue") or name.split("_q#")[0].rsplit("_", 1 if "_q#" not in name else 0)[0])


def _depends(task: Task, rewrite: str, meta: dict[str, Any]) -> bool | None:
    """None where the assistant says nothing: its turns cannot be taken away."""
    told = [turn.content for turn in task.history if turn.role != "user"]
    if not told:
        return False if "depends_on_assistant" not in meta else None
    if "depends_on_assistant" in meta:
        return bool(meta["depends_on_assistant"])
    said = [turn.content for turn in task.history if turn.role == "user"]
    spans = restored(task.query, rewrite, task.language)
    return any(supported(span, told) and not supported(span, [*said, task.query]) for span in spans)


def user_turns(task: Task) -> Task:
    """The task as a caller sees it who has the user's turns alone."""
    return task.model_copy(update={"history": tuple(turn for turn in task.history if turn.role == "user")})


def figures(outcomes: Sequence[Outcome]) -> list[str]:
    """Balanced accuracy with its interval, recall and false-edit rate."""
    sums = np.array([[o.right, o.right and o.said, not o.right, not o.right and o.said] for o in outcomes], dtype=float)
    if not len(sums) or not sums[:, 0].any() or not sums[:, 2].any():
        one_sided = sums.sum(axis=0) if len(sums) else np.zeros(4)
        return ["–", _percent(one_sided[1], one_sided[0]), _percent(one_sided[3], one_sided[2])]
    groups = group_indices([outcome.case.task.dialogue for outcome in outcomes])
    samples = resample(group_sums(sums, groups), seed=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = percentile_interval(balanced(samples))
    total = sums.sum(axis=0)
    value = float(balanced(total[None, :])[0])
    return [f"{value:.3f} [{low:.3f}, {high:.3f}]", _percent(total[1], total[0]), _percent(total[3], total[2])]


def balanced(sums: np.ndarray) -> np.ndarray:
    """Balanced accuracy of sums (n, 4): positives, true positives, negatives, false positives."""
    return np.asarray((sums[:, 1] / sums[:, 0] + 1 - sums[:, 3] / sums[:, 2]) / 2)


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def table(title: str, rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table; the first row is the header."""
    header, *body = rows
    print(f"\n{title}\n\n| {' | '.join(map(str, header))} |\n|---|{'---:|' * (len(header) - 1)}")
    for row in body:
        print(f"| {' | '.join(map(str, row))} |")


def level_one(cases: Sequence[Case], decisions: Sequence[GateDecision]) -> list[Outcome]:
    return [Outcome(case, case.needs, one.needs_rewrite, one) for case, one in zip(cases, decisions, strict=True)]


def level_two(cases: Sequence[Case], decisions: Sequence[GateDecision]) -> list[Outcome]:
    return [
        Outcome(case, case.depends, one.missing_answer, one)
        for case, one in zip(cases, decisions, strict=True)
        if case.depends is not None
    ]


def dependents(cases: Sequence[Case]) -> list[Case]:
    """The cases that need a rewrite and of which it is known whether they depend on an answer."""
    return [
        case._replace(task=user_turns(case.task))
        for case in cases
        if case.depends is not None and user_turns(case.task).history
    ]


def halves(name: str, system: str, outcomes: Sequence[Outcome]) -> Iterator[Sequence[object]]:
    """One row per half and one for all."""
    for half in ("dev", "held", "all"):
        chosen = [one for one in outcomes if half in ("all", one.case.half)]
        if chosen:
            share = sum(one.right for one in chosen) / len(chosen)
            yield (name, system, half, len(chosen), f"{100 * share:.0f}", *figures(chosen))


def sampled(cases: Sequence[Case], right: Sequence[bool], count: int) -> list[Case]:
    """``count`` cases, half of them positive where there are that many, drawn by a fixed seed."""
    rng = random.Random(1)
    sides = [[case for case, side in zip(cases, right, strict=True) if side is wanted] for wanted in (True, False)]
    positives = rng.sample(sides[0], min(len(sides[0]), count - min(len(sides[1]), count // 2)))
    return positives + rng.sample(sides[1], min(len(sides[1]), count - len(positives)))


def ask_gate(config: BuildConfig, cases: Sequence[Case]) -> list[tuple[Case, GateDecision]]:
    """What the build file's gate says; cases without a usable answer are left out, and counted."""
    gate = config.gate
    assert gate is not None
    only = config.model_copy(update={"generation": (), "judges": ()})
    failed: list[str] = []

    async def one(case: Case) -> tuple[Case, GateDecision] | None:
        history, _, _ = window(case.task.history, config.context.turns, config.context.max_tokens, case.task.tokens)
        try:
            return case, await gate.decide(case.task.model_copy(update={"history": history}), asked.ask)
        except RequestFailed as exc:
            failed.append(str(exc))
            return None

    config.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as logs,
        Ledger(config.ledger_path) as ledger,
        running_servers(only, Path(logs)) as base_urls,
        open_endpoints(only, ledger, base_urls) as asked,
    ):
        found = [pair for pair in ordered_map(one, cases, asked.width, asked.runner) if pair is not None]
    if failed:
        print(f"{len(failed)} of {len(cases)} got no usable answer; the first: {failed[0]}")
    return found


def by_model(config: BuildConfig, cases: Sequence[Case], level: int, count: int) -> list[Outcome]:
    right = [bool(case.needs if level == 1 else case.depends) for case in cases]
    with_history = [case for case in cases if case.task.history]
    kept = sampled(with_history, [flag for case, flag in zip(cases, right, strict=True) if case.task.history], count)
    pairs = ask_gate(config, kept)
    chosen, said = [case for case, _ in pairs], [one for _, one in pairs]
    return (level_one if level == 1 else level_two)(chosen, said)


def show(name: str, outcomes: Iterable[Outcome]) -> None:
    for one in outcomes:
        if one.right != one.said:
            kind = "missed" if one.right else "false "
            print(f"    {name} {kind} | {one.case.task.query} | {one.case.rewrite} | {one.decision.evidence}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="DATA_DIR", default=[EXAMPLES], help=f"with some of {NAMES}"
    )
    parser.add_argument("--limit", type=int, default=1000, help="rows per data set")
    parser.add_argument("--only", choices=SETS, help="this set alone")
    parser.add_argument("--strict", action="store_true", help="every difference but case and punctuation counts")
    parser.add_argument("--show", action="store_true", help="print the rules' mistakes on the dev half")
    parser.add_argument("--build", type=Path, help="also ask the gate of this build file")
    parser.add_argument(
        "--rows", type=int, default=40, help="rows per data set and level that the build's gate is asked about"
    )
    arguments = parser.parse_args()
    config = read_build(arguments.build, CATALOGUES) if arguments.build else None
    header = ("data", "gate", "half", "n", "yes, %", "balanced accuracy", "recall, %", "false, %")
    tables: tuple[list[Sequence[object]], list[Sequence[object]]] = ([header], [header])
    decided = 0
    for name, path in gold_files(arguments.folders, arguments.only).items():
        cases = read_cases(path, arguments.limit, strict=arguments.strict)
        with_history = [case for case in cases if case.task.history]
        first = level_one(cases, [decision(case.task) for case in cases])
        open_cases = dependents(cases)
        second = level_two(open_cases, [decision(case.task) for case in open_cases])
        decided += len(cases) + len(open_cases)
        tables[0].extend(halves(name, "rules", first))
        if len(with_history) < len(cases):
            later = [one for one in first if one.case.task.history]
            tables[0].extend(list(halves(name, "rules, with history", later))[-1:])
        tables[1].extend(halves(name, "rules", second))
        if config is not None:
            tables[0].extend(list(halves(name, "model", by_model(config, cases, 1, arguments.rows)))[-1:])
            tables[1].extend(list(halves(name, "model", by_model(config, open_cases, 2, arguments.rows)))[-1:])
        if arguments.show:
            show(f"{name} 1", (one for one in first if one.case.half == "dev"))
            show(f"{name} 2", (one for one in second if one.case.half == "dev"))
    table("Level 1: does it need a rewrite?", tables[0])
    table("Level 2: with user turns alone, does it depend on a missing answer?", tables[1])
    print(f"\n{decided:,} decisions")


if __name__ == "__main__":
    main()
