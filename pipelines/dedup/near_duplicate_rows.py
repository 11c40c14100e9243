"""Near duplicates among rows, the best row first: which are dropped, and which row stays in the place of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from pairwright.core.config.sections import DedupConfig
from pairwright.pipelines.dedup.duplicate_verdicts import NEAR, TEMPLATE, DuplicateVerdicts
from pairwright.pipelines.dedup.same_request import are_variants, outline, words
from pairwright.pipelines.similarity.disjoint_set import DisjointSet
from pairwright.pipelines.similarity.disk_texts import DiskTexts, View
from pairwright.pipelines.similarity.near_duplicates import Pairs, find_similar, firsts_of
from pairwright.pipelines.similarity.overlap import jaccard

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.overlap import Mask
    from pairwright.pipelines.similarity.shingles import I64

BREAK = "\x1e"  # a separator that no text holds: reading takes control characters out
_RECENT_TURNS = 2  # before the query; they must be similar as well as the query
_CHUNK = 50_000  # texts read at once


def find_near_rows(texts: DiskTexts, order: I64, config: DedupConfig) -> DuplicateVerdicts:
    """Verdicts on the rows of ``order``, the best first; their numbers are places in ``order``.

    A text is the query and its turns, newest first, with ``BREAK`` between them (see
    :func:`~pairwright.pipelines.dedup.request_text.asked_text`).
    """
    verdicts = DuplicateVerdicts(len(order))
    firsts = firsts_of(View(texts, order))
    distinct = np.flatnonzero(firsts == np.arange(len(order)))
    verdicts.enter(_among_distinct(texts, order[distinct], config), distinct)
    verdicts.copy_of(firsts, NEAR)
    return verdicts


def _among_distinct(texts: DiskTexts, rows: I64, config: DedupConfig) -> DuplicateVerdicts:
    parts = View(texts, rows, _query), View(texts, rows, _recent)
    pairs = find_similar(parts, config.ngram, config.threshold, config.permutations)
    same = _ask_the_same(View(texts, rows), pairs)
    groups = DisjointSet()
    for left, right in zip(pairs.left[same].tolist(), pairs.right[same].tolist(), strict=True):
        groups.join(left, right)
    found = DuplicateVerdicts(len(rows))
    merged = np.array(groups.merged(), np.int64)
    roots = np.array([groups.root(row) for row in merged.tolist()], np.int64)
    found.reasons[merged], found.because[merged] = NEAR, roots
    # The two may be joined by a third row only: what counts is the similarity of their least similar part.
    found.jaccard[merged] = np.minimum(*(jaccard(part, config.ngram, merged, roots) for part in parts))
    _cap_templates(found, Pairs(pairs.left[~same], pairs.right[~same], pairs.jaccard[~same]), config.per_template)
    return found


def _query(text: str) -> str:
    return text.split(BREAK, 1)[0]


def _recent(text: str) -> str:
    return BREAK.join(text.split(BREAK, 1 + _RECENT_TURNS)[1 : 1 + _RECENT_TURNS])


def _ask_the_same(texts: View, pairs: Pairs) -> Mask:
    """For each pair, whether its texts ask the same; millions of pairs are settled by the hashes of their outlines."""
    used = np.unique(np.concatenate([pairs.left, pairs.right]))
    outlines = np.zeros(len(texts), np.int64)
    for start in range(0, len(used), _CHUNK):
        rows = used[start : start + _CHUNK]
        # hash() has another salt in every process; these are compared in this one only.
        outlines[rows] = [hash(outline(words(text))) for text in texts.many(rows)]
    same: Mask = outlines[pairs.left] == outlines[pairs.right]
    for place in np.flatnonzero(same).tolist():
        same[place] = are_variants(words(texts[int(pairs.left[place])]), words(texts[int(pairs.right[place])]))
    return same


def _cap_templates(found: DuplicateVerdicts, swaps: Pairs, cap: int) -> None:
    """Drop rows beyond the first ``cap`` of their template.

    A template is led by the best row of it; a row belongs to the first leader that it is similar to, and leads a
    template of its own where there is none. Chains of swaps, 北京天气 → 上海天气 → 上海地铁, thus stay apart.
    """
    members: Counter[int] = Counter()
    stays = ~found.goes
    leads = stays.copy()
    order = np.lexsort((swaps.left, swaps.right))
    left, right, similarities = swaps.left[order], swaps.right[order], swaps.jaccard[order]
    for row in np.unique(right[stays[right]]).tolist():
        first, last = np.searchsorted(right, (row, row + 1))
        leaders = np.flatnonzero(leads[left[first:last]])
        if len(leaders):
            leads[row] = False
            leader = int(left[first + leaders[0]])
            members[leader] += 1
            if members[leader] >= cap:
                found.reasons[row], found.because[row] = TEMPLATE, leader
                found.jaccard[row] = similarities[first + leaders[0]]
