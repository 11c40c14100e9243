"""What the perturbers make of human rewrites: tried, made, verified, dropped by reason, share longer than the chosen
text, coverage and speed.

    python benchmarks/perturbers_on_gold.py [DATA...] [--limit N] [--sample N] [--seed 0] [--only NAME]

DATA are files of rewriting rows, or folders with the sets of ``examples_data.py``; without any it is ``examples/data``. Persona rows of iKAT (``meta.ptkb_used``)
and the made-up utterances of GECOR (``meta.original`` false, or a mere spelling repair) are left out. Every row sees
three packaged examples of its language, as in a build. ``--sample N`` prints N random rejects per perturber and
language to be read one by one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from examples_data import EXAMPLES, gold_files

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.language import text_analysis as lang
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Candidate, Example, Origin, Rejected, Task, Turn
from pairwright.perturbers import PERTURBERS


class Row(NamedTuple):
    """A gold row ready to perturb."""

    task: Task
    chosen: Candidate
    needs: bool


STYLE_ONLY = ("redundancy", "style")
"""Kinds that fit nearly every text; coverage is also given without them."""


class AttemptCounts:
    """Counts of one perturber in one language."""

    def __init__(self) -> None:
        self.tried = self.made = self.verified = 0
        self.dropped: Counter[str] = Counter()
        self.seconds = 0.0
        self.kept: list[tuple[Row, Rejected]] = []

    def add(self, other: AttemptCounts) -> None:
        """Take in the counts of another file."""
        self.tried += other.tried
        self.made += other.made
        self.verified += other.verified
        self.dropped.update(other.dropped)
        self.seconds += other.seconds
        self.kept += other.kept


def read_rows(path: Path, examples: Sequence[Example]) -> Iterator[Row]:
    """The usable rows of one file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        content = json.loads(line)
        meta: dict[str, Any] = content.get("meta", {})
        changed = lang.normalise(content["query"]) != lang.normalise(content["rewrite"])
        if meta.get("ptkb_used") or meta.get("original") is False or (meta.get("kind") == "none" and changed):
            continue
        own = [example for example in examples if example.language == content["lang"]]
        task = Task.create(
            conversation=content["id"],
            dialogue=meta.get("dialogue", content["id"].rsplit("_", 1)[0]),
            language=content["lang"],
            history=tuple(Turn(role=turn["role"], content=turn["content"]) for turn in content["history"]),
            query=content["query"],
            reference=content["rewrite"],
            tokens=1,
            examples=tuple(row_rng(0, "examples", content["id"]).sample(own, min(3, len(own)))),
            origin=Origin(source=path.stem, file=path.name, line=number, key=content["id"], licence="see data"),
        )
        yield Row(task, Candidate.create(task=task.id, origin="reference", text=content["rewrite"]), changed)


def try_one(perturber: Perturber, row: Row, tally: AttemptCounts) -> Rejected | None:
    """Run one perturber on one row until its first reject; count everything on the way."""
    tally.tried += 1
    start = time.process_time()
    first = None
    for outcome in perturber.perturb(row.task, row.chosen, row_rng(0, f"perturb.{perturber.name}", row.task.id)):
        if isinstance(outcome, Rejected):
            first = outcome
            break
        _count_drop(outcome, tally)
    tally.seconds += time.process_time() - start
    if first is not None:
        tally.made += 1
        tally.verified += 1
        tally.kept.append((row, first))
    return first


def _count_drop(outcome: Dropped, tally: AttemptCounts) -> None:
    tally.dropped[outcome.reason] += 1
    tally.made += outcome.reason in (
        "not_proven_worse",
        "ungrammatical",
        "equals_query",
        "equals_chosen",
        "made_before",
    )


