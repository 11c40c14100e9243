"""Tasks that give away an evaluation set: copies of its rows, also edited ones, do not become training data.

The context counts. 多少钱？ in the data and in a test set is no leak; it is one after the same turn. Three things of a
task are therefore compared with those of a test row:

- its self-contained texts (the rewrite, the query) with the row's rewrite, or its query where it has no history; of
  what is to be answered, only a query that opens a dialogue is self-contained;
- its query together with the turn before it with the row's query together with the turn before that;
- what is learnt from it (the reference, the query), for a passage of thirteen words, with everything in the row.

The first two match when they differ in at most ``most_edits`` edits per character, in canonical spelling. A task whose
queries and turns are short needs an exact match: three edits in ten characters make another question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.sections import DecontaminationConfig
from pairwright.core.files.storage import temporary_file
from pairwright.core.language.canonical_form import canonical
from pairwright.core.records import Conversation, Language, Task, TaskKind, Turn
from pairwright.core.result import HeldOutSet
from pairwright.pipelines.dedup.near_copies import find_near_copies
from pairwright.pipelines.dedup.shared_passages import find_shared_passages
from pairwright.pipelines.dedup.spool import spooled_tasks, write_task
from pairwright.pipelines.similarity.edit_distance import edit_distances

STAGE = "decontaminate"
_NGRAM: Mapping[Language, int] = {"zh": 2, "en": 3}  # characters
_SHORT: Mapping[Language, int] = {"zh": 8, "en": 16}  # characters; a query that is shorter must match exactly
_BREAK = "\x1e"  # a separator that no text holds: reading takes control characters out
_QUOTE = 80  # characters of a passage that the reason shows


class Hit(NamedTuple):
    """A task (by its place in the input) that copies a row of an evaluation set, how, and a figure that says how closely."""

    task: int
    evaluation: str
    key: str
    matched: str
    distance: float
    detail: str


class _Text(NamedTuple):
    owner: int
    text: str
    alone: bool


def decontaminate(
    tasks: Iterable[Task],
    evaluations: Mapping[str, Iterable[Conversation | Failed]],
    config: DecontaminationConfig,
    tell: Callable[[Sequence[HeldOutSet]], None],
) -> Iterator[Task | Dropped]:
    """Yield one outcome per task, in their order; ``contaminated`` names the set, the row and how they match.

    With ``action: flag`` a copy stays, and its ``flags`` say the same. ``tell`` gets what was found in each set.

    Raises:
        StorageError: the temporary folder is full.
    """
    with temporary_file() as spool:
        texts: dict[Language, list[_Text]] = {"zh": [], "en": []}
        learnt: list[_Text] = []
        for number, task in enumerate(tasks):
            write_task(spool, task)
            texts[task.language] += _texts(number, _COMPLETE[task.kind](task), task.query, task.history)
            learnt += [_Text(number, canonical(text), True) for text in _taught(task)]
        first: dict[int, Hit] = {}
        found = []
        for name, rows in evaluations.items():
            own = [row for row in rows if isinstance(row, Conversation)]
            hits = [*_hits(texts, name, own, config.most_edits), *_passage_hits(learnt, name, own, config.passage)]
            # The nearest hit of a task comes first, and is the one that its reason tells of.
            hits.sort(key=lambda hit: (hit.task, hit.distance, hit.key, hit.matched))
            found.append(_held_out(name, len(own), hits))
            for hit in hits:
                first.setdefault(hit.task, hit)
        tell(found)
        for number, task in enumerate(spooled_tasks(spool)):
            yield _leak(task, first[number], config) if number in first else task


def _taught(task: Task) -> list[str]:
    """What is learnt from a task."""
    return [task.query] if task.reference is None else [task.reference, task.query]


def _opening(task: Task) -> list[str]:
    return [] if task.history else [task.query]


_COMPLETE: Mapping[TaskKind, Callable[[Task], Sequence[str]]] = {"rewrite": _taught, "answer": _opening}
"""The texts of a task that need no dialogue to be understood."""


def _leak(task: Task, hit: Hit, config: DecontaminationConfig) -> Task | Dropped:
    detail = f"{hit.evaluation} {hit.key} ({hit.matched}, {hit.detail})"
    if config.action == "flag":
        return task.model_copy(update={"flags": (*task.flags, f"contaminated: {detail}")})
    return Dropped(stage=STAGE, row=task.id, reason="contaminated", detail=detail)


def _held_out(name: str, rows: int, hits: Sequence[Hit]) -> HeldOutSet:
    matched = Counter(match for _, match in {(hit.task, hit.matched) for hit in hits})
    return HeldOutSet(
        name=name, rows=rows, queries=len({hit.task for hit in hits}), matched=dict(sorted(matched.items()))
    )


def _passage_hits(
    learnt: Sequence[_Text], name: str, rows: Sequence[Conversation], tokens: int | None
) -> Iterator[Hit]:
    """Where a task would teach a passage of a test row, whoever says it there."""
    if tokens is None:
        return
    said = [(row, canonical(turn.content)) for row in rows for turn in row.turns]
    said += [(row, canonical(row.reference)) for row in rows if row.reference is not None]
    for found in find_shared_passages([text.text for text in learnt], [text for _, text in said], tokens):
        key = said[found.original][0].origin.key
        # A distance of 1 puts a passage behind every match of whole texts.
        yield Hit(
            learnt[found.text].owner,
            name,
            key,
            "passage",
            1.0,
            f"{found.tokens} tokens in a row: {found.quote[:_QUOTE]}",
        )


def _hits(
    texts: Mapping[Language, Sequence[_Text]], name: str, rows: Sequence[Conversation], most_edits: float
) -> Iterator[Hit]:
    """What ``texts`` copy of ``rows``."""
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
                detail = f"{distance:.3f} edits per character"
                yield Hit(left.owner, name, rows[right.owner].origin.key, matched, distance, detail)


def _close(
    mine: Sequence[_Text], theirs: Sequence[_Text], alone: bool, language: Language, most_edits: float
) -> Iterator[tuple[_Text, _Text, float]]:
    left = [text for text in mine if text.alone == alone]
    right = [text for text in theirs if text.alone == alone]
    pairs = find_near_copies([text.text for text in left], [text.text for text in right], _NGRAM[language], most_edits)
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
