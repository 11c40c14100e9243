"""One task per request: exact duplicates go, near duplicates go, and no template floods the data.

What is compared is the query together with its window of history: 多少钱？ after two different dialogues is two tasks.
Near duplicates are compared without courtesy and particles (:func:`~pairwright.pipelines.same_request.essence`). They
must be similar in the query and in the last turns before it, and must ask the same: rows that differ in an entity or a
number are different questions, of which only so many per template are kept.

Which row of several is kept depends on the rows alone, not on their order: one with a human rewrite before one
without, then the earliest in its source. Tasks wait in a temporary file while they are compared; in memory are their
digests, and for near duplicates their texts.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.core.config import DedupConfig
from pairwright.core.records import Dropped, RewriteTask
from pairwright.pipelines.canonical import canonical
from pairwright.pipelines.near import Pairs, similar
from pairwright.pipelines.overlap import jaccard
from pairwright.pipelines.same_request import Words, essence, outline, variants, words
from pairwright.pipelines.unions import Unions
from pairwright.pipelines.waiting import put, waiting_lines

if TYPE_CHECKING:
    from pairwright.pipelines.overlap import Mask

STAGE = "dedup"
_RECENT_TURNS = 2
_BREAK = "\x1e"


class Verdict(NamedTuple):
    """Why a row goes: because of which other row, and how similar the two are."""

    reason: str
    because: int
    jaccard: float


class _Rank(NamedTuple):
    """Of several rows the one with the lowest rank is kept."""

    without_reference: bool
    source: str
    file: str
    line: int
    id: str


@dataclass
class _Notes:
    """What is remembered of every task while the tasks themselves wait on disk."""

    ranks: list[_Rank] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def deduplicate(tasks: Iterable[RewriteTask], config: DedupConfig) -> Iterator[RewriteTask | Dropped]:
    """Yield one outcome per task, in their order: ``exact_duplicate``, ``near_duplicate``, ``template``, or the task.

    The detail of a dropped row names the row that stays in its place and the Jaccard similarity of the two.

    Raises:
        StorageError: the temporary folder is full.
    """
    with tempfile.TemporaryFile() as waiting:
        notes = _noted(tasks, waiting, config.near)
        verdicts = _exact(notes)
        if config.near:
            verdicts = _with_near(verdicts, notes, config)
        for row, line in enumerate(waiting_lines(waiting)):
            if (verdict := verdicts.get(row)) is None:
                yield RewriteTask.model_validate_json(line)
            else:
                kept = notes.ranks[verdict.because].id
                detail = f"of {kept}, Jaccard {verdict.jaccard:.3f}"
                yield Dropped(stage=STAGE, row=notes.ranks[row].id, reason=verdict.reason, detail=detail)


def _with_near(exact: dict[int, Verdict], notes: _Notes, config: DedupConfig) -> dict[int, Verdict]:
    """``exact`` and the verdicts on what it leaves; a row that goes because of one that goes too gets its reason."""
    order = sorted((row for row in range(len(notes.ranks)) if row not in exact), key=notes.ranks.__getitem__)
    found = near_verdicts([notes.texts[row] for row in order], config)
    near = {order[row]: verdict._replace(because=order[verdict.because]) for row, verdict in found.items()}
    heirs = {
        row: verdict._replace(because=near[verdict.because].because, jaccard=near[verdict.because].jaccard)
        for row, verdict in exact.items()
        if verdict.because in near
    }
    return exact | near | heirs


def dialogue_links(tasks: Iterable[RewriteTask], config: DedupConfig) -> list[tuple[str, str]]:
    """Pairs of dialogues that share a duplicate, exact or near: what :func:`~pairwright.pipelines.split.assign` and its
    ``verify`` take as links. None are left where near duplicates were removed."""
    dialogues, texts = [], []
    for task in tasks:
        dialogues.append(task.dialogue)
        texts.append(asked_text(task))
    verdicts = near_verdicts(texts, config)
    found = (
        (dialogues[row], dialogues[verdict.because])
        for row, verdict in verdicts.items()
        if verdict.reason != "template"
    )
    return sorted({(one, other) for one, other in found if one != other})


def compared_text(task: RewriteTask) -> str:
    """What exact duplicates share: the query and its window in one spelling, the query first, then newest first."""
    return _BREAK.join([canonical(task.query), *(canonical(turn.content) for turn in reversed(task.history))])


def asked_text(task: RewriteTask) -> str:
    """What near duplicates share, or nearly so: the same without courtesy, particles and articles."""
    return _BREAK.join([essence(task.query), *(essence(turn.content) for turn in reversed(task.history))])


def near_verdicts(texts: Sequence[str], config: DedupConfig) -> dict[int, Verdict]:
    """What goes of ``texts`` (see :func:`asked_text`), the best first, and because of which other one."""
    firsts: dict[str, int] = {}
    verdicts = {}
    for row, text in enumerate(texts):
        if (first := firsts.setdefault(text, row)) != row:
            verdicts[row] = Verdict("near_duplicate", first, 1.0)
    rows = list(firsts.values())
    for row, verdict in _among_distinct(list(firsts), config).items():
        verdicts[rows[row]] = verdict._replace(because=rows[verdict.because])
    return verdicts


def _among_distinct(texts: Sequence[str], config: DedupConfig) -> dict[int, Verdict]:
    split = [text.split(_BREAK) for text in texts]
    parts = [[turns[0] for turns in split], [_BREAK.join(turns[1 : 1 + _RECENT_TURNS]) for turns in split]]
    pairs = similar(parts, config.ngram, config.threshold, config.permutations)
    same = _variants(texts, pairs)
    unions = Unions(len(texts))
    for left, right in zip(pairs.left[same].tolist(), pairs.right[same].tolist(), strict=True):
        unions.join(left, right)
    roots = np.array([unions.root(row) for row in range(len(texts))], np.int64)
    verdicts = {
        row: Verdict("near_duplicate", int(roots[row]), _similarity(parts, row, int(roots[row]), config.ngram))
        for row in np.flatnonzero(roots != np.arange(len(texts))).tolist()
    }
    swaps = Pairs(pairs.left[~same], pairs.right[~same], pairs.jaccard[~same])
    return verdicts | _over_template(swaps, roots == np.arange(len(texts)), config.per_template)


def _variants(texts: Sequence[str], pairs: Pairs) -> Mask:
    """For each pair, whether its texts ask the same; millions of pairs are settled by numbers alone."""
    used = np.unique(np.concatenate([pairs.left, pairs.right])).tolist()
    found = {row: words(texts[row]) for row in used}
    numbers: dict[Words, int] = {}
    outlines = np.zeros(len(texts), np.int64)
    for row in used:
        outlines[row] = numbers.setdefault(outline(found[row]), len(numbers))
    same: Mask = outlines[pairs.left] == outlines[pairs.right]
    for place in np.flatnonzero(same).tolist():
        same[place] = variants(found[int(pairs.left[place])], found[int(pairs.right[place])])
    return same


def _over_template(swaps: Pairs, stays: Mask, cap: int) -> dict[int, Verdict]:
    """Rows beyond the first ``cap`` of their template.

    A template is led by the best row of it; a row belongs to the first leader that it is similar to, and leads a
    template of its own where there is none. Chains of swaps, 北京天气 → 上海天气 → 上海地铁, thus stay apart.
    """
    members: Counter[int] = Counter()
    leads = stays.copy()
    verdicts = {}
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
                verdicts[row] = Verdict("template", leader, float(similarities[first + leaders[0]]))
    return verdicts


def _noted(tasks: Iterable[RewriteTask], waiting: IO[bytes], with_texts: bool) -> _Notes:
    notes = _Notes()
    for task in tasks:
        put(waiting, task)
        origin = task.origin
        place = intern(origin.source), intern(origin.file), origin.line or 0
        notes.ranks.append(_Rank(task.reference is None, *place, task.id))
        notes.digests.append(hashlib.blake2b(compared_text(task).encode(), digest_size=16).digest())
        if with_texts:
            notes.texts.append(asked_text(task))
    return notes


def _exact(notes: _Notes) -> dict[int, Verdict]:
    best: dict[bytes, int] = {}
    for row, digest in enumerate(notes.digests):
        other = best.setdefault(digest, row)
        if notes.ranks[row] < notes.ranks[other]:
            best[digest] = row
    return {
        row: Verdict("exact_duplicate", best[digest], 1.0)
        for row, digest in enumerate(notes.digests)
        if best[digest] != row
    }


def _similarity(parts: Sequence[Sequence[str]], left: int, right: int, ngram: int) -> float:
    """Jaccard similarity of the least similar part of two rows, which may be joined by a third one only."""
    sides = np.array([left]), np.array([right])
    return min(float(jaccard(texts, ngram, *sides)[0]) for texts in parts)
