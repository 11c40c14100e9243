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
    from pairwright.pipelines.similarity.shingles import I64, U32, U64

# Every candidate is verified, so that a false one costs nanoseconds and a missed one is lost for good.
_WEIGHTS = (0.05, 0.95)
_MOST = 0.95  # nearer to 1 datasketch finds a single band, which it refuses
_TILE = 4096  # shingles hashed together: their table of 32-bit values stays in the processor's cache
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Bands(NamedTuple):
    """``bands`` keys of ``rows`` signature values each."""

    bands: int
    rows: int


@cache
def bands_for(threshold: float, permutations: int) -> Bands:
    """The banding that ``datasketch`` finds best for ``threshold``, misses weighing 19 times a false candidate."""
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=min(threshold, _MOST), num_perm=permutations, weights=_WEIGHTS)
    return Bands(index.b, index.r)


@cache
def _permutations(count: int) -> tuple[U32, U32]:
    from datasketch import MinHash

    multipliers, offsets = MinHash(num_perm=count, scheme="affine32").permutations
    return multipliers, offsets


def signatures(hashes: U32, starts: I64, permutations: int) -> U32:
    """MinHash values of shape (permutations, texts) from the shingles' hashes; ``starts`` says whose they are."""
    multipliers, offsets = _permutations(permutations)
    values = _mixed(hashes)
    found = np.empty((permutations, len(starts) - 1), np.uint32)
    space = np.empty((permutations, _TILE), np.uint32)
    for first, last in _tiles(starts):
        begin, end = starts[first], starts[last]
        # A text alone may have more shingles than the table has columns.
        if last == first + 1:
            found[:, first] = _minima(values[begin:end], multipliers, offsets)
            continue
        table = space[:, : end - begin]
        np.multiply(multipliers[:, None], values[begin:end], out=table)
        table += offsets[:, None]
        np.minimum.reduceat(table, starts[first:last] - begin, axis=1, out=found[:, first:last])
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


def _minima(values: U32, multipliers: U32, offsets: U32) -> U32:
    """The signature of one text, however long, in tables of bounded size."""
    pieces = (values[start : start + _TILE] for start in range(0, len(values), _TILE))
    tables = (multipliers[:, None] * piece + offsets[:, None] for piece in pieces)
    return np.asarray(np.minimum.reduce([table.min(axis=1) for table in tables]))


def _mixed(hashes: U32) -> U32:
    """MurmurHash3's finalizer, which ``datasketch`` puts before its ``affine32`` permutations."""
    mixed = hashes ^ hashes >> np.uint32(16)
    mixed *= np.uint32(0x85EBCA6B)
    mixed ^= mixed >> np.uint32(13)
    mixed *= np.uint32(0xC2B2AE35)
    return np.asarray(mixed ^ mixed >> np.uint32(16))


def _tiles(starts: I64) -> Iterator[tuple[int, int]]:
    """Ranges of texts that have about ``_TILE`` shingles together, one text at least."""
    texts = len(starts) - 1
    first = 0
    while first < texts:
        last = int(np.searchsorted(starts, starts[first] + _TILE, side="right")) - 1
        last = min(max(last, first + 1), texts)
        yield first, last
        first = last
