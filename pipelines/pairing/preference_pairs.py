"""From judged candidates to the answers to imitate, the worse variants beside them, and the pairs of the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple, Protocol

from pairwright.core.bookkeeping import Dropped
from pairwright.core.component_calls import perturb, read_ahead
from pairwright.core.components import Perturber
from pairwright.core.config.build_file import PairingConfig
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import normalise
from pairwright.core.records import JudgedCandidate, PreferencePair, Rejected, SftRow, Task, Verdict
from pairwright.core.tool_calls import calls_of
from pairwright.pipelines.artefacts import Variants
from pairwright.pipelines.judging.answer_improvement import Replaced
from pairwright.pipelines.pairing.balance import BALANCE_REASONS, balance
from pairwright.pipelines.pairing.candidate_ranking import rank_candidates
from pairwright.pipelines.pairing.pair_features import PairFeatures, Proposal
from pairwright.pipelines.pairing.rejection_sampling import TargetQuality, nearest_to_target, sample_quality
from pairwright.pipelines.pairing.variant_choice import PICK_REASONS, PICKED, choose_variants

Attempt = tuple[SftRow, JudgedCandidate | Rejected | Perturber]


Contenders = tuple[Task, Sequence[JudgedCandidate]]


class Variant(NamedTuple):
    """A worse answer beside the chosen one."""

    row: SftRow
    rejected: Rejected


class RejectionSettings(Protocol):
    """What rejecting needs of a build file."""

    @property
    def seed(self) -> int: ...
    @property
    def pairing(self) -> PairingConfig: ...


class PairPlan(NamedTuple):
    """What becomes of every variant: a code of ``PICK_REASONS``; of each picked one, a code of ``BALANCE_REASONS``."""

    picks: bytes
    keeps: bytes


def list_contenders(tasks: Iterable[Task], accepted: Iterable[JudgedCandidate]) -> Iterator[Contenders]:
    """Each task with its accepted candidates; both in the same order."""
    groups = groupby(accepted, key=lambda row: row.task.id)
    key, group = next(groups, ("", iter(())))
    for task in tasks:
        if key != task.id:
            yield task, ()
            continue
        yield task, tuple(group)
        key, group = next(groups, ("", iter(())))


def choose_answers(contenders: Iterable[Contenders]) -> Iterator[SftRow | Dropped]:
    """The best accepted answer of every task: the source's own rewrite, else the highest score, else the first."""
    for task, rows in contenders:
        if rows:
            best = rank_candidates(rows)[0]
            yield SftRow.create(task=best.task, chosen=best.candidate, verdicts=best.verdicts)
        else:
            yield Dropped(stage="choose", row=task.id, reason="no_accepted_candidate", detail=task.query)


def list_attempts(
    rows: Iterable[SftRow],
    judged: Iterable[JudgedCandidate],
    perturbers: Sequence[Perturber],
    replaced: Iterable[Replaced] = (),
) -> Iterator[Attempt]:
    """Everything that may become a rejected text: what an improver replaced, refused samples, then each perturber.

    ``replaced`` has all of ``rows`` and some more, in the same order; it is empty without an improver.
    """
    groups = groupby(judged, key=lambda row: row.task.id)
    originals = iter(replaced)
    for row in _ahead(rows, perturbers):
        original = next((one for one in originals if one.task == row.task.id), None)
        replaced_by_improver = original.original if original and original.rejected else ""
        if original and original.rejected:
            yield row, original.rejected
        # ``judged`` has the same tasks in the same order, and some more that have no chosen answer.
        for key, group in groups:
            if key == row.task.id:
                for sample in group:
                    if (
                        not sample.accepted
                        and sample.candidate.origin != "reference"
                        and sample.candidate.id != replaced_by_improver
                    ):
                        yield row, sample
                break
        for perturber in perturbers:
            yield row, perturber


def _ahead(rows: Iterable[SftRow], perturbers: Sequence[Perturber]) -> Iterator[SftRow]:
    """The rows themselves; perturbers that read in batches have read them."""
    waiting = iter(rows)
    while chunk := list(islice(waiting, _BATCH)):
        read_ahead(perturbers, [row.task for row in chunk])
        yield from chunk


_BATCH = 64  # rows; what perturbers parse is parsed in batches of them


def make_rejected(
    tries: Iterable[Attempt], config: RejectionSettings, target: TargetQuality
) -> Iterator[Variant | Dropped]:
    """One outcome per attempt: a worse answer with its proven defect, or the reason why there is none.

    Of the samples of one query that are proven worse, only the one nearest to ``target`` stays (see ``rejection_sampling``).
    """
    for _, group in groupby(tries, key=lambda attempt: attempt[0].id):
        members = list(group)
        row = members[0][0]
        yield from _from_samples(
            row, [what for _, what in members if isinstance(what, JudgedCandidate)], config, target
        )
        for _, what in members:
            if isinstance(what, Rejected):
                yield Variant(row, what)
            elif not isinstance(what, JudgedCandidate):
                yield _from_perturber(row, what, config.seed)


