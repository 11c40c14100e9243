"""The best of several texts, or all of them in order, from comparisons of two.

How many comparisons (each is two requests) the asked precision takes, for N texts:

- the best one: a knock-out, N - 1. The favourite stands first and keeps its place until another one beats it.
- all in order: every pair, N (N - 1) / 2, ranked by wins (ties count half: Copeland), then by the sum of the margins.

A knock-out trusts each verdict alone; where judges are noisy or contradict themselves in a circle, all pairs also find
a more reliable best. Up to two texts both cost the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from pairwright.core.component_calls import ask_comparer
from pairwright.core.components import Comparer
from pairwright.core.records import Case, Comparison
from pairwright.core.requests import Ask
from pairwright.judges.votes import raise_failure


class Bout(NamedTuple):
    """One comparison, with the places of its two texts among all."""

    first: int
    second: int
    verdict: Comparison


class Ranking(NamedTuple):
    """The places of the texts, the best first, and the comparisons that say so."""

    order: tuple[int, ...]
    bouts: tuple[Bout, ...]


async def find_best(comparer: Comparer, case: Case, texts: Sequence[str], ask: Ask) -> tuple[int, tuple[Bout, ...]]:
    """The place of the best text: the favourite is ``texts[0]``, and a tie leaves it where it stands.

    Raises:
        RequestFailed: a comparison got no usable answer.
    """
    leader, bouts = 0, []
    for challenger in range(1, len(texts)):
        verdict = await ask_comparer(comparer, case, texts[leader], texts[challenger], ask)
        bouts.append(Bout(leader, challenger, verdict))
        leader = challenger if verdict.winner == "second" else leader
    return leader, tuple(bouts)


async def rank_all(comparer: Comparer, case: Case, texts: Sequence[str], ask: Ask) -> Ranking:
    """All texts in order, each compared with each; equals keep the order in which they came.

    Raises:
        RequestFailed: a comparison got no usable answer.
    """
    pairs = list(combinations(range(len(texts)), 2))
    asked = (ask_comparer(comparer, case, texts[one], texts[other], ask) for one, other in pairs)
    verdicts = await asyncio.gather(*asked, return_exceptions=True)
    bouts = [Bout(one, other, raise_failure(verdict)) for (one, other), verdict in zip(pairs, verdicts, strict=True)]
    wins, margins = [0.0] * len(texts), [0.0] * len(texts)
    for one, other, verdict in bouts:
        won = {"first": 1.0, "second": 0.0, "tie": 0.5}[verdict.winner]
        wins[one] += won
        wins[other] += 1 - won
        margins[one] += verdict.margin
        margins[other] -= verdict.margin
    # Rounded: the last bits of a sum of margins must not decide.
    order = sorted(range(len(texts)), key=lambda place: (-wins[place], -round(margins[place], 6), place))
    return Ranking(tuple(order), tuple(bouts))