def run(rows: Sequence[Row], names: Sequence[str]) -> tuple[dict[str, AttemptCounts], Counter[str]]:
    """Every perturber on every row; also how many of the rows that need a rewrite got how many kinds of reject."""
    tallies = {name: AttemptCounts() for name in names}
    coverage: Counter[str] = Counter()
    for row in rows:
        texts: dict[str, str] = {}
        for name in names:
            component = PERTURBERS[name]()
            made = try_one(component, row, tallies[name])
            if made is not None and lang.normalise(made.text) not in texts.values():
                texts[name] = lang.normalise(made.text)
        group = "needs" if row.needs else "standalone"
        coverage[group] += 1
        coverage[f"{group}1"] += len(texts) >= 1
        coverage[f"{group}3"] += len(texts) >= 3
        coverage[f"{group}content"] += len(set(texts) - set(STYLE_ONLY)) >= 3
    return tallies, coverage


def print_table(title: str, tallies: dict[str, AttemptCounts], coverage: Counter[str]) -> None:
    """One Markdown table."""
    print(f"\n### {title}\n")
    for group, words in (("needs", "that need a rewrite"), ("standalone", "that need none")):
        total = coverage[group]
        if total:
            one, three = coverage[f"{group}1"] / total, coverage[f"{group}3"] / total
            content = coverage[f"{group}content"] / total
            print(
                f"{total} rows {words}: {one:.1%} with a verified reject, {three:.1%} with three of different kinds, "
                f"{content:.1%} with three kinds other than {' and '.join(STYLE_ONLY)}."
            )
    print("\n| perturber | tried | texts made | verified | dropped by reason | templates | longer | pairs / CPU s |")
    print("|---|--:|--:|--:|---|---|--:|--:|")
    for name, tally in tallies.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in tally.dropped.most_common(5))
        templates = Counter(made.template for _, made in tally.kept).most_common(3)
        shown = ", ".join(f"{template} {count}" for template, count in templates)
        longer = sum(len(made.text) > len(row.chosen.text) for row, made in tally.kept)
        share = f"{longer / tally.verified:.0%}" if tally.verified else ""
        speed = tally.verified / tally.seconds if tally.seconds else 0.0
        print(
            f"| {name} | {tally.tried} | {tally.made} | {tally.verified} | {reasons} | {shown} | {share} | {speed:,.0f} |"
        )
    verified = sum(tally.verified for tally in tallies.values())
    seconds = sum(tally.seconds for tally in tallies.values())
    print(f"| **all** | | | {verified} | | | | {verified / seconds if seconds else 0:,.0f} |")


def print_sample(tallies: dict[str, AttemptCounts], count: int, seed: int) -> None:
    """Random rejects to read against their dialogue."""
    for name, tally in tallies.items():
        print(f"\n--- {name}")
        for row, made in random.Random(seed).sample(tally.kept, min(count, len(tally.kept))):
            last = row.task.history[-1].content[:90] if row.task.history else ""
            print(
                f"  … {last}\n  Q {row.task.query}\n  C {row.chosen.text}\n  - {made.text}   [{made.template}: {made.evidence[:60]}]"
            )


def main() -> None:
    """Print one table per language, over all files of that language, and one per file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", type=Path, default=[EXAMPLES])
    parser.add_argument("--limit", type=int, help="rows per file, drawn by a fixed seed")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=sorted(PERTURBERS))
    options = parser.parse_args()
    names = options.only or [name for name, component in PERTURBERS.items() if "rewrite" in component.tasks]
    examples = read_examples(None)
    totals: dict[str, tuple[dict[str, AttemptCounts], Counter[str]]] = {}
    given = [gold_files([path]).values() if path.is_dir() else [path] for path in options.data]
    for path in (path for paths in given for path in paths):
        rows = list(read_rows(path, examples))
        if options.limit and len(rows) > options.limit:
            rows = random.Random(0).sample(rows, options.limit)
        if not rows:
            sys.exit(f"{path}: no usable rows")
        tallies, coverage = run(rows, names)
        print_table(path.name, tallies, coverage)
        all_tallies, all_coverage = totals.setdefault(
            rows[0].task.language, ({name: AttemptCounts() for name in names}, Counter())
        )
        all_coverage.update(coverage)
        for name in names:
            all_tallies[name].add(tallies[name])
    for language, (tallies, coverage) in totals.items():
        print_table(f"All of {language}", tallies, coverage)
        if options.sample:
            print_sample(tallies, options.sample, options.seed)


if __name__ == "__main__":
    main()