def _from_samples(
    row: SftRow, samples: Sequence[JudgedCandidate], config: RejectionSettings, target: TargetQuality
) -> Iterator[Variant | Dropped]:
    outcomes = [_from_sample(row, sample, config.pairing.margin) for sample in samples]
    proven = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, Rejected)]
    best = proven[nearest_to_target(row, [samples[at] for at in proven], target)] if proven else None
    for at, (sample, outcome) in enumerate(zip(samples, outcomes, strict=True)):
        if isinstance(outcome, Dropped):
            yield outcome
        elif at != best:
            yield Dropped(
                stage="reject", row=sample.candidate.id, reason="sample_farther_from_aim", detail=outcome.text
            )
        else:
            measure, value = sample_quality(row, sample)
            found = {
                "quality": round(value, 3),
                "aim": round(target[measure, row.task.language], 3),
                "measure": measure,
            }
            yield Variant(row, outcome.model_copy(update={"parameters": found}))


def _from_sample(row: SftRow, sample: JudgedCandidate, margin: tuple[float, float] | None) -> Rejected | Dropped:
    """A refused sample, if a rule can point at its defect, or its score is as far below as ``margin`` asks."""
    text = sample.candidate.text
    found = _defect(row, sample, margin)
    if isinstance(found, str):
        return Dropped(stage="reject", row=sample.candidate.id, reason=found, detail=text)
    if not text.strip() or _alike(text, row.chosen.text):
        return Dropped(stage="reject", row=sample.candidate.id, reason="sample_equals_chosen", detail=text)
    return Rejected(
        text=text,
        analysis=sample.candidate.analysis,
        defect=found.defect or found.judge,
        rejected_by="sampled",
        template="sampled",
        evidence=found.evidence,
        generation=sample.candidate.generation,
    )


def _alike(text: str, chosen: str) -> bool:
    """Whether two answers say the same; every mark counts in a call, see ``pair_features``."""
    return text.strip() == chosen.strip() if calls_of(chosen) else normalise(text) == normalise(chosen)


def _defect(row: SftRow, sample: JudgedCandidate, margin: tuple[float, float] | None) -> Verdict | str:
    """The verdict that proves the sample worse, or the reason why it stays out."""
    refusals = [verdict for verdict in sample.verdicts if not verdict.passed]
    ruled = next((verdict for verdict in refusals if verdict.method == "rule"), None)
    if margin is None or row.score is None or sample.score is None:
        return ruled or "sample_defect_not_proven"
    return (ruled or refusals[0]) if margin[0] <= row.score - sample.score <= margin[1] else "outside_margin"


def _from_perturber(row: SftRow, perturber: Perturber, seed: int) -> Variant | Dropped:
    rng = row_rng(seed, f"perturb.{perturber.name}", row.task.id)
    reasons: list[Dropped] = []
    for outcome in perturb(perturber, row.task, row.chosen, rng):
        if isinstance(outcome, Rejected):
            return Variant(row, outcome)
        reasons.append(outcome)
    first = reasons[0]
    return Dropped(stage="reject", row=row.task.id, reason=f"{perturber.name}:{first.reason}", detail=first.detail)


def group_variants(variants: Iterable[Variant]) -> Iterator[Variants]:
    """One row per chosen answer, with all of its variants; those of one answer come one after the other."""
    for _, group in groupby(variants, key=lambda variant: variant.row.id):
        made = list(group)
        yield Variants(row=made[0].row, rejected=tuple(one.rejected for one in made))


def list_proposals(rows: Iterable[Variants]) -> Iterator[Proposal]:
    """Every variant beside its chosen answer."""
    return ((one.row, worse) for one in rows for worse in one.rejected)


def plan_pairs(features: PairFeatures, pairing: PairingConfig, judged: bytes | bytearray | None = None) -> PairPlan:
    """Decide over all variants at once which ones become pairs, and which pairs stay.

    ``judged`` says of each variant what a judge said of it, see ``variant_choice``.
    """
    picks = choose_variants(features, pairing.max_per_task, judged)
    return PairPlan(bytes(picks), bytes(balance(features, picks, pairing)))


def pair_variants(variants: Iterable[Proposal], picks: bytes) -> Iterator[PreferencePair | Dropped]:
    """One outcome per variant: the pair that it makes with the chosen answer, or why it does not."""
    for (row, worse), code in zip(variants, picks, strict=True):
        if code == PICKED:
            yield PreferencePair.create(task=row.task, chosen=row.chosen, verdicts=row.verdicts, rejected=worse)
        else:
            detail = f"{worse.defect}: {worse.text}"
            yield Dropped(stage="pair", row=row.task.id, reason=PICK_REASONS[code], detail=detail)


def keep_balanced(pairs: Iterable[PreferencePair], keeps: bytes) -> Iterator[PreferencePair | Dropped]:
    """One outcome per pair: itself, or the rule of ``balance`` that it fell to."""
    for pair, code in zip(pairs, keeps, strict=True):
        if code:
            yield Dropped(stage="balance", row=pair.id, reason=BALANCE_REASONS[code], detail=pair.rejected.defect)
        else:
            yield pair
