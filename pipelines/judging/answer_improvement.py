"""Improvement: the best answer to each query is checked once more, and replaced where a better one was written.

    originals → improve (asks) → improvements → compare (counts what became of the texts written) → keep → chosen rows

An improved text must pass the rule judges before it is compared, and the paid ones after it has won. Whatever happens to
it, nothing is decided by length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import ask_preference, ask_review
from pairwright.core.components import Improver, Judge
from pairwright.core.errors import RequestFailed
from pairwright.core.improvement import Improvement, Review
from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import Candidate, Comparison, JudgedCandidate, Rejected, SftRow, Verdict
from pairwright.core.requests import Ask
from pairwright.pipelines.judging.candidate_judging import collect_verdicts, ordered_map
from pairwright.pipelines.judging.endpoint_access import EndpointAccess

IMPROVED, OUTDONE = "improved", "outdone"
STAGE: Final = "improve"


class Replaced(NamedTuple):
    """The answer to the query ``task`` that an improver looked at: the id of its candidate, and how to reject it.

    ``rejected`` is None where no improved text replaced it.
    """

    task: str
    original: str
    rejected: Rejected | None


def add_refused(accepted: Iterable[JudgedCandidate], judged: Iterable[JudgedCandidate]) -> Iterator[JudgedCandidate]:
    """The accepted answers, and of each query without one the best refused one: an improver may make something of it.

    ``judged`` has the accepted ones and all others, in the same order. Weak models' answers stay out.
    """
    groups = groupby(accepted, key=lambda row: row.task.id)
    key, group = next(groups, ("", iter(())))
    for of, rows in groupby(judged, key=lambda row: row.task.id):
        if of == key:
            yield from group
            key, group = next(groups, ("", iter(())))
        elif refused := [row for row in rows if row.candidate.origin != "weak"]:
            yield max(refused, key=lambda row: (row.candidate.origin == "reference", row.score or 0.0))


def improve_answers(
    originals: Iterable[SftRow], improver: Improver, judges: Sequence[Judge], access: EndpointAccess
) -> Iterator[Improvement | Failed]:
    """One outcome per original, in order."""
    ask = access.usage.count_answers(STAGE, improver.name, access.ask)
    asks = [(judge, access.usage.count_answers(STAGE, judge.name, access.ask)) for judge in judges]

    async def one(row: SftRow) -> Improvement | Failed:
        access.usage.expect(STAGE)
        try:
            review = await ask_review(improver, row.task, row.chosen, ask)
            return await _compared(row, review, improver, ask, asks)
        except RequestFailed as exc:
            return Failed(stage=STAGE, row=row.task.id, error=exc.kind, message=str(exc))

    return ordered_map(one, originals, access.width, access.runner)


async def _compared(
    row: SftRow, review: Review, improver: Improver, ask: Ask, asks: Sequence[tuple[Judge, Ask]]
) -> Improvement:
    """What becomes of the improved text: the cheap questions come before the dear ones."""
    found = Improvement(original=row, improver=improver.name, review=review)
    task, better = row.task, review.improved
    if better is None:
        return found
    if normalise(better.text) == normalise(row.chosen.text):
        return found.model_copy(update={"outcome": "same_text"})
    ruled = await collect_verdicts(task, better, [one for one in asks if not one[0].paid])
    if refusal := _refusal(ruled):
        return found.model_copy(update={"verdicts": ruled, "outcome": refusal})
    comparison = await ask_preference(improver, task, better, row.chosen, ask)
    found = found.model_copy(update={"verdicts": ruled, "comparison": comparison})
    if comparison.winner != "first":
        return found.model_copy(update={"outcome": _lost(comparison)})
    graded = ruled + await collect_verdicts(task, better, [one for one in asks if one[0].paid])
    return found.model_copy(update={"verdicts": graded, "outcome": _refusal(graded) or IMPROVED})


def _refusal(verdicts: Sequence[Verdict]) -> str:
    refusal = next((verdict for verdict in verdicts if not verdict.passed), None)
    return f"refused:{refusal.defect or refusal.judge}" if refusal else ""


def _lost(comparison: Comparison) -> str:
    if comparison.winner == "second":
        return "not_better"
    return "flip" if comparison.flipped else "tie"


def list_written(rows: Iterable[Improvement]) -> Iterator[tuple[Candidate, str]]:
    """The improved texts and what became of each."""
    return ((row.review.improved, row.outcome) for row in rows if row.review.improved is not None)


def account_for_written(texts: Iterable[tuple[Candidate, str]]) -> Iterator[Candidate | Dropped]:
    """One outcome per improved text: itself where it took the original's place, else why it did not."""
    for text, outcome in texts:
        lost = Dropped(stage="compare", row=text.id, reason=outcome, detail=text.text)
        yield text if outcome == IMPROVED else lost


def keep_answers(rows: Iterable[Improvement]) -> Iterator[SftRow | Dropped]:
    """One outcome per original: the answer to imitate, improved or as it was, or why the query is left out."""
    for row in rows:
        original, review = row.original, row.review
        if not review.kept:
            reason = review.route
        elif row.outcome == IMPROVED or (original.accepted and review.stands):
            yield _chosen(row)
            continue
        else:
            reason = "not_improved"
        yield Dropped(stage="keep", row=original.task.id, reason=reason, detail=original.chosen.text)


def _chosen(row: Improvement) -> SftRow:
    original, review = row.original, row.review
    reviewed = Verdict(
        judge=row.improver,
        passed=True,
        method=review.method,
        evidence=review.explanation,
        request_hashes=review.request_hashes,
    )
    better = review.improved if row.outcome == IMPROVED else None
    compared = () if better is None or row.comparison is None else (_verdict(row.comparison),)
    return SftRow.create(
        task=original.task,
        chosen=better or original.chosen,
        verdicts=(*(row.verdicts if better else original.verdicts), reviewed, *compared),
        route=review.route,
    )


def _verdict(comparison: Comparison) -> Verdict:
    return Verdict(
        judge=comparison.judge,
        passed=True,
        method="verdict",
        evidence=" / ".join(comparison.explanations),
        request_hashes=comparison.request_hashes,
    )


def list_replaced(rows: Iterable[Improvement]) -> Iterator[Replaced]:
    """Every original, with what to reject where an improved text replaced it."""
    for row in rows:
        original = row.original.chosen
        replaced = row.outcome == IMPROVED and bool(original.text.strip())
        yield Replaced(row.original.task.id, original.id, _rejected(row) if replaced else None)


def _rejected(row: Improvement) -> Rejected:
    """The original as a rejected text: under the defect that a judge named, if one did."""
    original, review = row.original, row.review
    refusal = next((verdict for verdict in original.verdicts if not verdict.passed), None)
    compared = row.comparison.explanations if row.comparison and review.stands else ()
    return Rejected(
        text=original.chosen.text,
        analysis=original.chosen.analysis,
        defect=(refusal.defect or refusal.judge) if refusal else OUTDONE,
        rejected_by=IMPROVED,
        parameters={
            "improver": row.improver,
            "route": review.route,
            **{factor: round(score, 3) for factor, score in review.scores.items()},
            "requests": " ".join((*review.request_hashes, *(row.comparison.request_hashes if row.comparison else ()))),
        },
        evidence=refusal.evidence if refusal else " / ".join(compared) or review.explanation,
        generation=original.chosen.generation,
    )
