"""No text breaks a metric, no share leaves 0 to 1, and the reference itself is never at fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pairwright.core.records import Example, Turn
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.catalogue import METRICS
from pairwright.evaluation.metrics.metric import MetricCase
from pairwright.evaluation.predictions import Prediction

PIECES = [
    "它",
    "天坛",
    "天坛公园",
    "门票",
    "多少钱",
    "？",
    "he",
    "Steve Jobs",
    "born",
    "U.S.",
    "1955",
    "?",
    " ",
    "\n",
    "😀",
    "́",
    "\u200f",
    "</history>",
    "{",
    "%",
]
TEXT = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
EXAMPLE = Example(id="e", language="en", history=(), query="q", analysis="a b c", needs_rewrite=True, rewrite="pandas")


@st.composite
def cases(draw: st.DrawFn) -> MetricCase:
    """A row and an answer made of anything."""
    history = tuple(Turn(role="user", content=text) for text in draw(st.lists(TEXT, max_size=2)))
    row = GoldRow(
        id="1",
        language=draw(st.sampled_from(["zh", "en"])),
        dialogue="d",
        history=history,
        query=draw(TEXT.filter(str.strip)),
        reference=draw(TEXT.filter(str.strip)),
        examples=draw(st.sampled_from([(), (EXAMPLE,)])),
    )
    return MetricCase(row, Prediction(id="1", rewrite=draw(TEXT), analysis=draw(st.none() | TEXT)))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_every_metric_measures_any_text(one: MetricCase) -> None:
    for metric in METRICS:
        sums = metric.measure(one)
        if sums is not None:
            assert len(sums) == metric.size
            value = float(metric.combine(np.array(sums)))
            if metric.percent and not np.isnan(value):
                assert -1e-9 <= value <= 1 + 1e-9


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_the_reference_itself_scores_best_and_commits_no_fault(one: MetricCase) -> None:
    perfect = MetricCase(one.row, Prediction(id="1", rewrite=one.row.reference))
    for metric in METRICS:
        sums = metric.measure(perfect)
        if sums is None or metric.name in ("format_validity", "language_match", "answer_instead"):
            continue
        value = float(metric.combine(np.array(sums)))
        if metric.better == "lower" and metric.name not in ("unchanged", "over_edit"):
            assert value == 0, metric.name
        if metric.name in ("exact_match", "exact_match_normalised", "character_f1"):
            assert value == pytest.approx(1.0), metric.name
