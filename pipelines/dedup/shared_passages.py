"""Long texts that share a passage: a run of so many tokens, character by character the same.

A token is a Han, Kana or Hangul character, or else a run of characters without a space: the n-gram overlap by which
evaluation sets are kept out of training data (13 tokens: Brown et al., 2020, appendix C; 8: Lambert et al., Tulu 3, 2024).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.pipelines.similarity.shingles import slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pairwright.pipelines.similarity.overlap import Mask
    from pairwright.pipelines.similarity.shingles import I64, U32, U64

    U8 = NDArray[np.uint8]

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
_MAP_BITS = 24  # at most: the map takes a byte per slot
_SPARE_BITS = 3  # eight slots or more per n-gram: few others hit a taken one
_SPACE = 32  # ord(" ")
# Kana, Han with its extensions, and Hangul are written without spaces between words.
_UNSPACED = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


class SharedPassage(NamedTuple):
    """The longest passage that a text shares with an original: both by number, how many tokens, and what it says."""

    text: int
    original: int
    tokens: int
    quote: str


class _Grams(NamedTuple):
    """All n-grams of some texts, in order: their hashes, whose they are, where they begin and end in the joined texts."""

    joined: str
    points: U32 | U8
    hashes: U64
    owners: I64
    begins: I64
    ends: I64


def find_shared_passages(texts: Sequence[str], originals: Sequence[str], tokens: int) -> list[SharedPassage]:
    """For each of ``texts`` that has ``tokens`` tokens in a row of one of ``originals``, the longest such passage.

    Of several originals with one passage the first stands for all. Texts are compared as they stand; spell them alike
    before. Every passage is verified character by character.
    """
    if not originals:
        return []
    index = _Index(originals, tokens)
    return [passage for rows in slices([texts]) for passage in index.found(texts[rows], rows.start)]


class _Index:
    def __init__(self, originals: Sequence[str], tokens: int) -> None:
        self._tokens = tokens
        self._grams = _grams(originals, tokens)
        self._hashes, self._places = np.unique(self._grams.hashes, return_index=True)
        bits = min(len(self._hashes).bit_length() + _SPARE_BITS, _MAP_BITS)
        self._shift = np.uint64(64 - bits)
        self._map = np.zeros(1 << bits, bool)
        self._map[self._hashes >> self._shift] = True

    def found(self, texts: Sequence[str], first: int) -> Iterator[SharedPassage]:
        """The passages of a few texts, numbered from ``first`` on."""
        mine, yours = _grams(texts, self._tokens), self._grams
        grams, places = self._known(mine.hashes)
        if not len(grams):
            return
        # A longer passage is a run of n-grams, each one token further in both texts, and by as many characters: single
        # tokens do not hold the spaces between them.
        new = np.arange(len(grams)) == 0
        for column in (grams, places):
            new[1:] |= np.diff(column) != 1
        new[1:] |= np.diff(mine.begins[grams]) != np.diff(yours.begins[places])
        new[1:] |= (np.diff(mine.owners[grams]) != 0) | (np.diff(yours.owners[places]) != 0)
        starts = np.flatnonzero(new)
        lengths = np.diff(np.append(starts, len(grams)))
        owners = mine.owners[grams[starts]]
        order = np.lexsort((starts, -lengths, owners))
        longest = order[np.diff(owners[order], prepend=-1) != 0]
        begins, ends = starts[longest], starts[longest] + lengths[longest] - 1
        left, right = mine.begins[grams[begins]], yours.begins[places[begins]]
        sizes = mine.ends[grams[ends]] - left
        same = _same(mine.points, left, yours.points, right, sizes)
        tokens = lengths[longest] + self._tokens - 1
        columns = (owners[longest] + first, yours.owners[places[begins]], tokens, left, left + sizes)
        for text, original, count, begin, end in zip(*(column[same].tolist() for column in columns), strict=True):
            yield SharedPassage(text, original, count, mine.joined[begin:end])

    def _known(self, hashes: U64) -> tuple[I64, I64]:
        """Which n-grams stand in an original, and the places of those there."""
        likely = np.flatnonzero(self._map[hashes >> self._shift])
        if not len(likely):
            return likely, likely
        found = np.minimum(np.searchsorted(self._hashes, hashes[likely]), len(self._hashes) - 1)
        hit = self._hashes[found] == hashes[likely]
        return likely[hit], self._places[found[hit]]


def _same(mine: U32 | U8, left: I64, yours: U32 | U8, right: I64, sizes: I64) -> Mask:
    """Whether ``sizes`` characters from ``left`` on are those from ``right`` on: hashes alone prove nothing."""
    heads = np.cumsum(sizes) - sizes
    steps = np.arange(sizes.sum()) - np.repeat(heads, sizes)
    equal = mine[np.repeat(left, sizes) + steps] == yours[np.repeat(right, sizes) + steps]
    return np.asarray(np.logical_and.reduceat(equal, heads))


def _grams(texts: Sequence[str], tokens: int) -> _Grams:
    """Hashes of all runs of ``tokens`` tokens, from prefix sums of a polynomial modulo 2**64: one pass for any length."""
    # With a space at the end, the last token ends as all others do.
    joined = " ".join(texts) + " "
    points = _points(joined)
    begins, ends = _tokens(points)
    edges = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
    heads = np.searchsorted(begins, np.concatenate([[0], edges]))
    sizes = np.maximum(np.diff(heads) - (tokens - 1), 0)
    first = np.arange(sizes.sum()) + np.repeat(heads[:-1] - np.cumsum(sizes) + sizes, sizes)
    owners = np.repeat(np.arange(len(texts)), sizes)
    # Rounded up, so that blocks of about one size share the cached powers.
    powers, inverses = _powers(1 << len(points).bit_length())
    sums = np.zeros(len(points) + 1, np.uint64)
    np.cumsum(points * powers[: len(points)], out=sums[1:])
    starts, stops = begins[first], ends[first + (tokens - 1)]
    hashes = (sums[stops] - sums[starts]) * inverses[starts]
    # Mixed once more, because the bit map looks at the upper bits only.
    hashes ^= hashes >> np.uint64(32)
    return _Grams(joined, points, hashes * _MIXER, owners, starts, stops)


def _points(joined: str) -> U32 | U8:
    if joined.isascii():
        return np.frombuffer(joined.encode("ascii"), np.uint8)
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)


def _tokens(points: U32 | U8) -> tuple[I64, I64]:
    """Where tokens begin, and where they end."""
    space = points == _SPACE
    # A shorter way for text without such scripts: tokens begin and end where spaces do.
    if points.max() < _UNSPACED[0][0]:
        turns = np.flatnonzero(space[1:] != space[:-1]) + 1
        turns = turns if space[0] else np.concatenate([[0], turns])
        return turns[::2], turns[1::2]
    single: Mask = np.zeros(len(points), bool)
    for low, high in _UNSPACED:
        single |= (points >= low) & (points <= high)
    edge = space | single
    begins = ~space
    begins[1:] &= edge[:-1] | single[1:]
    ends = ~space
    ends[:-1] &= edge[1:] | single[:-1]
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


@cache
def _powers(count: int) -> tuple[U64, U64]:
    bases = np.full(count, _BASE, np.uint64), np.full(count, _INVERSE, np.uint64)
    for base in bases:
        base[0] = 1
        np.multiply.accumulate(base, out=base)
    return bases
