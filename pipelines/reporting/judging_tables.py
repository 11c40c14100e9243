"""Tables about the judges that ask a model: their verdicts on pairs, how far they agree, and what they took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from pairwright.core.agreement import kappa_estimate, krippendorff_alpha, position_bias
from pairwright.core.judge_usage import JudgeUse
from pairwright.core.pages.cells import NOTHING, Table, format_value
from pairwright.core.records import Compared, Comparison, Position, Verdict
from pairwright.core.result import BuildResult
from pairwright.judges.panels.pairwise_panel import PairwisePanel
from pairwright.judges.panels.panel import Panel
from pairwright.judges.votes import member_names


def verdict_table(rows: Iterable[Compared]) -> Table:
    """Header and one row per name that worse texts are rejected by, and one for choices: what the comparisons said."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        key = ("worse texts", row.rejected_by) if row.stage == "verify" else ("accepted candidates", "")
        counts = found.setdefault(key, Counter())
        counts.update([row.comparison.winner, "all"])
    header = ("comparisons of", "made by", "compared", "first (chosen) better", "tie", "second better", "dropped")
    table: list[Sequence[object]] = [header]
    for (what, rejected_by), counts in sorted(found.items()):
        lost = counts["tie"] + counts["second"]
        dropped = f"{lost / counts['all']:.1%}" if what == "worse texts" else NOTHING
        table.append((what, rejected_by, counts["all"], counts["first"], counts["tie"], counts["second"], dropped))
    return table


def judge_table(rows: Iterable[Compared]) -> Table:
    """Header and one row per pairwise judge and method: how often its verdicts flip, lean to a place, and tie."""
    found: dict[tuple[str, str], list[Comparison]] = {}
    for row in rows:
        for one in row.comparison.members or (row.comparison,):
            if one.answers:
                found.setdefault((one.judge, one.method), []).append(one)
    table: list[Sequence[object]] = [("judge", "method", "compared", "flipped", "bias to the first place", "ties")]
    for (judge, method), ones in sorted(found.items()):
        places: list[Position] = [place for one in ones for place in one.answers]
        flipped, ties = sum(one.flipped for one in ones), sum(one.winner == "tie" for one in ones)
        bias = format_value(position_bias(places), "+.2f")
        table.append((judge, method, len(ones), f"{flipped / len(ones):.1%}", bias, f"{ties / len(ones):.1%}"))
    return table


class _Ratings(NamedTuple):
    """What the members of a panel said of everything that all of them saw: verdicts and scores, one row per unit."""

    members: Sequence[str]
    verdicts: list[list[float]]
    scores: list[list[float]]
    dialogues: list[str]


def agreement_table(result: BuildResult) -> Table:
    """Header and, for each panel, a row for all members and one for each two of them."""
    header = ("panel", "members", "seen by all", "Cohen's κ (95 %)", "Krippendorff's α, verdicts", "α, scores")
    table: list[Sequence[object]] = [header]
    for kind, ratings in _panels(result):
        units = len(ratings.verdicts)
        verdicts, scores = np.array(ratings.verdicts), np.array(ratings.scores)
        alphas = [krippendorff_alpha(verdicts), krippendorff_alpha(scores, "interval")] if units else [math.nan] * 2
        pairs = list(combinations(range(len(ratings.members)), 2))
        kappa = _kappa(ratings, *pairs[0], result.config.seed) if len(pairs) == 1 else "by two, below"
        table.append((kind, ", ".join(ratings.members), units, kappa, *map(format_value, alphas)))
        for one, other in pairs if len(pairs) > 1 else ():
            names = f"{ratings.members[one]}, {ratings.members[other]}"
            table.append((kind, names, units, _kappa(ratings, one, other, result.config.seed), "", ""))
    return table


def _kappa(ratings: _Ratings, one: int, other: int, seed: int) -> str:
    first, second = ([row[place] for row in ratings.verdicts] for place in (one, other))
    found = kappa_estimate(first, second, [1.0, 0.0, -1.0], seed, ratings.dialogues)
    return NOTHING if math.isnan(found.value) else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _panels(result: BuildResult) -> Iterator[tuple[str, _Ratings]]:
    for panel in result.config.judges:
        if isinstance(panel, Panel) and len(panel.members) > 1:
            yield "candidates", _of_candidates(panel, result)
    comparison = result.config.comparison
    if isinstance(comparison, PairwisePanel) and len(comparison.members) > 1:
        yield "pairs", _of_pairs(comparison, result)


def _of_candidates(panel: Panel, result: BuildResult) -> _Ratings:
    ratings = _Ratings(member_names(panel.members), [], [], [])
    for row in result.judged():
        for verdict in row.verdicts:
            if [one.judge for one in verdict.members] == ratings.members and panel.seen_by_all(row.candidate):
                ratings.verdicts.append([float(one.passed) for one in verdict.members])
                ratings.scores.append([_score(one) for one in verdict.members])
                ratings.dialogues.append(row.task.dialogue)
    return ratings


def _score(verdict: Verdict) -> float:
    return math.nan if verdict.score is None else verdict.score


def _of_pairs(panel: PairwisePanel, result: BuildResult) -> _Ratings:
    ratings = _Ratings(member_names(panel.members), [], [], [])
    sides = {"first": 1.0, "tie": 0.0, "second": -1.0}
    tasks = {row.task.id: row.task for row in result.sft()}
    for row in result.comparisons():
        task = tasks.get(row.task)
        if task is not None and row.comparison.members and panel.seen_by_all(task, row.first, row.second):
            ratings.verdicts.append([sides[one.winner] for one in row.comparison.members])
            ratings.scores.append([one.margin for one in row.comparison.members])
            ratings.dialogues.append(task.dialogue)
    return ratings


def cost_table(uses: Sequence[JudgeUse], accepted: int, pairs: int) -> Table:
    """Header, one row per judge, stage and endpoint, and the sums per accepted candidate and per pair."""
    header = (
        "stage",
        "judge",
        "endpoint",
        "requests",
        "tokens",
        "cost",
        "without: requests",
        "tokens",
        "cost",
        "saved",
    )
    table: list[Sequence[object]] = [header]
    for use in uses:
        table.append(_costs(use.stage, use.judge, use.endpoint, [use]))
    candidates = [use for use in uses if use.stage == "judge"]
    for name, number, part in (("per accepted candidate", accepted, candidates), ("per pair", pairs, list(uses))):
        if part and number:
            table.append(_costs(name, "", "", part, number))
    return table


def _costs(stage: str, judge: str, endpoint: str, uses: Sequence[JudgeUse], by: int = 1) -> Sequence[object]:
    numbers = [sum(use.requests for use in uses), sum(use.tokens for use in uses), sum(use.cost for use in uses)]
    without = [
        sum(use.requests * use.without for use in uses),
        sum(use.tokens * use.without for use in uses),
        sum(use.cost * use.without for use in uses),
    ]
    saved = 1 - numbers[1] / without[1] if without[1] else 0.0
    forms = (",.0f", ",.0f", ".4f") if by == 1 else (",.2f", ",.1f", ".6f")
    shown = (f"{number / by:{form}}" for number, form in zip([*numbers, *without], [*forms, *forms], strict=True))
    return stage, judge, endpoint, *shown, f"{saved:.1%}"
