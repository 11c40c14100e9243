"""From judged candidates to the answers to imitate, the worse variants beside them, and the pairs of the two."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from pairwright.core.components import Component, Perturber
from pairwright.core.config import PairingConfig
from pairwright.core.language import normalise
from pairwright.core.records import (
    Dropped,
    JudgedCandidate,
    PreferencePair,
    Rejected,
    RewriteTask,
    SftRow,
    row_rng,
)

Attempt = tuple[SftRow, JudgedCandidate | Component]
Proposal = tuple[SftRow, Rejected]


def chosen_of(tasks: Iterable[RewriteTask], accepted: Iterable[JudgedCandidate]) -> Iterator[SftRow | Dropped]:
    """The best accepted answer of every task: the source's own rewrite, else the highest score, else the first."""
    groups = groupby(accepted, key=lambda row: row.task.id)
    key, group = next(groups, ("", iter(())))
    for task in tasks:
        if key != task.id:
            yield Dropped(stage="choose", row=task.id, reason="no_accepted_candidate", detail=task.query)
            continue
        best = min(group, key=lambda row: (row.candidate.origin != "reference", -row.score))
        yield SftRow.create(task=best.task, chosen=best.candidate, verdicts=best.verdicts)
        key, group = next(groups, ("", iter(())))


def attempts(
    rows: Iterable[SftRow], judged: Iterable[JudgedCandidate], perturbers: Sequence[Component]
) -> Iterator[Attempt]:
    """Everything that may become a rejected text: the refused samples of each chosen row, then each perturber."""
    groups = groupby(judged, key=lambda row: row.task.id)
    for row in rows:
        # ``judged`` has the same tasks in the same order, and some more that have no chosen answer.
        for key, group in groups:
            if key == row.task.id:
                for sample in group:
                    if not sample.accepted and sample.candidate.origin != "reference":
                        yield row, sample
                break
        for perturber in perturbers:
            yield row, perturber


def rejected(tries: Iterable[Attempt], seed: int) -> Iterator[Proposal | Dropped]:
    """One outcome per attempt: a worse answer with its proven defect, or the reason why there is none."""
    for row, attempt in tries:
        if isinstance(attempt, JudgedCandidate):
            yield _from_sample(row, attempt)
        else:
            assert isinstance(attempt, Perturber)
            yield _from_perturber(row, attempt, seed)


def _from_sample(row: SftRow, sample: JudgedCandidate) -> Proposal | Dropped:
    """A refused sample, if a rule can point at its defect; a low score alone proves nothing."""
    text = sample.candidate.rewrite
    found = next((verdict for verdict in sample.verdicts if not verdict.passed and verdict.method == "rule"), None)
    if found is None:
        return Dropped(stage="reject", row=sample.candidate.id, reason="sample_defect_not_proven", detail=text)
    if not text.strip() or normalise(text) == normalise(row.chosen.rewrite):
        return Dropped(stage="reject", row=sample.candidate.id, reason="sample_equals_chosen", detail=text)
    made = Rejected(
        text=text,
        analysis=sample.candidate.analysis,
        defect=found.defect or found.judge,
        maker="sampled",
        template="sampled",
        evidence=found.evidence,
        generation=sample.candidate.generation,
    )
    return row, made


def _from_perturber(row: SftRow, perturber: Perturber, seed: int) -> Proposal | Dropped:
    rng = row_rng(seed, f"perturb.{perturber.name}", row.task.id)
    reason = None
    for outcome in perturber.perturb(row.task, row.chosen, rng):
        if isinstance(outcome, Rejected):
            return row, outcome
        reason = reason or outcome
    assert reason is not None, f"perturber {perturber.name} gave no outcome for {row.task.id}"
    return Dropped(stage="reject", row=row.task.id, reason=f"{perturber.name}:{reason.reason}", detail=reason.detail)


def proposed(proposals: Iterable[Proposal], config: PairingConfig, seed: int) -> Iterator[PreferencePair | Dropped]:
    """Up to ``max_per_task`` pairs of each task, each with another defect and another text."""
    for _, group in groupby(proposals, key=lambda proposal: proposal[0].id):
        members = list(group)
        rng = row_rng(seed, "pair", members[0][0].id)
        # A random order within each task keeps the first perturber of the build file from crowding out the others;
        # real samples stay in front: they are what the student would say.
        order = sorted(range(len(members)), key=lambda at: (members[at][1].maker != "sampled", rng.random()))
        verdicts = dict(zip(order, _select([members[at] for at in order], config.max_per_task), strict=True))
        for at in range(len(members)):
            yield verdicts[at]


def _select(members: Sequence[Proposal], most: int) -> Iterator[PreferencePair | Dropped]:
    defects: set[str] = set()
    texts: set[str] = set()
    for row, worse in members:
        text = normalise(worse.text)
        if worse.defect in defects:
            reason = "defect_already_paired"
        elif text in texts:
            reason = "same_rejected_text"
        elif len(defects) >= most:
            reason = "max_per_task"
        else:
            defects.add(worse.defect)
            texts.add(text)
            yield PreferencePair.create(task=row.task, chosen=row.chosen, verdicts=row.verdicts, rejected=worse)
            continue
        yield Dropped(stage="pair", row=row.task.id, reason=reason, detail=f"{worse.defect}: {worse.text}")


def caps(counts: Mapping[str, int], share: float) -> dict[str, int]:
    """How many pairs of each defect may stay so that none exceeds ``share`` of all that stay.

    With fewer than ``1 / share`` defects that is impossible; then all defects are cut to equal parts.
    """
    share = max(share, 1 / len(counts)) if counts else 1.0

    def exceeds(cap: int) -> bool:
        stay = [min(number, cap) for number in counts.values()]
        return max(stay) > share * sum(stay) + 1e-9

    most = max(counts.values(), default=0)
    # The largest defect's share only grows with the cap, so the first cap that is too high can be bisected.
    cap = bisect_left(range(1, most + 1), True, key=exceeds)
    return {defect: min(number, cap) for defect, number in counts.items()}


def balanced(pairs: Iterable[PreferencePair], keep: set[str]) -> Iterator[PreferencePair | Dropped]:
    """Drop the pairs that :func:`within_caps` did not pick."""
    for pair in pairs:
        if pair.id in keep:
            yield pair
        else:
            yield Dropped(stage="balance", row=pair.id, reason="max_defect_share", detail=pair.rejected.defect)


def within_caps(defects: Iterable[tuple[str, str]], share: float, seed: int) -> set[str]:
    """The ids to keep of ``(pair id, defect)``: of each defect the ones that a seeded draw ranks first."""
    ranked: dict[str, list[tuple[float, str]]] = {}
    for pair, defect in defects:
        ranked.setdefault(defect, []).append((row_rng(seed, "balance", pair).random(), pair))
    allowed = caps(Counter({defect: len(members) for defect, members in ranked.items()}), share)
    return {pair for defect, members in ranked.items() for _, pair in sorted(members)[: allowed[defect]]}
