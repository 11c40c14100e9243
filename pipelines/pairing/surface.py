"""What shows on the surface of a pair: which side is longer, and whose punctuation differs how.

A pair falls into a *cell* (language and size of the difference) and on a *side* of it: ``+1`` where the chosen answer
has more, ``-1`` where the rejected one has, ``0`` where they are alike. A student that sees no dialogue can still
learn "in this cell it is mostly the longer one"; how well that works is :func:`cells_auc`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pairwright.core.records import Language

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class SurfacePosition(NamedTuple):
    """Where a pair lies on one surface: the cell, and the side of it."""

    cell: str
    side: int


def length_position(language: Language, chosen: str, rejected: str) -> SurfacePosition:
    """The cell is the language and the difference in characters, in powers of two: 1, 2-3, 4-7, 8-15, …

    English cells also say whether the side with more characters has more words too, as many, or fewer: together the
    two tell more than either. Chinese does not separate words.
    """
    difference = len(chosen) - len(rejected)
    size, side = abs(difference).bit_length(), _sign(difference)
    wordier = _sign(len(chosen.split()) - len(rejected.split())) if language == "en" else 0
    words = {1: "+words", 0: "", -1: "-words"}[wordier * (side or wordier)]
    return SurfacePosition(f"{language}:{size}{words}", side or wordier)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def punctuation_position(language: Language, chosen: str, rejected: str) -> SurfacePosition:
    """The cell is the language and the marks that only one side has more of, or ends with.

    The two sides of a cell mirror each other: ``-《+,`` on one side is ``+《-,`` on the other, and both have one name.
    """
    more = marks(chosen)
    more.subtract(marks(rejected))
    signs = sorted((mark, _sign(count)) for mark, count in more.items() if count)
    if not signs:
        return SurfacePosition(f"{language}:", 0)
    side = signs[0][1]
    return SurfacePosition(
        f"{language}:" + "".join(f"{'+' if sign == side else '-'}{mark}" for mark, sign in signs), side
    )


def punctuation_side(chosen: str, rejected: str) -> int:
    """``+1`` where the chosen answer has more marks in all, ``-1`` where the rejected one has."""
    return _sign(sum(map(is_mark, chosen)) - sum(map(is_mark, rejected)))


def marks(text: str) -> Counter[str]:
    """How often each punctuation mark or symbol occurs; ``end X`` counts the last character when it is one."""
    found = Counter(character for character in text if is_mark(character))
    stripped = text.rstrip()
    if stripped and is_mark(stripped[-1]):
        found[f"end {stripped[-1]}"] = 1
    return found


@lru_cache(maxsize=4096)
def is_mark(character: str) -> bool:
    """True for punctuation and symbols, of any script."""
    return unicodedata.category(character)[0] in "PS"


def cells_auc(more: NDArray[Any], less: NDArray[Any]) -> float:
    """How well the best rule "this cell, this side" tells chosen from rejected, on the pairs that it was made from.

    ``more[i]`` and ``less[i]`` count the pairs of cell ``i`` on its two sides; of pairs that are alike, each gets half. Area under the ROC curve over both
    orders of every pair; 0.5 is chance. An upper bound: a rule found on other pairs does no better on average.
    """
    major, minor = np.maximum(more, less), np.minimum(more, less)
    # One more on both sides: a cell with an empty side has a score, too.
    scores = np.log((major + 1) / (minor + 1))
    return auc(np.concatenate([scores, -scores]), np.concatenate([major, minor]).astype(np.float64))


def auc(scores: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve of a pairwise score: each pair counts with ``score`` and, swapped, with ``-score``.

    It is the chance that a random pair in the right order scores higher than a random pair in the wrong order, ties
    counted half.
    """
    if not len(scores):
        return 0.5
    weights = np.ones(len(scores)) if weights is None else weights
    total = float(weights.sum())
    return float(ranked(scores).auc(weights[None, :])[0]) if total else 0.5


class Ranked(NamedTuple):
    """Scores in ascending order, with what :meth:`auc` needs to know for any weights of the pairs."""

    order: NDArray[np.intp]
    below: NDArray[np.intp]
    to: NDArray[np.intp]

    def auc(self, weights: NDArray[Any]) -> Floats:
        """One AUC per row of ``weights``, (rows, pairs) in the order in which the scores were given."""
        inside = weights[:, self.order].astype(np.float64)
        sums = np.concatenate([np.zeros((len(inside), 1)), np.cumsum(inside, axis=1)], axis=1)
        total = sums[:, -1:]
        # A pair beats the swapped ones whose score -s lies below its own, that is those with s above -score.
        beaten = total - (sums[:, self.below] + sums[:, self.to]) / 2
        return np.asarray((inside * beaten).sum(axis=1) / total[:, 0] ** 2)


def ranked(scores: Floats) -> Ranked:
    """Sort the scores once, for many weightings."""
    order = np.argsort(scores, kind="stable")
    ascending = scores[order]
    return Ranked(
        order, np.searchsorted(ascending, -ascending, "left"), np.searchsorted(ascending, -ascending, "right")
    )
