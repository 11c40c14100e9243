"""Which candidate comes first, and what a score is where nobody gave one."""

from __future__ import annotations

from pairwright.core.records import JudgedCandidate, SftRow
from pairwright.pipelines.pairing.candidate_ranking import rank_candidates
from pairwright.testing import factories


def judged(text: str, *scores: float | None, origin: str = "teacher") -> JudgedCandidate:
    """An accepted candidate with a verdict for each of ``scores``."""
    task = factories.task()
    verdicts = tuple(factories.verdict(score=score) for score in scores)
    return JudgedCandidate(task=task, candidate=factories.candidate(text, task, origin=origin), verdicts=verdicts)


def test_the_human_rewrite_comes_first_then_the_highest_score_then_who_came_first() -> None:
    rows = [judged("low", 0.7), judged("one", 0.9), judged("other", 0.9), judged("human", 0.1, origin="reference")]
    assert [row.candidate.text for row in rank_candidates(rows)] == ["human", "one", "other", "low"]


def test_without_scores_the_order_stays() -> None:
    rows = [judged("first", None), judged("second"), judged("full", 1.0), judged("less", 0.9)]
    assert rank_candidates(reversed(rows)) == [*reversed(rows[:3]), rows[3]]


def test_a_score_is_the_mean_of_those_given_and_nothing_where_none_is() -> None:
    row = judged("text", 0.5, None, 1.0)
    assert row.score == 0.75
    assert SftRow.create(task=row.task, chosen=row.candidate, verdicts=row.verdicts).score == 0.75
    assert judged("text").score is None
    assert judged("text", None).score is None


def test_a_verdict_without_a_score_counts_as_passed_or_refused() -> None:
    verdicts = (factories.verdict(score=0.3), factories.verdict(), factories.verdict(passed=False))
    assert [verdict.grade for verdict in verdicts] == [0.3, 1.0, 0.0]
