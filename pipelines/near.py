"""Near duplicates among texts: candidates by MinHash banding, every one of them verified by exact Jaccard similarity.

    near_duplicates(["今天北京天气怎么样", "今天北京天气怎么样呢", "别的"], ngram=2, threshold=0.8, permutations=128)
    → [(0, 1, 0.888...)]

A reported pair is always a true one; a true pair is missed with the small probability that banding has
(below 4 % at the threshold itself, below 1 % from 0.05 above it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.pipelines.minhash import Bands, band_keys, bands_for, signatures
from pairwright.pipelines.shingles import Shingles, Vocabulary
from pairwright.pipelines.unions import Unions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pairwright.pipelines.shingles import I64, U64

    F64 = NDArray[np.float64]

_BATCH = 1_000_000
_SLICE = 100_000


class Pairs(NamedTuple):
    """Pairs of texts by number, ``left < right``, and their Jaccard similarities."""

    left: I64
    right: I64
    jaccard: F64


def near_duplicates(texts: Sequence[str], ngram: int, threshold: float, permutations: int) -> list[tuple[int, int, float]]:
    """Pairs ``(i, j, Jaccard)`` with ``i < j``, ascending, whose sets of character n-grams are that similar.

    Texts shorter than ``ngram`` are compared as they are. Equal texts are not all paired with each other, but each
    with the first of them, which stands for them in all other pairs.
    """
    firsts: dict[str, int] = {}
    same = [(firsts.setdefault(text, position), position, 1.0) for position, text in enumerate(texts)]
    equal = [pair for pair in same if pair[0] != pair[1]]
    positions = list(firsts.values())
    pairs = similar(list(firsts), ngram, threshold, permutations)
    found = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.jaccard.tolist(), strict=True)
    return sorted([*equal, *((positions[left], positions[right], jaccard) for left, right, jaccard in found)])


def clusters(size: int, pairs: Iterable[tuple[int, int, float]]) -> list[int]:
    """For each of ``size`` texts the smallest number in its connected component."""
    unions = Unions(size)
    for left, right, _ in pairs:
        unions.join(left, right)
    return [unions.root(item) for item in range(size)]


def similar(texts: Sequence[str], ngram: int, threshold: float, permutations: int) -> Pairs:
    """All pairs that banding finds and exact Jaccard similarity confirms, ascending."""
    bands = bands_for(threshold, permutations)
    vocabulary = Vocabulary(ngram)
    blocks, keys = [], []
    for block in vocabulary.blocks(texts):
        blocks.append(block)
        keys.append(band_keys(signatures(block, vocabulary.hashes, permutations), bands))
    if not blocks:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    sets = Sets(joined(blocks), vocabulary.size)
    confirmed = [sets.confirmed(batch, threshold) for batch in candidates(np.concatenate(keys, axis=1))]
    return _merged(confirmed)


class Sets:
    """Shingle sets as a sparse matrix, for exact similarities of many pairs at once."""

    def __init__(self, shingles: Shingles, size: int) -> None:
        from scipy.sparse import csr_array

        shape = (len(shingles.starts) - 1, size)
        ones = np.ones(len(shingles.ids), np.int8)
        self._matrix = csr_array((ones, shingles.ids.astype(np.int32, copy=False), shingles.starts), shape=shape)
        self._sizes = np.diff(shingles.starts)

    def jaccard(self, left: I64, right: I64) -> F64:
        """Exact Jaccard similarity of each pair."""
        found = np.empty(len(left))
        for start in range(0, len(left), _SLICE):
            part = slice(start, start + _SLICE)
            shared = np.diff(self._matrix[left[part]].multiply(self._matrix[right[part]]).tocsr().indptr)
            found[part] = shared / (self._sizes[left[part]] + self._sizes[right[part]] - shared)
        return found

    def confirmed(self, codes: U64, threshold: float) -> Pairs:
        """The pairs among ``codes`` (see :func:`candidates`) that reach ``threshold``."""
        left, right = (codes >> np.uint64(32)).astype(np.int64), (codes & np.uint64(0xFFFFFFFF)).astype(np.int64)
        jaccard = self.jaccard(left, right)
        keep = jaccard >= threshold
        return Pairs(left[keep], right[keep], jaccard[keep])


def joined(blocks: Sequence[Shingles]) -> Shingles:
    """Consecutive blocks as one."""
    offsets = np.cumsum([0, *(len(block.ids) for block in blocks)])
    starts = [block.starts[:-1] + offset for block, offset in zip(blocks, offsets[:-1], strict=True)]
    return Shingles(np.concatenate([block.ids for block in blocks]), np.concatenate([*starts, offsets[-1:]]))


def candidates(keys: U64) -> Iterator[U64]:
    """Pairs of texts with an equal key in some band, as ``left << 32 | right``, in batches of distinct ones."""
    waiting: list[U64] = []
    size = 0
    for band in keys:
        for pairs in _pairs_of_band(band):
            waiting.append(pairs)
            size += len(pairs)
            if size > _BATCH:
                yield np.unique(np.concatenate(waiting))
                waiting, size = [], 0
    if waiting:
        yield np.unique(np.concatenate(waiting))


def _pairs_of_band(keys: U64) -> Iterator[U64]:
    """All pairs of equal keys: sort, then compare with the neighbour one place on, two places on, and so forth."""
    bits = np.uint64(max(len(keys) - 1, 1).bit_length())
    # Key and number share one word, so that a plain sort does; two keys that are equal only in their upper bits
    # make a false candidate, no more.
    order = np.sort(keys >> bits << bits | np.arange(len(keys), dtype=np.uint64))
    heads, numbers = order >> bits, order & ((np.uint64(1) << bits) - np.uint64(1))
    places = np.flatnonzero(heads[1:] == heads[:-1])
    distance = 1
    while len(places):
        yield numbers[places] << np.uint64(32) | numbers[places + distance]
        distance += 1
        places = places[places + distance < len(heads)]
        places = places[heads[places] == heads[places + distance]]


def _merged(found: Sequence[Pairs]) -> Pairs:
    left, right, jaccard = (np.concatenate(column) for column in zip(*found, strict=True)) if found else _NONE
    codes, firsts = np.unique(left << 32 | right, return_index=True)
    return Pairs(codes >> 32, codes & 0xFFFFFFFF, jaccard[firsts])


_NONE = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
