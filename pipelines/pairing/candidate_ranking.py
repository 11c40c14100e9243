"""Which of several accepted candidates of one query comes first, before anything is compared."""

from __future__ import annotations

from collections.abc import Iterable

from pairwright.core.records import JudgedCandidate


def rank_candidates(accepted: Iterable[JudgedCandidate]) -> list[JudgedCandidate]:
    """The source's own rewrite, then the others by their scores; equal ones in the order given.

    One that no judge gave a score passed all that was asked of it, and stands beside those with full marks.
    """
    return sorted(accepted, key=lambda row: (row.candidate.origin != "reference", -_marks(row)))


def _marks(row: JudgedCandidate) -> float:
    return 1.0 if row.score is None else row.score
