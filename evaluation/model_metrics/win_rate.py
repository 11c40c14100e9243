"""Win rate against another system, judged by a language model in both orders.

The judge is the pairwise judge of builds (``judges/llm/pairwise.py``, with its prompts). A row counts 1 for a win, 0.5 for a
tie and 0 for a loss; rewrites that are the same after normalisation tie without being asked. Report it beside the share
of verdicts that flipped (``win_rate_flips``): a judge that flips often says little.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pairwright.core.errors import ModelError, RequestFailed
from pairwright.core.requests import Ask
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share
from pairwright.evaluation.predictions import System
from pairwright.judges.llm.pairwise import Pairwise

Outcome = tuple[float, bool]  # score of the judged system, and whether the verdict flipped
_SCORES = {"first": 1.0, "tie": 0.5, "second": 0.0}


async def judge_all(
    ask: Ask, endpoint: str, rows: Sequence[GoldRow], systems: Sequence[System], against: System
) -> dict[tuple[str, str], Outcome]:
    """The outcome of every pair of rewrites, by (row id, rewrite of the judged system).

    Raises:
        ModelError: some pairs got no usable verdict.
    """
    # Systems that wrote the same share a verdict.
    wanted = {
        (row.id, one.rewrite): (row, one.rewrite, other.rewrite)
        for system in systems
        for row, one, other in zip(rows, system.predictions, against.predictions, strict=True)
    }
    judge = Pairwise(endpoint=endpoint)
    asked = (_outcome(ask, judge, row, one, other) for row, one, other in wanted.values())
    found = dict(zip(wanted, await asyncio.gather(*asked), strict=True))
    lost = [one for one in found.values() if isinstance(one, RequestFailed)]
    if lost:
        raise ModelError(f"{endpoint}: {len(lost)} of {len(found)} verdicts failed; the first: {lost[0]}")
    return {key: one for key, one in found.items() if not isinstance(one, RequestFailed)}


def win_rate_metrics(outcomes: dict[tuple[str, str], Outcome], against: str) -> tuple[Metric, Metric]:
    """The win rate and the share of flipped verdicts."""

    def win(case: MetricCase) -> Sums:
        return outcomes[case.row.id, case.prediction.rewrite][0], 1.0

    def flip(case: MetricCase) -> Sums:
        return share(outcomes[case.row.id, case.prediction.rewrite][1])

    return (
        Metric(
            "win_rate", f"how often a judge prefers the rewrite to that of {against} (ties count half)", "higher", win
        ),
        Metric("win_rate_flips", "verdicts that changed when the order was swapped", "neither", flip),
    )


async def _outcome(ask: Ask, judge: Pairwise, row: GoldRow, one: str, other: str) -> Outcome | RequestFailed:
    # The judge must not see the reference, which ``row.case`` has in its history.
    case = row.case.model_copy(update={"history": row.history, "reference": None})
    try:
        verdict = await judge.compare(case, one, other, ask)
    # Kept and not raised: the other verdicts of the same round come to an end, and into the ledger.
    except RequestFailed as exc:
        return exc
    return _SCORES[verdict.winner], verdict.flipped
