"""Why rows are dropped, kept in columns: an object for each of ten million rows would take too much memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pairwright.pipelines.similarity.overlap import F64, Mask
    from pairwright.pipelines.similarity.shingles import I64

    I8 = NDArray[np.int8]

REASONS = ("", "exact_duplicate", "near_duplicate", "template")
EXACT, NEAR, TEMPLATE = 1, 2, 3


class DuplicateVerdict(NamedTuple):
    """Why a row goes: because of which other row, and how similar the two are."""

    reason: str
    because: int
    jaccard: float


class DuplicateVerdicts:
    """One verdict per row: the place of its reason in ``REASONS`` (0 stays), the row that stays instead, the similarity."""

    def __init__(self, rows: int) -> None:
        self.reasons: I8 = np.zeros(rows, np.int8)
        self.because: I64 = np.arange(rows)
        self.jaccard: F64 = np.ones(rows)

    @property
    def goes(self) -> Mask:
        """Which rows go."""
        return self.reasons > 0

    def of(self, row: int) -> DuplicateVerdict | None:
        """The verdict on one row, None where it stays."""
        if not self.reasons[row]:
            return None
        return DuplicateVerdict(REASONS[self.reasons[row]], int(self.because[row]), float(self.jaccard[row]))

    def copy_of(self, firsts: I64, reason: int) -> None:
        """Rows that equal another one go; where that one goes as well, because of the same row as it does."""
        copies = np.flatnonzero(firsts != np.arange(len(firsts)))
        self.reasons[copies] = reason
        self.because[copies] = self.because[firsts[copies]]
        self.jaccard[copies] = self.jaccard[firsts[copies]]

    def enter(self, found: DuplicateVerdicts, rows: I64) -> None:
        """Enter what was ``found`` on ``rows``, whose numbers there are places in ``rows``."""
        self.reasons[rows] = found.reasons
        self.because[rows] = rows[found.because]
        self.jaccard[rows] = found.jaccard
