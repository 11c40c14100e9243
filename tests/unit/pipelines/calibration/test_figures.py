"""The figures of one judge: a verdict without a score adds none."""

from __future__ import annotations

from typing import Any

from pairwright.pipelines.calibration.figures import Said, reliability, threshold_for
from pairwright.pipelines.calibration.gold_items import Item
from pairwright.testing import factories


def said(good: bool, **verdict: Any) -> Said:
    """A verdict on a good or a bad text."""
    item = Item(factories.task(), "text", good, "" if good else "wrong", None)
    return Said(item, factories.verdict(**verdict))


SCORED = [said(True, score=0.9), said(True, score=0.85), said(False, passed=False, score=0.1)]
VETOED = [said(True, passed=False), said(False, passed=False)]


def test_the_reliability_curve_has_the_texts_with_scores_only() -> None:
    assert reliability([*SCORED, *VETOED]) == reliability(SCORED)
    assert [(point.score, point.good, point.items) for point in reliability(SCORED)] == [(0.1, 0.0, 1), (0.875, 1.0, 2)]
    assert reliability(VETOED) == ()


def test_a_refused_text_without_a_score_reaches_no_threshold() -> None:
    found = threshold_for([*SCORED, *VETOED], 0.9)
    assert found is not None
    assert (found.score, found.recall) == (0.85, 0.6667)
    assert threshold_for(VETOED, 0.9) is None
