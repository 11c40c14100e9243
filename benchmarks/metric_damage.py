"""Do the metrics see known damage? Score human rewrites and each perturber's rejects of them, and compare row by row.

    python benchmarks/metric_damage.py FILE.jsonl … [--rows 300] [--all]

Each file holds rewriting rows. For every perturber: how many rejects were made, in how many of them the metric made for
that defect moved the wrong way, not at all, or the right way, and what the other headline metrics did. A metric moves
the right way when the reject scores worse than the human rewrite on the same row. ``--all`` prints every metric.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import mentions_many
from pairwright.core.records import Candidate, KnownCase, Rejected
from pairwright.evaluation.gold_rows import GoldRow, read_gold
from pairwright.evaluation.metrics.catalogue import METRICS
from pairwright.evaluation.metrics.metric import Metric, MetricCase
from pairwright.evaluation.predictions import Prediction
from pairwright.evaluation.systems.student_requests import RequestOptions, case_of, with_examples
from pairwright.perturbers import PERTURBERS

MADE_FOR = {
    "entity_deletion": ("entity_retention",),
    "made_ambiguous": ("entity_retention", "leftover_reference"),
    "wrong_antecedent": ("entity_retention",),
    "topic_drift": ("rouge_l",),
    "leaked_example": ("example_leak",),
    "unchanged_copy": ("unchanged",),
    "over_edit": ("over_edit",),
    "invented_entity": ("invented_entity",),
    "answer_instead": ("answer_instead",),
    "truncation": ("rouge_l",),
    "intent_change": ("exact_match_normalised",),
    "redundancy": ("length_ratio",),
    "style": ("character_f1",),
    "cot_faults": ("analysis_leak", "analysis_contradiction", "unchanged"),
}
OTHERS = ("restoration_f1", "entity_retention", "leftover_reference", "invented_entity", "example_leak", "rouge_l")


def main() -> None:
    """Print one table per language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rows", type=int, default=300, help="rows of each file, drawn by seed")
    parser.add_argument("--all", action="store_true", help="print every metric")
    parser.add_argument("--missed", action="store_true", help="print the rejects that the metric did not see")
    args = parser.parse_args()

    moves: dict[tuple[str, str], dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for path in args.files:
        for row in sampled(path, args.rows):
            for name, reject in rejects(row):
                ways = {metric.name: direction(metric, row, reject) for metric in METRICS}
                ways["made for it"] = next(
                    (way for way in ("right", "wrong", "same") if way in {ways[one] for one in MADE_FOR[name]}), "idle"
                )
                for metric, way in ways.items():
                    moves[row.language, name][metric][way] += 1
                if args.missed and ways["made for it"] in ("same", "wrong"):
                    print(
                        f"{name}: {row.query} | {row.reference} | {reject.text} | {reject.analysis} | {reject.evidence}"
                    )
    names = [metric.name for metric in METRICS] if args.all else list(OTHERS)
    for language in sorted({key[0] for key in moves}):
        report(language, {name: found for (own, name), found in moves.items() if own == language}, names)


def sampled(path: Path, count: int) -> list[GoldRow]:
    """Rows as a build sees them: the window of their history, the few-shot examples of their prompt."""
    gold = with_examples(read_gold(path), RequestOptions())
    picked = row_rng(0, "metric_damage", path.name).sample(range(len(gold.rows)), min(count, len(gold.rows)))
    rows = [gold.rows[index] for index in sorted(picked)]
    for language in {row.language for row in rows}:
        mentions_many(
            [text for row in rows if row.language == language for text in (row.query, row.reference)], language
        )
    return [row.model_copy(update={"history": case_of(row, RequestOptions()).history}) for row in rows]


def rejects(row: GoldRow) -> Iterator[tuple[str, Rejected]]:
    """The first reject of each perturber, where one can be made."""
    options = RequestOptions()
    task = KnownCase(**dict(case_of(row, options)), reference=row.reference)
    analysis = row.examples[0].analysis if row.examples else None
    chosen = Candidate.create(task=task.id, origin="reference", text=row.reference, analysis=analysis)
    for name, component in PERTURBERS.items():
        if "rewrite" not in component.tasks:
            continue
        perturber = component()
        outcomes = perturber.perturb(task, chosen, row_rng(0, name, row.id))
        found = next((one for one in outcomes if isinstance(one, Rejected)), None)
        if found is not None:
            yield name, found


def direction(metric: Metric, row: GoldRow, reject: Rejected) -> str:
    """``right`` when the reject scores worse than the human rewrite; ``idle`` where the metric does not apply."""
    good = value(metric, row, row.reference, None)
    bad = value(metric, row, reject.text, reject.analysis)
    if bad is None:
        return "idle"
    if good is None:  # a human rewrite has no analysis: it leaks none
        good = 0.0
    if metric.better == "neither":  # length ratio and readability: further from the reference is worse
        return "right" if abs(bad - good) > 1e-9 else "same"
    gap = (bad - good) if metric.better == "lower" else (good - bad)
    return "right" if gap > 1e-9 else "wrong" if gap < -1e-9 else "same"


def value(metric: Metric, row: GoldRow, rewrite: str, analysis: str | None) -> float | None:
    """The metric of one rewrite."""
    sums = metric.measure(MetricCase(row, Prediction(id=row.id, rewrite=rewrite, analysis=analysis)))
    return None if sums is None else float(metric.combine(np.array(sums)))


def report(language: str, moves: dict[str, dict[str, Counter[str]]], names: list[str]) -> None:
    """Print the table of one language: the share of rejects on which each metric moves the right way."""
    print(f"\n{language}: share of rejects that the metric scores worse than the human rewrite, in per cent\n")
    print("| perturber | rejects | made for it | right | same | wrong | " + " | ".join(names) + " |")
    print("|---" * (6 + len(names)) + "|")
    for name in MADE_FOR:
        if name in moves:
            own = moves[name]["made for it"]
            total = own["right"] + own["same"] + own["wrong"]
            shares = [percent(own[way], total) for way in ("right", "same", "wrong")]
            others = [
                percent(found["right"], found.total() - found["idle"]) for found in (moves[name][one] for one in names)
            ]
            print(f"| {name} | {own.total()} | {', '.join(MADE_FOR[name])} | " + " | ".join([*shares, *others]) + " |")


def percent(part: int, whole: int) -> str:
    """A share, or a dash where nothing was counted."""
    return f"{100 * part / whole:.1f}" if whole else "–"


if __name__ == "__main__":
    main()
