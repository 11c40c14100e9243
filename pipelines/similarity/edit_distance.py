"""Edit distance of many pairs of texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.shingles import I64


def edit_distances(left: Sequence[str], right: Sequence[str]) -> I64:
    """Levenshtein distance of each ``left[i]`` to ``right[i]``."""
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cpdist

    return np.asarray(cpdist(left, right, scorer=Levenshtein.distance, dtype=np.int64), np.int64)
