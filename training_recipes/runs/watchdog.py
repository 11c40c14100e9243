"""Watches a preference training for the known failure: the chosen answers become unlikely while accuracy rises.

A preference loss only asks that the chosen answer stays ahead of the rejected one. Where the two differ in a few words,
both can fall, and what rises is neither (Pal et al. 2024, "Smaug"; Razin et al. 2025, "Unintentional unalignment").
The fall is measured as the drift of ``logps/chosen``: how much less likely, in nats, the chosen answers have become since
the training began. With a reference model that is exactly ``rewards/chosen / beta``, batch by batch; without one it is
the mean of the last logged steps less the mean of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import Field

from pairwright.core.identity import Row

CHOSEN = "logps/chosen"
REWARD = "rewards/chosen"
ACCURACY = "rewards/accuracies"
MARGIN = "rewards/margins"
SMOOTHED = 3  # logged steps; one alone has the luck of its batch
LEAST_NATS = 5.0


class Limits(NamedTuple):
    """How far ``logps/chosen`` may fall, in multiples of its value at the start, before a run warns, or stops the stage."""

    fall: float = 1.0
    stop: bool = False


class WatchSettings(Row):
    """What counts as a fall. ``beta`` is the loss's, None for losses without a reference model."""

    beta: float | None
    fall: float = Field(gt=0)
    stop: bool = False


class Drift(Row):
    """How far the chosen answers have moved: ``nats`` since the start (negative: less likely), from ``start``.

    ``limit`` is the drift at which they count as fallen.
    """

    nats: float
    start: float
    limit: float

    @property
    def fallen(self) -> bool:
        """True when the chosen answers have become much less likely."""
        return self.nats < self.limit


def drift_of(logs: Mapping[int, Mapping[str, float]], settings: WatchSettings) -> Drift | None:
    """The drift at the end of ``logs`` (figures by step); None where nothing was logged about the chosen answers.

    The limit is ``fall`` times the log-probability that the chosen answers had at the start, and at least
    :data:`LEAST_NATS`: long answers have room to move that short ones have not.
    """
    seen = [logs[step] for step in sorted(logs) if CHOSEN in logs[step]]
    if not seen:
        return None
    recent = seen[-SMOOTHED:]
    if settings.beta is not None and all(REWARD in one for one in recent):
        moved = [one[REWARD] / settings.beta for one in recent]
        starts = [one[CHOSEN] - one[REWARD] / settings.beta for one in seen if REWARD in one]
        nats, start = _mean(moved), _mean(starts)
    else:
        start = _mean([one[CHOSEN] for one in seen[:SMOOTHED]])
        nats = _mean([one[CHOSEN] for one in recent]) - start
    return Drift(nats=round(nats, 4), start=round(start, 4), limit=round(-_limit(start, settings), 4))


def _limit(start: float, settings: WatchSettings) -> float:
    return max(LEAST_NATS if settings.beta is not None else 0.0, settings.fall * abs(start))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
