"""Tasks that give away an evaluation set: copies of its rows, also edited ones, do not become training data.

The context counts. 多少钱？ in the data and in a test set is no leak; it is one after the same turn. Two things of a task
are therefore compared with two things of a test row:

- its self-contained texts (the reference, the query) with the row's rewrite, or its query where it has no history;
- its query together with the turn before it with the row's query together with the turn before that.

They match when they differ in at most ``most_edits`` edits per character, in canonical spelling. A task whose queries
and turns are short needs an exact match: three edits in ten characters make another question.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pairwright.core.records import Conversation, Dropped, Failed, Language, RewriteTask, Turn
from pairwright.pipelines.canonical import canonical
from pairwright.pipelines.copies import copies
from pairwright.pipelines.edits import edit_distances
from pairwright.pipelines.waiting import put, waiting_tasks

STAGE = "decontaminate"
_NGRAM: Mapping[Language, int] = {"zh": 2, "en": 3}
_SHORT: Mapping[Language, int] = {"zh": 8, "en": 16}
_BREAK = "\x1e"


class Hit(NamedTuple):
    """A task (by its place in the input) that copies a row of an evaluation set."""

    task: int
    evaluation: str
    key: str
    matched: str
    distance: float


class _Text(NamedTuple):
    owner: int
    text: str
    alone: bool


def decontaminate(
    tasks: Iterable[RewriteTask], evaluations: Mapping[str, Iterable[Conversation | Failed]], most_edits: float = 0.2
) -> Iterator[RewriteTask | Dropped]:
    """Yield one outcome per task, in their order; ``contaminated`` names the set, the row and the edits per character.

    Raises:
        StorageError: the temporary folder is full.
    """
    with tempfile.TemporaryFile() as waiting:
        texts: dict[Language, list[_Text]] = {"zh": [], "en": []}
        for number, task in enumerate(tasks):
            put(waiting, task)
            complete = [task.query] if task.reference is None else [task.reference, task.query]
            texts[task.language] += _texts(number, complete, task.query, task.history)
        first: dict[int, Hit] = {}
        for name, rows in evaluations.items():
            for hit in _hits(texts, name, [row for row in rows if isinstance(row, Conversation)], most_edits):
                first.setdefault(hit.task, hit)
        for number, task in enumerate(waiting_tasks(waiting)):
            if (found := first.get(number)) is None:
                yield task
            else:
                detail = f"{found.evaluation} {found.key} ({found.matched}, {found.distance:.3f} edits per character)"
                yield Dropped(stage=STAGE, row=task.id, reason="contaminated", detail=detail)


def _hits(
    texts: Mapping[Language, Sequence[_Text]], name: str, rows: Sequence[Conversation], most_edits: float
) -> Iterator[Hit]:
    """What ``texts`` copy of ``rows``, the closest copies first."""
    found = []
    for language, mine in texts.items():
        theirs: list[_Text] = []
        for number, row in enumerate(rows):
            if row.language == language:
                *history, last = row.turns
                complete = [row.reference] if row.reference is not None else [] if history else [last.content]
                theirs += _texts(number, complete, last.content, history)
        for alone in (True, False):
            for left, right, distance in _close(mine, theirs, alone, language, most_edits):
                matched = "text" if alone else "query in context"
                found.append(Hit(left.owner, name, rows[right.owner].origin.key, matched, distance))
    yield from sorted(found, key=lambda hit: (hit.task, hit.distance, hit.key))


def _close(
    mine: Sequence[_Text], theirs: Sequence[_Text], alone: bool, language: Language, most_edits: float
) -> Iterator[tuple[_Text, _Text, float]]:
    left = [text for text in mine if text.alone == alone]
    right = [text for text in theirs if text.alone == alone]
    pairs = copies([text.text for text in left], [text.text for text in right], _NGRAM[language], most_edits)
    places = list(zip(pairs.text.tolist(), pairs.original.tolist(), pairs.distance.tolist(), strict=True))
    # A long turn before it must not outweigh the query: that has to match by itself as well.
    heads = [[item.text.split(_BREAK)[0] for item in side] for side in (left, right)]
    queries = [heads[0][one] for one, _, _ in places], [heads[1][other] for _, other, _ in places]
    for (one, other, distance), edits in zip(places, edit_distances(*queries).tolist(), strict=True):
        longer = max(len(heads[0][one]), len(heads[1][other]))
        if edits == 0 or (longer >= _SHORT[language] and edits <= most_edits * longer):
            yield left[one], right[other], distance


def _texts(owner: int, complete: Sequence[str], query: str, history: Sequence[Turn]) -> list[_Text]:
    found = [_Text(owner, canonical(text), True) for text in complete]
    if history:
        found.append(_Text(owner, f"{canonical(query)}{_BREAK}{canonical(history[-1].content)}", False))
    return found
