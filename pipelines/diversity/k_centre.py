"""K-centre greedy: the rows that leave no row far from all of them.

Farthest-first traversal (Gonzalez, 1985), within a factor of two of the best radius; used to choose training data by
Sener and Savarese (ICLR 2018) and in the third stage of FiNE (NAACL 2025).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.overlap import F64
    from pairwright.pipelines.similarity.shingles import I64


class Centres(NamedTuple):
    """The rows that were taken, in that order; for every row the taken one that is nearest, and their cosine."""

    taken: I64
    nearest: I64
    cosine: F64


def k_centre(vectors: Any, count: int) -> Centres:
    """Take ``count`` of the unit ``vectors``: first the one nearest to their mean, then always the one farthest from all
    taken ones. Of equal ones the first is taken. Time grows with rows times ``count``."""
    rows = vectors.shape[0]
    mean = np.asarray(vectors.sum(axis=0)).ravel()
    taken = [int(np.argmax(vectors @ mean))]
    cosine = _to(vectors, taken[0])
    nearest = np.full(rows, taken[0])
    open_ = np.ones(rows, bool)
    open_[taken[0]] = False
    while len(taken) < count:
        row = int(np.argmin(np.where(open_, cosine, np.inf)))
        taken.append(row)
        open_[row] = False
        found = _to(vectors, row)
        closer = found > cosine
        cosine[closer], nearest[closer] = found[closer], row
        cosine[row], nearest[row] = 1.0, row
    return Centres(np.array(taken), nearest, cosine)


def _to(vectors: Any, row: int) -> F64:
    one = vectors[row]
    return np.asarray(vectors @ (one if isinstance(one, np.ndarray) else one.toarray().ravel()), np.float64)
