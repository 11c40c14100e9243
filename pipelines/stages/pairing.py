"""Worse answers beside the chosen ones, chosen and balanced over the whole build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import Compared, PreferencePair
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import (
    ANSWERS,
    JUDGED,
    KEEPS,
    PICKS,
    REVIEWED,
    VARIANTS,
    VERIFICATIONS,
    VERIFIED,
    Variants,
)
from pairwright.pipelines.judging.answer_improvement import list_replaced
from pairwright.pipelines.needs import Need, Outlook
from pairwright.pipelines.pairing.balance import rules_of
from pairwright.pipelines.pairing.corpus_facts import learn_corpus
from pairwright.pipelines.pairing.pair_features import Proposal, extract_features
from pairwright.pipelines.pairing.preference_pairs import (
    Variant,
    group_variants,
    keep_balanced,
    list_attempts,
    list_proposals,
    make_rejected,
    pair_variants,
    plan_pairs,
)
from pairwright.pipelines.pairing.verification import Numbered, VerificationState, unverified, verify_variants
from pairwright.pipelines.reporting.pair_tables import balance_table
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage, SummaryStage, Work


class Reject(RowStage):
    """Worse answers to every query: what an improver replaced, refused samples, and what perturbers make."""

    name: ClassVar[str] = "reject"
    unit: ClassVar[str] = "attempts"
    reads = (ANSWERS, JUDGED, REVIEWED)

    def begin(self, run: Run, rows: Iterator[object]) -> Work:  # noqa: ARG002
        config = run.config
        sampled = run.read(JUDGED) if config.generation else None
        facts = learn_corpus(lambda: run.read(ANSWERS), sampled, config.perturbers)
        replaced = list_replaced(run.read(REVIEWED)) if config.improve else ()
        attempts = list_attempts(run.read(ANSWERS), run.read(JUDGED), facts.perturbers, replaced)
        return Work(attempts, lambda tries: make_rejected(tries, config, facts.target))

    def packed(self, rows: Iterator[Variant]) -> Iterator[Variants]:
        return group_variants(rows)


class Verify(RowStage):
    """A judge compares the pairs that would be kept, until all that are kept are confirmed."""

    name: ClassVar[str] = "verify"
    unit: ClassVar[str] = "comparisons"
    reads = (VARIANTS,)
    writes = (VERIFICATIONS, VERIFIED)

    def wanted(self, config: BuildConfig) -> bool:
        return bool(self.judges(config))

    def judges(self, config: BuildConfig) -> tuple[Configured, ...]:
        return () if config.comparison is None or config.pairing.verify == "rules" else (config.comparison,)

    def begin(self, run: Run, rows: Iterator[object]) -> Work:  # noqa: ARG002
        config = run.config
        features = extract_features(_proposals(run), config.prompt, config.seed)
        state = VerificationState(features, rules_of(config))

        def confirmed(asked: Iterator[Numbered]) -> Iterator[Compared | Dropped | Failed]:
            assert config.comparison is not None
            log = VERIFICATIONS.path(run.work)
            yield from verify_variants(asked, state, config.comparison, run.access, log)
            VERIFIED.write(run.work, state.codes)

        # No variant is asked about twice.
        return Work(unverified(state, lambda: _proposals(run)), confirmed, at_most=len(features))

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """The first round: what is refused is replaced, and that asks for more."""
        config = outlook.config
        pairs = min(config.pairing.max_per_task, len(config.perturbers) + len(config.generation)) * outlook.queries
        for comparer in self.judges(config):
            yield from outlook.asked(comparer, self.name, pairs)


class PlanPairs(SummaryStage):
    """Which variants become pairs, and which pairs stay: decided over the whole build at once."""

    name: ClassVar[str] = "plan"
    reads = (VARIANTS, VERIFIED)
    writes = (PICKS, KEEPS)

    def make(self, run: Run) -> None:
        config = run.config
        verified = VERIFIED.read(run.work) if VERIFIED.path(run.work).exists() else None
        plan = plan_pairs(extract_features(_proposals(run), config.prompt, config.seed), rules_of(config), verified)
        PICKS.write(run.work, plan.picks)
        KEEPS.write(run.work, plan.keeps)


class Pair(RowStage):
    """Each picked variant beside the chosen answer."""

    name: ClassVar[str] = "pair"
    unit: ClassVar[str] = "variants"
    reads = (VARIANTS, PICKS)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[Proposal]:  # noqa: ARG002
        return _proposals(run)

    def outcomes(self, run: Run, rows: Iterator[Proposal]) -> Iterator[PreferencePair | Dropped]:
        return pair_variants(rows, PICKS.read(run.work))


class Balance(RowStage):
    """The pairs that stay, so that shares are as the build file wants them."""

    name: ClassVar[str] = "balance"
    unit: ClassVar[str] = "pairs"
    reads = (KEEPS,)

    def outcomes(self, run: Run, rows: Iterator[PreferencePair]) -> Iterator[PreferencePair | Dropped]:
        return keep_balanced(rows, KEEPS.read(run.work))

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        lines = ("Shares of all pairs; length as the best rule over its cells would tell the sides.", "")
        yield ReportSection("Balance", (*lines, *markdown_table(balance_table(result))), 50)


def _proposals(run: Run) -> Iterator[Proposal]:
    return list_proposals(run.read(VARIANTS))
