"""Character n-grams of many texts at once: the sets that near duplicates are found and measured by.

Characters, not words: Chinese has no spaces, and a small edit of a short query changes few characters but a large
share of its words. A text that is shorter than an n-gram is its own only shingle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    U64 = NDArray[np.uint64]
    U32 = NDArray[np.uint32]
    I64 = NDArray[np.int64]

MAX_NGRAM = 3
_POINT_BITS = np.uint64(21)  # a code point is below 2**21, so three of them fit into 63 bits
_SHORT = np.uint64(1 << 63)  # marks the code of a whole text that is shorter than an n-gram
_FREE = np.uint64((1 << 64) - 1)  # no shingle has this code
_SLOT_BITS = 20  # a million places
_BLOCK = 500_000  # characters, see slices
# 2**64 divided by the golden ratio: spreads codes that lie close together (Fibonacci hashing)
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Shingles(NamedTuple):
    """Shingles of consecutive texts by code, in the order of the text: those of text ``i`` end before ``starts[i + 1]``."""

    codes: U64
    starts: I64


def slices(parts: Sequence[Sequence[str]]) -> Iterator[slice]:
    """Ranges of items whose parts have about half a million characters together: what is worked on at once."""
    ends = np.cumsum(np.sum([np.fromiter(map(len, texts), np.int64, len(texts)) for texts in parts], axis=0))
    start = 0
    while start < len(ends):
        stop = int(np.searchsorted(ends, _BLOCK + (ends[start - 1] if start else 0))) + 1
        yield slice(start, min(stop, len(ends)))
        start = stop


class Shingler:
    """Codes that are equal exactly where n-grams of 1, 2 or 3 characters are."""

    def __init__(self, ngram: int) -> None:
        assert 1 <= ngram <= MAX_NGRAM
        self._ngram = ngram
        self._short: dict[str, int] = {}

    def block(self, texts: Sequence[str]) -> Shingles:
        """The shingles of a few texts at once."""
        counts = np.fromiter(map(len, texts), np.int64, len(texts))
        windows = np.maximum(counts - self._ngram + 1, 1)
        starts = np.concatenate([[0], np.cumsum(windows)])
        # Padded to at least one n-gram, each text has as many windows as shingles; those of short ones are replaced.
        points = np.frombuffer(self._padded(texts, counts).encode("utf-32-le", "surrogatepass"), np.uint32)
        first_points = np.concatenate([[0], np.cumsum(np.maximum(counts, self._ngram))[:-1]])
        places = np.arange(starts[-1]) + np.repeat(first_points - starts[:-1], windows)
        codes = points[places].astype(np.uint64)
        for offset in range(1, self._ngram):
            codes = codes << _POINT_BITS | points[places + offset]
        for short in np.flatnonzero(counts < self._ngram).tolist():
            codes[starts[short]] = _SHORT | np.uint64(self._short.setdefault(texts[short], len(self._short)))
        return Shingles(codes, starts)

    def _padded(self, texts: Sequence[str], counts: I64) -> str:
        if counts.min() >= self._ngram:
            return "".join(texts)
        return "".join([text.ljust(self._ngram) for text in texts])

    def spelled(self, codes: U64) -> Iterator[bytes]:
        """The shingles that ascending ``codes`` stand for, as UTF-8."""
        short = list(self._short)
        split = int(np.searchsorted(codes, _SHORT))
        shifts = _POINT_BITS * np.arange(self._ngram - 1, -1, -1, dtype=np.uint64)
        points = (codes[:split, None] >> shifts & np.uint64((1 << 21) - 1)).astype("<u4")
        text = points.tobytes().decode("utf-32-le", "surrogatepass")
        for start in range(0, len(text), self._ngram):
            yield text[start : start + self._ngram].encode("utf-8", "surrogatepass")
        for code in codes[split:]:
            yield short[int(code ^ _SHORT)].encode("utf-8", "surrogatepass")


class Hashes:
    """32-bit hashes of shingles, as ``datasketch`` makes them: the first four bytes of SHA-1, lowest first.

    They are kept in a table with one place per shingle, taken by whoever comes first; a shingle that finds its place
    taken is hashed again whenever a block has it.
    """

    def __init__(self, shingler: Shingler) -> None:
        self._shingler = shingler
        self._codes: U64 = np.full(1 << _SLOT_BITS, _FREE)
        self._hashes: U32 = np.empty(1 << _SLOT_BITS, np.uint32)

    def of(self, codes: U64) -> U32:
        """The hash of each code."""
        places = _places(codes)
        found = self._hashes[places]
        missing = np.flatnonzero(self._codes[places] != codes)
        if len(missing):
            distinct, inverse = np.unique(codes[missing], return_inverse=True)
            digests = b"".join([hashlib.sha1(text).digest()[:4] for text in self._shingler.spelled(distinct)])
            hashes = np.frombuffer(digests, "<u4").astype(np.uint32)
            found[missing] = hashes[inverse]
            places = _places(distinct)
            free = self._codes[places] == _FREE
            # Of two newcomers for one place the last one gets both columns: numpy assigns in order.
            self._codes[places[free]] = distinct[free]
            self._hashes[places[free]] = hashes[free]
        return found


def _places(codes: U64) -> U64:
    return codes * _MIXER >> np.uint64(64 - _SLOT_BITS)
