"""Character n-grams of many texts at once: the sets that near duplicates are found and measured by.

Characters, not words: Chinese has no spaces, and a small edit of a short query changes few characters but a large
share of its words. Texts are worked on in blocks, so that memory beyond the result does not grow with them.
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
_HALF = np.uint64(32)
_BLOCK_CHARACTERS = 500_000


class Shingles(NamedTuple):
    """The shingle sets of texts: those of text ``i`` are ``ids[starts[i]:starts[i + 1]]``, ascending and distinct."""

    ids: U32
    starts: I64


class Vocabulary:
    """Numbers distinct shingles from 0, and hashes each as ``datasketch`` does: the first four bytes of its SHA-1.

    ``ngram`` is 1, 2 or 3 characters.
    """

    def __init__(self, ngram: int) -> None:
        assert 1 <= ngram <= MAX_NGRAM
        self._ngram = ngram
        self._codes: U64 = np.empty(0, np.uint64)
        self._numbers: U32 = np.empty(0, np.uint32)
        self._short: dict[str, int] = {}
        self._hashes: U32 = np.empty(1 << 16, np.uint32)
        self.size = 0

    @property
    def hashes(self) -> U32:
        """The 32-bit hash of every shingle so far, by its number."""
        return self._hashes[: self.size]

    def blocks(self, texts: Sequence[str]) -> Iterator[Shingles]:
        """Yield the shingle sets of ``texts``, in order. A text shorter than an n-gram is its own only shingle."""
        start = size = 0
        for position, text in enumerate(texts):
            size += len(text)
            if size >= _BLOCK_CHARACTERS or position == len(texts) - 1:
                yield self._block(texts[start : position + 1])
                start, size = position + 1, 0

    def _block(self, texts: Sequence[str]) -> Shingles:
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
        owners = np.repeat(np.arange(len(texts), dtype=np.uint32), lengths)
        last = len(points) - self._ngram + 1
        windows = np.flatnonzero(owners[:last] == owners[self._ngram - 1 :]) if last > 0 else np.empty(0, np.int64)
        short = np.flatnonzero(lengths < self._ngram)
        codes = np.concatenate([self._packed(points, windows), self._short_codes([texts[item] for item in short])])
        members = np.concatenate([owners[windows], short.astype(np.uint32)]).astype(np.uint64)
        keys = members << _HALF | self._number(codes)
        keys.sort()
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        counts = np.bincount((keys >> _HALF).astype(np.int64), minlength=len(texts))
        return Shingles(keys.astype(np.uint32), np.concatenate([[0], np.cumsum(counts)]))

    def _packed(self, points: U32, windows: I64) -> U64:
        codes = points[windows].astype(np.uint64)
        for offset in range(1, self._ngram):
            codes = codes << _POINT_BITS | points[windows + offset]
        return codes

    def _short_codes(self, texts: Sequence[str]) -> U64:
        known = self._short
        return np.array([known.setdefault(text, len(known)) for text in texts], np.uint64) | _SHORT

    def _number(self, codes: U64) -> U32:
        """The numbers of ``codes``; those that are new get the next numbers, in the order of their codes."""
        distinct, inverse = np.unique(codes, return_inverse=True)
        places = np.searchsorted(self._codes, distinct)
        fresh = np.ones(len(distinct), bool)
        inner = places < len(self._codes)
        fresh[inner] = self._codes[places[inner]] != distinct[inner]
        if fresh.any():
            numbers = np.arange(self.size, self.size + np.count_nonzero(fresh), dtype=np.uint32)
            self._hash(distinct[fresh])
            self._codes = np.insert(self._codes, places[fresh], distinct[fresh])
            self._numbers = np.insert(self._numbers, places[fresh], numbers)
            places = np.searchsorted(self._codes, distinct)
        return self._numbers[places][inverse]

    def _hash(self, codes: U64) -> None:
        while len(self._hashes) < self.size + len(codes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
        digests = b"".join(hashlib.sha1(text).digest()[:4] for text in self._spelled(codes))
        self._hashes[self.size : self.size + len(codes)] = np.frombuffer(digests, "<u4")
        self.size += len(codes)

    def _spelled(self, codes: U64) -> Iterator[bytes]:
        """The shingles that ``codes`` stand for, as UTF-8."""
        shorts = list(self._short)
        split = int(np.searchsorted(codes, _SHORT))
        shifts = _POINT_BITS * np.arange(self._ngram - 1, -1, -1, dtype=np.uint64)
        points = (codes[:split, None] >> shifts & np.uint64((1 << 21) - 1)).astype("<u4")
        text = points.tobytes().decode("utf-32-le", "surrogatepass")
        for start in range(0, len(text), self._ngram):
            yield text[start : start + self._ngram].encode("utf-8", "surrogatepass")
        for code in codes[split:]:
            yield shorts[int(code ^ _SHORT)].encode("utf-8", "surrogatepass")
