"""MinHash signatures and banding for many texts at once, with ``datasketch``'s own permutations and parameters.

MinHash: A. Broder, *On the resemblance and containment of documents*, 1997. The values are those that
``datasketch.MinHash(num_perm, scheme="affine32")`` computes for one text at a time, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pairwright.pipelines.shingles import I64, U32, U64, Shingles

# Candidates are verified exactly, so that a false one costs microseconds and a missed one is lost for good.
_WEIGHTS = (0.02, 0.98)
_TILE = 2048  # shingles hashed together: their table of 32-bit values stays in the processor's cache
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Bands(NamedTuple):
    """``bands`` keys of ``rows`` signature values each."""

    bands: int
    rows: int


@cache
def bands_for(threshold: float, permutations: int) -> Bands:
    """The banding that ``datasketch`` finds best for ``threshold``, misses weighing 49 times a false candidate."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=threshold, num_perm=permutations, weights=_WEIGHTS)
    return Bands(index.b, index.r)


@cache
def _permutations(count: int) -> tuple[U32, U32]:
    from datasketch import MinHash

    multipliers, offsets = MinHash(num_perm=count, scheme="affine32").permutations
    return multipliers, offsets


def signatures(shingles: Shingles, hashes: U32, permutations: int) -> U32:
    """MinHash values as an array of shape (permutations, texts); ``hashes`` are those of the vocabulary."""
    multipliers, offsets = _permutations(permutations)
    values = _mixed(hashes)[shingles.ids]
    found = np.empty((permutations, len(shingles.starts) - 1), np.uint32)
    for first, last in _tiles(shingles.starts):
        begin, end = shingles.starts[first], shingles.starts[last]
        table = multipliers[:, None] * values[begin:end]
        table += offsets[:, None]
        np.minimum.reduceat(table, shingles.starts[first:last] - begin, axis=1, out=found[:, first:last])
    return found


def band_keys(signature: U32, bands: Bands) -> U64:
    """One 64-bit key per band and text, shape (bands, texts): equal where all values of the band are equal."""
    keys = np.empty((bands.bands, signature.shape[1]), np.uint64)
    for band in range(bands.bands):
        key = np.full(signature.shape[1], band, np.uint64)
        for row in signature[band * bands.rows : (band + 1) * bands.rows]:
            key = (key ^ row) * _MIXER
            key ^= key >> np.uint64(29)
        keys[band] = key
    return keys


def _mixed(hashes: U32) -> U32:
    """MurmurHash3's finalizer, which ``datasketch`` puts before its ``affine32`` permutations."""
    mixed = hashes ^ hashes >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    return mixed ^ mixed >> np.uint32(16)


def _tiles(starts: I64) -> Iterator[tuple[int, int]]:
    """Ranges of texts that have about ``_TILE`` shingles together, one text at least."""
    texts = len(starts) - 1
    first = 0
    while first < texts:
        last = int(np.searchsorted(starts, starts[first] + _TILE, side="right")) - 1
        last = min(max(last, first + 1), texts)
        yield first, last
        first = last
