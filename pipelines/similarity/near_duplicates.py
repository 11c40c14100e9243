"""Near duplicates among texts: candidates by MinHash banding, every one of them verified by exact Jaccard similarity.

    near_duplicates(["今天北京天气怎么样", "今天北京天气怎么样呢", "别的"], ngram=2, threshold=0.8, permutations=128)
    → [(0, 1, 0.888...)]

A reported pair is always a true one. A true pair is missed with the small probability that banding has: below 8 % at
the threshold itself, below 2 % from 0.05 above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.pipelines.similarity.disjoint_set import DisjointSet
from pairwright.pipelines.similarity.disk_texts import DiskRows
from pairwright.pipelines.similarity.minhash import band_keys, bands_for, signatures
from pairwright.pipelines.similarity.overlap import Fingerprints, jaccard
from pairwright.pipelines.similarity.shingles import Hashes, Shingler, slices

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.overlap import F64
    from pairwright.pipelines.similarity.shingles import I64, U32, U64

_BATCH = 1_000_000  # candidates that are verified together
_HALF = np.uint64(32)  # two item numbers share one word
_LOWER = np.uint64(0xFFFFFFFF)
_CROWD = 64  # see find_similar
_COLUMNS = 10_000  # members of a crowd paired at once: bounds the memory
_TAG = np.uint32(0x9E3779B9)  # tells the shingles of one part from the same ones of another


class Pairs(NamedTuple):
    """Pairs of texts by number, ``left < right``, ascending, and their similarities."""

    left: I64
    right: I64
    jaccard: F64


def find_near_duplicates(
    texts: Sequence[str], ngram: int, threshold: float, permutations: int
) -> list[tuple[int, int, float]]:
    """Pairs ``(i, j, Jaccard)`` with ``i < j``, ascending, whose sets of character n-grams are that similar.

    Texts shorter than ``ngram`` are compared as they are. Equal texts are not all paired with each other, but each
    with the first of them, which stands for them in all other pairs.
    """
    firsts = firsts_of(texts)
    repeated = np.flatnonzero(firsts != np.arange(len(texts)))
    equal = [(first, row, 1.0) for first, row in zip(firsts[repeated].tolist(), repeated.tolist(), strict=True)]
    positions = np.flatnonzero(firsts == np.arange(len(texts)))
    distinct = texts if not len(repeated) else [texts[row] for row in positions.tolist()]
    pairs = find_similar([distinct], ngram, threshold, permutations)
    left, right = positions[pairs.left].tolist(), positions[pairs.right].tolist()
    return sorted([*equal, *zip(left, right, pairs.jaccard.tolist(), strict=True)])


def firsts_of(texts: Sequence[str]) -> I64:
    """For each text the number of the first one that is equal to it; texts whose hashes are equal are compared."""
    hashes = np.fromiter(map(hash, texts), np.int64, len(texts))
    order = np.argsort(hashes, kind="stable")
    firsts = np.arange(len(texts))
    # ~x is never x, so that the first and the last text are edges, too.
    edges = np.flatnonzero(np.diff(hashes[order], prepend=~hashes[order[:1]], append=~hashes[order[-1:]]))
    for run in np.flatnonzero(np.diff(edges) > 1).tolist():
        seen: dict[str, int] = {}
        for row in order[edges[run] : edges[run + 1]].tolist():
            firsts[row] = seen.setdefault(texts[row], row)
    return firsts


def find_clusters(size: int, pairs: Iterable[tuple[int, int, float]]) -> list[int]:
    """For each of ``size`` texts the smallest number in its connected component."""
    groups = DisjointSet()
    for left, right, _ in pairs:
        groups.join(left, right)
    return [groups.root(item) for item in range(size)]


def find_similar(parts: Sequence[Sequence[str]], ngram: int, threshold: float, permutations: int) -> Pairs:
    """Pairs of items that are similar in every part; the similarity is that of their least similar part.

    ``parts[0][i]``, ``parts[1][i]`` ... are the parts of item ``i``. If all parts of two items reach the threshold,
    so does the union of their shingles, told apart by part: that union is what candidates are found by. Among more
    than 64 items with one key, all are compared with the first 64 and only those that agree in another key with
    each other: a family of thousands does not cost its square.

    The keys of all bands wait on disk and are worked on band by band: in memory are 40 bytes per text and part, and a few
    times 8 bytes per text. ``parts`` may be on disk as well (:class:`~pairwright.pipelines.similarity.disk_texts.View`).

    Raises:
        StorageError: the temporary folder is full.
    """
    if not parts[0]:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    bands = bands_for(threshold, permutations)
    shingler = Shingler(ngram)
    hashes = Hashes(shingler)
    prints = [Fingerprints(len(texts)) for texts in parts]
    with closing(DiskRows(bands.bands, len(parts[0]))) as keys:
        for rows in slices(parts):
            signature: U32 = np.full((permutations, rows.stop - rows.start), 0xFFFFFFFF, np.uint32)
            for number, texts in enumerate(parts):
                codes, starts = shingler.block(texts[rows])
                values = hashes.of(codes)
                prints[number].add(rows.start, values, starts)
                tagged = values ^ _TAG * np.uint32(number) if number else values
                np.minimum(signature, signatures(tagged, starts, permutations), out=signature)
            keys.put(rows.start, band_keys(signature, bands))
        return _verified(_likely(keys, prints, threshold), parts, ngram, threshold)


def _verified(batches: Iterable[U64], parts: Sequence[Sequence[str]], ngram: int, threshold: float) -> Pairs:
    codes = [np.empty(0, np.uint64)]
    similarities = [np.empty(0)]
    for batch in batches:
        found = np.ones(len(batch))
        left, right = (batch >> _HALF).astype(np.int64), (batch & _LOWER).astype(np.int64)
        for texts in parts:
            found = np.minimum(found, jaccard(texts, ngram, left, right))
        codes.append(batch[found >= threshold])
        similarities.append(found[found >= threshold])
    found_codes = np.concatenate(codes)
    order = np.argsort(found_codes)
    left, right = (found_codes[order] >> _HALF).astype(np.int64), (found_codes[order] & _LOWER).astype(np.int64)
    return Pairs(left, right, np.concatenate(similarities)[order])


def _likely(keys: DiskRows, prints: Sequence[Fingerprints], threshold: float) -> Iterator[U64]:
    """Candidates that the fingerprints do not rule out, as ``left << 32 | right``, each once, in batches."""
    waiting: list[U64] = []
    seen: U64 = np.empty(0, np.uint64)
    size = 0
    for band in range(len(keys)):
        for left, right in _candidates(keys.row(band), keys.row(band - 1)):
            keep = np.ones(len(left), bool)
            for bits in prints:
                keep &= bits.may_reach(left, right, threshold)
            waiting.append(left[keep] << _HALF | right[keep])
            size += len(waiting[-1])
            if size > _BATCH:
                fresh = _fresh(_distinct(waiting), seen)
                yield fresh
                seen = np.sort(np.concatenate([seen, fresh]))
                waiting, size = [], 0
    yield _fresh(_distinct(waiting), seen)


def _fresh(codes: U64, seen: U64) -> U64:
    """Those of ascending ``codes`` that are not among ascending ``seen``."""
    places = np.minimum(np.searchsorted(seen, codes), max(len(seen) - 1, 0))
    return codes[seen[places] != codes] if len(seen) else codes


def _distinct(waiting: Sequence[U64]) -> U64:
    # numpy's own unique hashes such values, which takes three times as long as sorting them.
    codes = np.sort(np.concatenate([np.empty(0, np.uint64), *waiting]))
    return codes[np.concatenate([[True], codes[1:] != codes[:-1]])] if len(codes) else codes


def _candidates(keys: U64, others: U64) -> Iterator[tuple[U64, U64]]:
    """Pairs of items with equal keys; in a crowd, see :func:`find_similar`, those whose ``others`` are equal too."""
    heads, items = _sorted(keys, np.arange(len(keys), dtype=np.uint64))
    starts = np.flatnonzero(np.concatenate([[True], heads[1:] != heads[:-1], [True]]))
    sizes = np.diff(starts)
    small = np.repeat((sizes > 1) & (sizes <= _CROWD), sizes)
    yield from _neighbours(heads[small], items[small])
    for group in np.flatnonzero(sizes > _CROWD):
        members = items[starts[group] : starts[group + 1]]
        for start in range(0, len(members), _COLUMNS):
            rows, columns = np.nonzero(
                np.arange(_CROWD)[:, None] < np.arange(start, min(start + _COLUMNS, len(members)))
            )
            yield members[rows], members[columns + start]
        finer, rest = _sorted(others[members[_CROWD:]], members[_CROWD:])
        yield from _neighbours(finer, rest)


def _sorted(keys: U64, items: U64) -> tuple[U64, U64]:
    """``items`` by key, then number, and the keys' upper bits; items are ascending.

    Key and place share one word, so that a plain sort does. Keys that are equal in their upper bits only make a false
    candidate, no more.
    """
    bits = np.uint64(max(len(keys) - 1, 1).bit_length())
    order = np.sort(keys >> bits << bits | np.arange(len(keys), dtype=np.uint64))
    return order >> bits, items[order & ((np.uint64(1) << bits) - np.uint64(1))]


def _neighbours(heads: U64, items: U64) -> Iterator[tuple[U64, U64]]:
    """All pairs within runs of equal ``heads``, but no more than 64 places apart."""
    places = np.flatnonzero(heads[1:] == heads[:-1])
    for distance in range(1, _CROWD + 1):
        if not len(places):
            return
        yield items[places], items[places + distance]
        places = places[places + distance + 1 < len(heads)]
        places = places[heads[places] == heads[places + distance + 1]]
