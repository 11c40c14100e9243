"""The choice among several accepted candidates of one query by comparing them, instead of by their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Comparer
from pairwright.core.config.build_file import PairingConfig
from pairwright.core.errors import RequestFailed
from pairwright.core.files.storage import open_log
from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import Compared, JudgedCandidate, SftRow, Task
from pairwright.core.requests import Ask
from pairwright.judges.tournament import Bout, find_best, rank_all
from pairwright.pipelines.judging.candidate_judging import ordered_map
from pairwright.pipelines.judging.endpoint_access import EndpointAccess
from pairwright.pipelines.pairing.candidate_ranking import rank_candidates
from pairwright.pipelines.pairing.preference_pairs import Contenders


class _Choice(NamedTuple):
    """The outcome of one query, with the comparisons that led to it."""

    outcome: SftRow | Dropped | Failed
    compared: Sequence[Compared] = ()


def choose_best_of_n(
    contenders: Iterable[Contenders],
    pairing: PairingConfig,
    comparer: Comparer,
    access: EndpointAccess,
    log: Path,
) -> Iterator[SftRow | Dropped | Failed]:
    """The best accepted answer of every task: the source's own rewrite, else the one that wins the comparisons.

    Candidates that say the same are one. Before the first comparison they stand in the order of their scores, and a tie
    leaves the one ahead that stood there.
    """
    ask = access.usage.count_answers("choose", comparer.name, access.ask)

    async def one(field: Contenders) -> _Choice:
        return await _chosen(*field, comparer, pairing, ask)

    with open_log(log) as write:
        for choice in ordered_map(one, map(favourites_first, contenders), access.width, access.runner):
            for row in choice.compared:
                write(row)
                access.usage.expect("choose")
            yield choice.outcome


def favourites_first(contenders: Contenders) -> Contenders:
    """The candidates in the order of their scores; one of each text."""
    task, rows = contenders
    different: dict[str, JudgedCandidate] = {}
    for row in rank_candidates(rows):
        # A text that comes twice stands where its better copy does: a human rewrite that a model repeats stays in front.
        different.setdefault(normalise(row.candidate.text), row)
    return task, list(different.values())


async def _chosen(
    task: Task, rows: Sequence[JudgedCandidate], comparer: Comparer, pairing: PairingConfig, ask: Ask
) -> _Choice:
    if not rows:
        return _Choice(Dropped(stage="choose", row=task.id, reason="no_accepted_candidate", detail=task.query))
    if rows[0].candidate.origin == "reference":
        return _Choice(_row(rows[0]))
    texts = [row.candidate.text for row in rows]
    bouts: Sequence[Bout]
    try:
        if pairing.choose == "all_pairs":
            order, bouts = await rank_all(comparer, task, texts, ask)
            winner = order[0]
        else:
            winner, bouts = await find_best(comparer, task, texts, ask)
    except RequestFailed as exc:
        return _Choice(Failed(stage="choose", row=task.id, error=exc.kind, message=str(exc)))
    compared = [
        Compared(
            stage="choose", task=task.id, first=texts[bout.first], second=texts[bout.second], comparison=bout.verdict
        )
        for bout in bouts
    ]
    return _Choice(_row(rows[winner]), compared)


def _row(row: JudgedCandidate) -> SftRow:
    return SftRow.create(task=row.task, chosen=row.candidate, verdicts=row.verdicts)
