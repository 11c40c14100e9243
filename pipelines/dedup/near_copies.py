"""Texts that copy one of given texts, with a few edits: found by rare n-grams, verified by edit distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.pipelines.similarity.edit_distance import edit_distances
from pairwright.pipelines.similarity.overlap import Fingerprints
from pairwright.pipelines.similarity.shingles import Shingler, Shingles, slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pairwright.pipelines.similarity.shingles import I64, U64

_RAREST = 8  # n-grams that an original is searched by
_NEEDED = 2  # of them that a text must have to be compared
_SLOT_BITS = 22  # four million slots; n-grams that share one are counted together
# 2**64 divided by the golden ratio: spreads codes that lie close together (Fibonacci hashing)
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class NearCopies(NamedTuple):
    """Which text copies which original, and the edit distance as a share of the longer one's length."""

    text: I64
    original: I64
    distance: NDArray[np.float64]


def find_near_copies(texts: Sequence[str], originals: Sequence[str], ngram: int, most_edits: float) -> NearCopies:
    """Pairs of a text and an original that differ in at most ``most_edits`` edits per character of the longer one.

    Every original is searched by its eight rarest n-grams (2 characters in Chinese, 3 in English): a text that has two
    of them is compared. Of copies with two random edits in ten characters about 97 % keep two. A reported pair is
    always a true one.
    """
    shingler = Shingler(ngram)
    blocks = [(rows.start, shingler.block(texts[rows])) for rows in slices([texts])]
    index = _Index(shingler, originals, [codes for _, (codes, _) in blocks])
    found = [index.candidates(start, codes, starts) for start, (codes, starts) in blocks]
    pairs = np.concatenate([np.empty(0, np.uint64), *found])
    text, original = pairs >> np.uint64(32), pairs & np.uint64(0xFFFFFFFF)
    mine = np.fromiter(map(len, texts), np.int64, len(texts))[text]
    yours = np.fromiter(map(len, originals), np.int64, len(originals))[original]
    longer = np.maximum(np.maximum(mine, yours), 1)
    near = np.abs(mine - yours) <= most_edits * longer
    text, original, longer = text[near], original[near], longer[near]
    # One edit changes at most two bigrams.
    prints = _prints([*texts, *originals])
    near = np.maximum(*prints.differ_by(text, original + np.uint64(len(texts)))) <= 2 * most_edits * longer
    text, original, longer = text[near].astype(np.int64), original[near].astype(np.int64), longer[near]
    distances = edit_distances([texts[item] for item in text], [originals[item] for item in original]) / longer
    keep = distances <= most_edits
    return NearCopies(text[keep], original[keep], distances[keep])


class _Index:
    """The rarest n-grams of every original, and a bit map that rules out most others at once."""

    def __init__(self, shingler: Shingler, originals: Sequence[str], others: Sequence[U64]) -> None:
        empty = Shingles(np.empty(0, np.uint64), np.zeros(1, np.int64))
        codes, starts = shingler.block(originals) if originals else empty
        owners = np.repeat(np.arange(len(originals), dtype=np.uint64), np.diff(starts))
        counts = np.zeros(1 << _SLOT_BITS, np.int64)
        # Over both sides: an n-gram that is rare in the originals and in every text would make candidates of all texts.
        for part in [codes, *others]:
            counts += np.bincount(_slots(part), minlength=len(counts))
        order = np.lexsort((codes, counts[_slots(codes)], owners))
        codes, owners = codes[order], owners[order]
        fresh = np.concatenate([[True], (codes[1:] != codes[:-1]) | (owners[1:] != owners[:-1])])[: len(codes)]
        codes, owners = codes[fresh], owners[fresh]
        # Owners are in order, so that the place less the owner's first place is the rank within the original.
        ranks = np.arange(len(owners)) - np.searchsorted(owners, owners)
        rare = ranks < _RAREST
        order = np.lexsort((owners[rare], codes[rare]))
        self._codes, self._owners = codes[rare][order], owners[rare][order]
        # A short original may have fewer n-grams than a text needs.
        self._wanted = np.minimum(np.bincount(owners[rare].astype(np.int64), minlength=len(originals)), _NEEDED)
        self._map = np.zeros(1 << _SLOT_BITS, bool)
        self._map[_slots(self._codes)] = True

    def candidates(self, first: int, codes: U64, starts: I64) -> U64:
        """Pairs ``text << 32 | original`` that share enough rare n-grams; texts are numbered from ``first``."""
        texts = np.repeat(np.arange(first, first + len(starts) - 1, dtype=np.uint64), np.diff(starts))
        likely = np.flatnonzero(self._map[_slots(codes)])
        texts, codes = texts[likely], codes[likely]
        order = np.lexsort((codes, texts))
        texts, codes = texts[order], codes[order]
        fresh = np.concatenate([[True], (codes[1:] != codes[:-1]) | (texts[1:] != texts[:-1])])[: len(codes)]
        texts, codes = texts[fresh], codes[fresh]
        begin, end = np.searchsorted(self._codes, codes, "left"), np.searchsorted(self._codes, codes, "right")
        sizes = end - begin
        # All places from begin to end of every n-gram, one range after the other.
        places = np.repeat(begin - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        pairs = np.sort(np.repeat(texts, sizes) << np.uint64(32) | self._owners[places])
        heads = np.flatnonzero(np.concatenate([[True], pairs[1:] != pairs[:-1]])[: len(pairs)])
        shared = np.diff(np.concatenate([heads, [len(pairs)]]))
        distinct = pairs[heads]
        return distinct[shared >= self._wanted[(distinct & np.uint64(0xFFFFFFFF)).astype(np.int64)]]


def _slots(codes: U64) -> I64:
    return (codes * _MIXER >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)


def _prints(texts: Sequence[str]) -> Fingerprints:
    prints, shingler = Fingerprints(len(texts)), Shingler(2)
    for rows in slices([texts]):
        codes, starts = shingler.block(texts[rows])
        prints.add(rows.start, (codes * _MIXER >> np.uint64(32)).astype(np.uint32), starts)
    return prints
