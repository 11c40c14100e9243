"""From chosen answers to preference pairs in splits, as distilabel steps.

Each looks at all rows at once: shares are shares of the whole. Importing this module imports distilabel, which takes
seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from distilabel.steps import GlobalStep, StepInput

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.build_file import LimitsConfig, PairingConfig, PromptConfig
from pairwright.core.config.sections import DedupConfig, SplitConfig
from pairwright.core.config.slots import ComparerComponent, PerturberComponent
from pairwright.core.errors import BuildError
from pairwright.core.improvement import Improvement
from pairwright.core.records import PreferencePair, Rejected, Split
from pairwright.pipelines.dedup.deduplication import link_dialogues
from pairwright.pipelines.dedup.outline import outline
from pairwright.pipelines.distilabel_steps.choosing_steps import added, answer_of, answered, judged_of
from pairwright.pipelines.distilabel_steps.component_slots import ComponentSlots
from pairwright.pipelines.distilabel_steps.endpoint_slots import EndpointSlots
from pairwright.pipelines.distilabel_steps.failure_checks import require_few_failures
from pairwright.pipelines.distilabel_steps.task_rows import (
    Record,
    books_of,
    goes_on,
    json_of,
    rows_of,
    task_of_row,
)
from pairwright.pipelines.judging.answer_improvement import list_replaced
from pairwright.pipelines.pairing.corpus_facts import learn_corpus
from pairwright.pipelines.pairing.pair_features import Proposal, extract_features
from pairwright.pipelines.pairing.preference_pairs import (
    Attempt,
    Variant,
    keep_balanced,
    list_attempts,
    make_rejected,
    pair_variants,
    plan_pairs,
)
from pairwright.pipelines.pairing.rejection_sampling import TargetQuality
from pairwright.pipelines.pairing.splits import assign_splits, defect_labels, verify_splits
from pairwright.pipelines.pairing.verification import VerificationState, unverified, verify_variants


class RejectAnswers(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Worse answers to every query: what an improver replaced, refused samples, and what perturbers make.

    Input columns:
        - answer, judged, kept, left_out: see ``choosing_steps``.
        - improvement, improve_error (optional): see ``improvement_steps``.

    Output columns:
        - rejected (`str`): JSON list, see ``pairwright.core.records.Rejected``; a step after this one may add its own.

    Attributes:
        perturbers, pairing, seed: as in a build file.
        sampled: whether models were asked for candidates.
        limits: as in a build file; of them only ``max_failure_rate``, which comparer and improver must keep.

    Raises:
        BuildError: from ``process``: comparer or improver failed too often, or no query has an answer.
    """

    perturbers: list[PerturberComponent]
    pairing: PairingConfig = PairingConfig()
    seed: int = 0
    sampled: bool = True
    limits: LimitsConfig = LimitsConfig()

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        required = dict.fromkeys(("answer", "judged", "kept", "left_out"), True)
        return {**required, "improvement": False, "improve_error": False}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["rejected"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        rows = [answered(row) for row in inputs]
        self._require(rows)
        attempts, target = self._attempts(rows)
        made = {key: list(make_rejected(own, self, target)) for key, own in groupby(attempts, key=_task_tried)}
        yield [_rejected(row, made.get(row["task_id"], [])) for row in rows]

    def _require(self, rows: Sequence[Record]) -> None:
        lost = [one for row in rows for one in books_of(row)]
        kept = sum(goes_on(row) for row in rows)
        after = Counter(one.stage for one in lost)
        improved = kept + after["diversity"] + after["keep"] + after["improve"]
        chosen = improved + after["choose"]
        require_few_failures("choose", "queries", chosen, lost, self.limits.max_failure_rate)
        require_few_failures("improve", "answers", improved, lost, self.limits.max_failure_rate)
        if not kept:
            raise BuildError(
                f"no query has an accepted answer ({', '.join(f'{number} {stage}' for stage, number in after.items())})",
                "Look at the column left_out of the steps before; a stronger teacher or other judges may help.",
            )

    def _attempts(self, rows: Sequence[Record]) -> tuple[Iterator[Attempt], TargetQuality]:
        answers = [answer_of(row) for row in rows if goes_on(row)]
        judged = [one for row in rows if row["judged"] != "[]" for one in judged_of(task_of_row(row), row["judged"])]
        facts = learn_corpus(lambda: iter(answers), judged if self.sampled else None, self.perturbers)
        improvements = [Improvement.model_validate_json(row["improvement"]) for row in rows if row.get("improvement")]
        return list_attempts(answers, judged, facts.perturbers, list_replaced(improvements)), facts.target


def _task_tried(attempt: Attempt) -> str:
    return attempt[0].task.id


def _rejected(row: Record, outcomes: Sequence[Variant | Dropped]) -> Record:
    row = {**row, "rejected": json_of(one.rejected for one in outcomes if isinstance(one, Variant))}
    lost = [one for one in outcomes if isinstance(one, Dropped)]
    return added(row, lost) if lost else row


class VerifyVariants(EndpointSlots, GlobalStep):  # type: ignore[misc]
    """A judge compares the pairs that would be kept, until all that are kept are confirmed; see docs/pairwise.md.

    Input columns:
        - answer, rejected, kept, left_out: see :class:`RejectAnswers`.

    Output columns:
        - verified (`str`): JSON list of what a judge said of each rejected text, see ``pairing/variant_choice.py``.

    Attributes:
        comparison: a component such as ``pairwright.judges.llm.pairwise.Pairwise``.
        endpoints, ledger, limits: see :class:`~pairwright.pipelines.distilabel_steps.endpoint_slots.EndpointSlots`.
        pairing, prompt, seed: as in a build file.

    Raises:
        JudgeError: from ``load``: an endpoint was not given.
    """

    comparison: ComparerComponent
    pairing: PairingConfig = PairingConfig()
    prompt: PromptConfig = PromptConfig()
    seed: int = 0

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["answer", "rejected", "kept", "left_out"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["verified"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        proposals = list_row_proposals(inputs)
        state = VerificationState(extract_features(proposals, self.prompt, self.seed), self.pairing)
        lost = defaultdict(list)
        with TemporaryDirectory() as folder:
            asked = unverified(state, lambda: proposals)
            for one in verify_variants(asked, state, self.comparison, self.access(), Path(folder) / "log.jsonl"):
                if isinstance(one, Dropped | Failed):
                    lost[one.row].append(one)
        codes = iter(state.codes)
        rows = [{**row, "verified": str([next(codes) for _ in _rejected_of(row)])} for row in inputs]
        yield [added(row, lost[row["task_id"]]) if row["task_id"] in lost else row for row in rows]


def list_row_proposals(rows: Sequence[Record]) -> list[Proposal]:
    """Every rejected text beside its chosen answer."""
    beside = ((answer_of(row), _rejected_of(row)) for row in rows if goes_on(row))
    return [(answer, worse) for answer, rejected in beside for worse in rejected]


def _rejected_of(row: Record) -> list[Rejected]:
    return rows_of(row["rejected"], Rejected) if goes_on(row) else []


class PairAnswers(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Choose and balance the pairs over the whole data set; see docs/pairing.md.

    Input columns:
        - answer, rejected, kept, left_out: see :class:`RejectAnswers`.
        - verified (optional): see :class:`VerifyVariants`.

    Output columns:
        - pairs (`str`): JSON list, see ``pairwright.core.records.PreferencePair``.

    Attributes:
        pairing, prompt, seed: as in a build file.
    """

    pairing: PairingConfig = PairingConfig()
    prompt: PromptConfig = PromptConfig()
    seed: int = 0

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        return {**dict.fromkeys(("answer", "rejected", "kept", "left_out"), True), "verified": False}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["pairs"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        proposals = list_row_proposals(inputs)
        asked = [row["verified"] for row in inputs if "verified" in row]
        verified = bytes(chain.from_iterable(json.loads(codes) for codes in asked)) if asked else None
        plan = plan_pairs(extract_features(proposals, self.prompt, self.seed), self.pairing, verified)
        picked = list(pair_variants(proposals, plan.picks))
        kept = keep_balanced((one for one in picked if isinstance(one, PreferencePair)), plan.keeps)
        outcomes = (next(kept) if isinstance(one, PreferencePair) else one for one in picked)
        yield [_paired(row, [next(outcomes) for _ in _rejected_of(row)]) for row in inputs]


def _paired(row: Record, outcomes: Sequence[PreferencePair | Dropped]) -> Record:
    row = {**row, "pairs": json_of(one for one in outcomes if isinstance(one, PreferencePair))}
    lost = [one for one in outcomes if isinstance(one, Dropped)]
    return added(row, lost) if lost else row


class AssignSplits(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Put whole dialogues, and dialogues that share a duplicate together, into train, validation and test.

    Input and output columns:
        - answer, pairs, kept, left_out: see :class:`PairAnswers`; afterwards they have their split.

    Attributes:
        split, dedup, seed: as in a build file.
    """

    split: SplitConfig = SplitConfig()
    dedup: DedupConfig = DedupConfig()
    seed: int = 0

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["answer", "pairs", "kept", "left_out"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["answer", "pairs"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        kept = [(answer_of(row), rows_of(row["pairs"], PreferencePair)) for row in inputs if goes_on(row)]
        outlines = [outline(answer.task) for answer, _ in kept]
        links = link_dialogues(outlines, self.dedup)
        labels = defect_labels(pair for _, pairs in kept for pair in pairs)
        splits = assign_splits(outlines, self.split, self.seed, links, labels)
        verify_splits(((answer.task, splits[answer.task.dialogue]) for answer, _ in kept), links)
        yield [_placed(row, splits) if goes_on(row) else row for row in inputs]


def _placed(row: Record, splits: Mapping[str, Split]) -> Record:
    answer = answer_of(row)
    found = {"split": splits[answer.task.dialogue]}
    pairs = [pair.model_copy(update=found) for pair in rows_of(row["pairs"], PreferencePair)]
    return {**row, "answer": answer.model_copy(update=found).model_dump_json(), "pairs": json_of(pairs)}
