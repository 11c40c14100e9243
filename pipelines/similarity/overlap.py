"""How much shingle sets overlap: a bound that costs nanoseconds a pair, and the exact Jaccard similarity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pairwright.pipelines.similarity.shingles import I64, U32, U64

    F64 = NDArray[np.float64]
    I32 = NDArray[np.int32]
    Mask = NDArray[np.bool_]

_WORDS = 4  # of 64 bits
_SLICE = 20_000  # pairs whose sets are in memory together
_ROUNDING = 1e-9  # no pair exactly at the threshold is lost to it


class Fingerprints:
    """256 bits per text, one set for each of its shingles, and how many shingles it has.

    A bit that only one of two texts has stands for at least one shingle that only that text has: so bits bound the
    number of shared shingles from above, and never lose a pair that is similar enough. A text has at most ``_sizes``
    distinct shingles (repeated ones are counted again) and at least ``_least``, its bits.
    """

    def __init__(self, texts: int) -> None:
        self._bits: U64 = np.zeros((_WORDS, texts), np.uint64)
        self._sizes: I32 = np.zeros(texts, np.int32)
        self._least: I32 = np.zeros(texts, np.int32)

    def add(self, first: int, hashes: U32, starts: I64) -> None:
        """Enter consecutive texts from number ``first`` on."""
        own = slice(first, first + len(starts) - 1)
        self._sizes[own] = np.diff(starts)
        bits = np.uint64(1) << (hashes & np.uint32(63)).astype(np.uint64)
        words = hashes >> np.uint32(6) & np.uint32(_WORDS - 1)
        for word in range(_WORDS):
            np.bitwise_or.reduceat(np.where(words == word, bits, np.uint64(0)), starts[:-1], out=self._bits[word, own])
        self._least[own] = np.bitwise_count(self._bits[:, own]).sum(axis=0)

    def may_reach(self, left: U64, right: U64, threshold: float) -> Mask:
        """False where the Jaccard similarity of a pair is certainly below ``threshold``."""
        mine, yours, least_mine, least_yours = (
            column[side] for column in (self._sizes, self._least) for side in (left, right)
        )
        keep = np.minimum(mine, yours) >= threshold * np.maximum(least_mine, least_yours) - _ROUNDING
        keep[keep] = self._bits_reach(left[keep], right[keep], threshold)
        return keep

    def differ_by(self, left: U64, right: U64) -> tuple[I32, I32]:
        """At least how many shingles only the left text of a pair has, and only the right one."""
        union = self._union(left, right)
        return union - self._least[right], union - self._least[left]

    def _union(self, left: U64, right: U64) -> I32:
        return np.asarray(sum(np.bitwise_count(bits[left] | bits[right]).astype(np.int32) for bits in self._bits))

    def _bits_reach(self, left: U64, right: U64, threshold: float) -> Mask:
        union = self._union(left, right)
        only_left, only_right = union - self._least[right], union - self._least[left]
        shared = np.minimum(self._sizes[left] - only_left, self._sizes[right] - only_right)
        # The union has at least as many shingles as bits, and at least the shared ones and those of one side only.
        return np.asarray(shared >= threshold * np.maximum(union, shared + only_left + only_right) - _ROUNDING)


def jaccard(texts: Sequence[str], ngram: int, left: I64, right: I64) -> F64:
    """Exact Jaccard similarity of the shingle sets of each pair of texts."""
    found = []
    for start in range(0, len(left), _SLICE):
        mine, yours = left[start : start + _SLICE].tolist(), right[start : start + _SLICE].tolist()
        sets = {number: shingle_set(texts[number], ngram) for number in {*mine, *yours}}
        found += [_similarity(sets[one], sets[other]) for one, other in zip(mine, yours, strict=True)]
    return np.array(found, np.float64)


def shingle_set(text: str, ngram: int) -> set[str]:
    """The character n-grams of ``text``; of a shorter one, the text itself."""
    return {text[start : start + ngram] for start in range(len(text) - ngram + 1)} or {text}


def _similarity(left: set[str], right: set[str]) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
