"""Edit distance of many pairs of texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pairwright.pipelines.shingles import I64, U32

_TOGETHER = 2000  # pairs whose rows of the programme stay in the processor's cache


def edit_distances(left: Sequence[str], right: Sequence[str]) -> I64:
    """Levenshtein distance of each ``left[i]`` to ``right[i]``.

    One row of the dynamic programme is computed for all pairs together; the run of insertions along a row is a running
    minimum. Pairs of similar length are worked on together, so that padding costs little.
    """
    lengths = np.array([(len(one), len(other)) for one, other in zip(left, right, strict=True)], np.int64).reshape(
        -1, 2
    )
    found = np.zeros(len(left), np.int64)
    order = np.argsort(lengths.max(axis=1, initial=0), kind="stable")
    for start in range(0, len(order), _TOGETHER):
        part = order[start : start + _TOGETHER].tolist()
        found[part] = _distances([left[pair] for pair in part], [right[pair] for pair in part])
    return found


def _distances(left: Sequence[str], right: Sequence[str]) -> I64:
    mine, yours = _points(left), _points(right)
    lengths = np.array([len(text) for text in left]), np.array([len(text) for text in right])
    steps = np.arange(yours.shape[1] + 1, dtype=np.int32)
    row = np.tile(steps, (len(left), 1))
    new = np.empty_like(row)
    found = lengths[1].astype(np.int64)
    for place in range(mine.shape[1]):
        new[:, 0] = place + 1
        np.add(row[:, :-1], yours != mine[:, place : place + 1], out=new[:, 1:])
        row += 1
        np.minimum(new[:, 1:], row[:, 1:], out=new[:, 1:])
        new -= steps
        np.minimum.accumulate(new, axis=1, out=row)
        row += steps
        done = np.flatnonzero(lengths[0] == place + 1)
        found[done] = row[done, lengths[1][done]]
    return found


def _points(texts: Sequence[str]) -> U32:
    width = max(map(len, texts))
    joined = "".join(text.ljust(width, "\0") for text in texts)
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).reshape(len(texts), width)
