"""A build, from raw dialogues to files that trainers load. Read this file first: it is the whole flow, in order.

Rows stream through the stages as generators. Each stage gives one outcome per row and :class:`Books` checks that
none is lost. Nothing is cached between runs but the answers that were paid for (the ledger): a build that is run
again does the same work on the same inputs and leaves the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.calibration import apply_calibration, read_calibration
from pairwright.core.components import Component, CorpusReader, NamedSource, Source
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.improvement import Improvement
from pairwright.core.judge_usage import JudgingStage
from pairwright.core.llm.ledger import Ledger
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Candidate, Conversation, JudgedCandidate, PreferencePair, SftRow, Task
from pairwright.core.result import (
    AUDIT,
    CALIBRATION,
    COMPARISONS,
    DIVERSITY,
    GATE,
    IMPROVEMENTS,
    INDEX,
    JUDGING,
    LEAKS,
    SPARSE_REGIONS,
    SPLIT,
    BuildResult,
    HeldOutSet,
)
from pairwright.core.storage import lock_folder, read_rows, write_json, write_rows
from pairwright.pipelines.audit.probe import require_probe
from pairwright.pipelines.books import Books, Watcher
from pairwright.pipelines.build_folder import finish_build, make_work_folder
from pairwright.pipelines.dedup.deduplication import deduplicate, link_dialogues
from pairwright.pipelines.dedup.earlier_builds import require_earlier, write_index
from pairwright.pipelines.diversity.embedding import require_embedding
from pairwright.pipelines.endpoint_servers import open_endpoints, running_servers
from pairwright.pipelines.generation.request_plan import plan_generation
from pairwright.pipelines.ingest.answer_contexts import find_answers, list_questions, window_answers
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.contexts import find_queries, window_queries
from pairwright.pipelines.judging.answer_improvement import (
    account_for_written,
    add_refused,
    improve_answers,
    keep_answers,
    list_replaced,
    list_written,
)
from pairwright.pipelines.judging.candidate_judging import accept_candidates, judge_candidates, list_candidates
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter, order_by_cost
from pairwright.pipelines.judging.gating import gate_queries, list_decisions
from pairwright.pipelines.licence_check import require_combinable
from pairwright.pipelines.pairing.balance import rules_of
from pairwright.pipelines.pairing.best_of_n import choose_best_of_n
from pairwright.pipelines.pairing.pair_features import Proposal, extract_features
from pairwright.pipelines.pairing.preference_pairs import (
    Variant,
    choose_answers,
    keep_balanced,
    list_attempts,
    list_proposals,
    make_rejected,
    pair_variants,
)
from pairwright.pipelines.pairing.rejection_sampling import target_quality
from pairwright.pipelines.pairing.splits import assign_splits, defect_labels, verify_splits
from pairwright.pipelines.pairing.verification import VerificationState, unverified, verify_variants

FINAL: Mapping[str, type[SftRow] | type[PreferencePair]] = {"sft.jsonl": SftRow, "pairs.jsonl": PreferencePair}
Placed = TypeVar("Placed", SftRow, PreferencePair)


def run_build(config: BuildConfig, watch: Callable[[Ledger], Watcher]) -> BuildResult:
    """Run all stages and put the result in ``config.output``.

    Raises:
        PairwrightError: see core/errors.py; whatever was paid for is in the ledger, and running again goes on there.
    """
    config = apply_calibration(config)
    if config.audit:
        require_probe()
    require_combinable(config)
    require_earlier(config)
    require_embedding(config)
    output = Path(config.output)
    with lock_folder(output), Ledger(ledger_path(config)) as ledger:
        work = make_work_folder(output)
        with Books(work, config.limits.max_failure_rate, watch(ledger)) as books:
            read_tasks(config, books, work)
            with running_servers(config, work) as base_urls, open_endpoints(config, ledger, base_urls) as access:
                generate(config, books, work, access, base_urls)
                choose(config, books, work, access)
                improve(config, books, work, access)
                diversify(config, books, work)
                make_pairs(config, books, work, access)
                note_judging(config, work, access.usage)
            split(config, work)
            measure_shortcuts(config, work)
        return finish_build(config, books.counts, work, output)


def ledger_path(config: BuildConfig) -> Path:
    """Where the build keeps its paid answers."""
    return Path(config.ledger) if config.ledger else Path(config.output) / "ledger.sqlite"


def read_tasks(config: BuildConfig, books: Books, work: Path) -> None:
    """Raw rows → conversations → one task per query → without duplicates: ``tasks.jsonl``."""
    windows = answer_windows(config, books) if config.task == "answer" else rewrite_windows(config, books)
    unique = books.stage("dedup", "queries", windows, lambda rows: deduplicate(rows, config.dedup))
    tasks = drop_leaks(config, books, unique, work) if config.evaluations else unique
    if not write_rows(work / "tasks.jsonl", tasks):
        raise BuildError(
            "no query is left after reading, windowing and removing duplicates",
            f"{work / 'dropped.jsonl'} says why each one went; check the sources' mapping and context.languages.",
        )


def rewrite_windows(config: BuildConfig, books: Books) -> Iterator[Task]:
    """One task per user turn that is to be rewritten."""
    bank = read_examples(config.examples.path)
    conversations = books.stage("read", "rows", read_sources(config), lambda rows: rows)
    return books.stage(
        "window",
        "queries",
        find_queries(conversations, config.context),
        lambda rows: window_queries(rows, config.context, bank, config.examples.per_prompt),
    )


def answer_windows(config: BuildConfig, books: Books) -> Iterator[Task]:
    """One task per assistant turn that is to be learnt."""
    conversations = books.stage("read", "rows", check_answerable(read_sources(config)), lambda rows: rows)
    places = find_answers(conversations, config.context)
    return books.stage("window", "queries", places, lambda rows: window_answers(rows, config.context))


def drop_leaks(config: BuildConfig, books: Books, tasks: Iterator[Task], work: Path) -> Iterator[Task]:
    """What copies no row of the test sets in ``evaluations``; what was found of each: ``leaks.json``."""
    from pairwright.pipelines.dedup.decontamination import decontaminate

    tests = {
        source.source if isinstance(source, NamedSource) else source.name: source.read()
        for source in config.evaluations
        if isinstance(source, Source)
    }
    if config.task == "answer":
        tests = {name: list_questions(rows) for name, rows in tests.items()}

    def tell(found: Sequence[HeldOutSet]) -> None:
        write_json(work / LEAKS, [one.model_dump() for one in found])

    return books.stage(
        "decontaminate", "queries", tasks, lambda rows: decontaminate(rows, tests, config.decontamination, tell)
    )


def read_sources(config: BuildConfig) -> Iterator[Conversation | Failed]:
    """One outcome per raw row of every source, in the order of the build file."""
    for source in config.sources:
        assert isinstance(source, Source)
        yield from islice(source.read(), config.limits.max_rows)


def generate(
    config: BuildConfig, books: Books, work: Path, access: EndpointAccess, base_urls: Mapping[str, str]
) -> None:
    """Ask the models and judge what they, the gate and the sources propose: ``candidates.jsonl``, ``judged.jsonl``."""
    if config.gate is not None:
        decide(config.gate, books, work, access)
    write_rows(work / "candidates.jsonl", candidates(config, books, work, base_urls))
    proposals = list_candidates(tasks_in(work), read_rows(work / "candidates.jsonl", Candidate))
    judges = order_by_cost(config.judges, config.endpoints, config.task)
    rows = books.stage("judge", "candidates", proposals, lambda rows: judge_candidates(rows, judges, access))
    write_rows(work / "judged.jsonl", rows)


def decide(gate: Component, books: Books, work: Path, access: EndpointAccess) -> None:
    """Which queries are rewritten and which pass: ``gate.jsonl``, and the same decisions in ``tasks.jsonl``."""
    tasks = books.stage(
        "gate",
        "queries",
        tasks_in(work),
        lambda rows: gate_queries(rows, gate, access.ask, access.width, access.runner),
    )
    write_rows(work / "tasks.jsonl", tasks)
    write_rows(work / GATE, list_decisions(tasks_in(work)))


def candidates(config: BuildConfig, books: Books, work: Path, base_urls: Mapping[str, str]) -> Iterator[Candidate]:
    """What the models of ``generation`` propose; nothing is imported or started when there are none."""
    if not config.generation:
        return iter(())
    from pairwright.pipelines.generation.candidate_generation import generate_candidates  # pulls in the client

    requests = plan_generation(config, lambda: tasks_in(work))
    return books.stage(
        "generate",
        "requests",
        requests,
        lambda rows: generate_candidates(rows, config, ledger_path(config), base_urls, work),
        len(requests),
    )


def choose(config: BuildConfig, books: Books, work: Path, access: EndpointAccess) -> None:
    """The best accepted answer of every query, or the best refused one where it may be improved: ``chosen.jsonl``."""
    accepted = books.stage("accept", "candidates", judged_in(work), accept_candidates)
    if config.improve is not None:
        accepted = add_refused(accepted, judged_in(work))

    def best(rows: Iterator[Task]) -> Iterator[SftRow | Dropped | Failed]:
        if config.comparison is None or config.pairing.choose == "scores":
            return choose_answers(rows, accepted)
        return choose_best_of_n(rows, accepted, config.pairing, config.comparison, access, work / COMPARISONS)

    if not write_rows(work / "chosen.jsonl", books.stage("choose", "queries", tasks_in(work), best)):
        raise BuildError(
            "no query has an accepted answer",
            f"{work / 'dropped.jsonl'} says what the judges found; a stronger teacher or other judges may help.",
        )


def improve(config: BuildConfig, books: Books, work: Path, access: EndpointAccess) -> None:
    """Leave out what is not worth learning, put better answers in place of others: ``chosen.jsonl`` anew."""
    improver = config.improve
    if improver is None:
        return
    rows = books.stage(
        "improve",
        "answers",
        chosen_in(work),
        lambda rows: improve_answers(rows, improver, config.judges, access),
    )
    write_rows(work / IMPROVEMENTS, rows)
    for _ in books.stage("compare", "improvements", list_written(improvements_in(work)), account_for_written):
        pass
    if not write_rows(work / "chosen.jsonl", books.stage("keep", "answers", improvements_in(work), keep_answers)):
        raise BuildError(
            f"improve: {improver.name} kept no answer",
            f"{work / 'dropped.jsonl'} says why each one went; lower its thresholds, or use a stronger model.",
        )


def diversify(config: BuildConfig, books: Books, work: Path) -> None:
    """Keep the chosen answers that cover the data best, where the build file asks for it."""
    if config.diversity is None:
        return
    from pairwright.pipelines.diversity.diverse_selection import select_diverse

    selection = select_diverse(lambda: chosen_in(work), config.diversity)
    kept = books.stage("diversity", "queries", chosen_in(work), selection.outcomes)
    write_rows(work / "kept.jsonl", kept)
    os.replace(work / "kept.jsonl", work / "chosen.jsonl")
    write_json(work / DIVERSITY, selection.diversity.model_dump())
    write_rows(work / SPARSE_REGIONS, selection.sparse_regions(chosen_in(work)))


def make_pairs(config: BuildConfig, books: Books, work: Path, access: EndpointAccess) -> None:
    """Worse answers beside the chosen ones, chosen and balanced over the whole build: ``balanced.jsonl``."""
    target = target_quality(chosen_in(work), judged_in(work)) if config.generation else {}
    replaced = list_replaced(improvements_in(work)) if config.improve else ()
    perturbers = [one.knowing(chosen_in(work)) if isinstance(one, CorpusReader) else one for one in config.perturbers]
    attempts = list_attempts(chosen_in(work), judged_in(work), perturbers, replaced)
    variants = books.stage("reject", "attempts", attempts, lambda rows: make_rejected(rows, config, target))
    write_rows(work / "variants.jsonl", variants)
    state = VerificationState(extract_features(proposals_in(work), config.prompt, config.seed), rules_of(config))
    if config.comparison is not None and config.pairing.verify == "judge":
        confirm(config.comparison, state, books, work, access)
    plans = state.plan()
    pairs = books.stage("pair", "variants", proposals_in(work), lambda rows: pair_variants(rows, plans.picks))
    kept = books.stage("balance", "pairs", pairs, lambda rows: keep_balanced(rows, plans.keeps))
    write_rows(work / "balanced.jsonl", kept)


def confirm(comparer: Component, state: VerificationState, books: Books, work: Path, access: EndpointAccess) -> None:
    """Have a judge compare the pairs that would be kept, until all that are kept are confirmed."""
    asked_about = unverified(state, lambda: proposals_in(work))
    confirmed = books.stage(
        "verify",
        "comparisons",
        asked_about,
        lambda rows: verify_variants(rows, state, comparer, access, work / COMPARISONS),
    )
    for _ in confirmed:
        pass  # what was found is in ``state`` and on disk


def note_judging(config: BuildConfig, work: Path, usage: UsageCounter) -> None:
    """What the judges that ask a model took: ``judging.jsonl``; what they were measured at: ``calibration.json``."""
    if config.calibration is not None:
        write_json(work / CALIBRATION, read_calibration(Path(config.calibration)).model_dump(mode="json"))
    judges: list[tuple[JudgingStage, Component]] = [("judge", one) for one in config.judges]
    if config.comparison is not None:
        judges += [("choose", config.comparison), ("verify", config.comparison)]
    if config.improve is not None:
        judges += [("improve", one) for one in (config.improve, *config.judges)]
    if uses := usage.uses(judges, config.endpoints, config.task):
        write_rows(work / JUDGING, uses)


def split(config: BuildConfig, work: Path) -> None:
    """Assign whole dialogues, and dialogues that share a duplicate together, to train, validation and test:
    ``sft.jsonl``, ``pairs.jsonl``, and what proves it."""
    links = link_dialogues((row.task for row in chosen_in(work)), config.dedup)
    labels = defect_labels(balanced_in(work))
    splits = assign_splits((row.task for row in chosen_in(work)), config.split, config.seed, links, labels)

    def placed(rows: Iterator[Placed]) -> Iterator[Placed]:
        return (row.model_copy(update={"split": splits[row.task.dialogue]}) for row in rows)

    write_rows(work / "sft.jsonl", placed(chosen_in(work)))
    write_rows(work / "pairs.jsonl", placed(balanced_in(work)))
    final = chain(*(read_rows(work / name, kind) for name, kind in FINAL.items()))
    write_json(work / SPLIT, verify_splits(((row.task, row.split) for row in final), links).model_dump())
    write_index(work / INDEX, (row.task for row in chosen_in(work)))


def measure_shortcuts(config: BuildConfig, work: Path) -> None:
    """Measure how well chosen can be told from rejected without the dialogue: ``audit.json``."""
    if config.audit is None:
        return
    from pairwright.pipelines.audit.shortcut_audit import audit_pairs  # with its models

    found = audit_pairs(read_rows(work / "pairs.jsonl", PreferencePair), config, config.audit)
    write_json(work / AUDIT, found.model_dump(mode="json"))


def chosen_in(work: Path) -> Iterator[SftRow]:
    """The answers to imitate, before the split."""
    return read_rows(work / "chosen.jsonl", SftRow)


def improvements_in(work: Path) -> Iterator[Improvement]:
    """What became of every chosen answer that an improver looked at."""
    return read_rows(work / IMPROVEMENTS, Improvement)


def tasks_in(work: Path) -> Iterator[Task]:
    """The queries of the build."""
    return read_rows(work / "tasks.jsonl", Task)


def judged_in(work: Path) -> Iterator[JudgedCandidate]:
    """All candidates with their verdicts."""
    return read_rows(work / "judged.jsonl", JudgedCandidate)


def balanced_in(work: Path) -> Iterator[PreferencePair]:
    """The pairs, before the split."""
    return read_rows(work / "balanced.jsonl", PreferencePair)


def proposals_in(work: Path) -> Iterator[Proposal]:
    """All variants beside their chosen answers."""
    return list_proposals(chosen_in(work), read_rows(work / "variants.jsonl", Variant))
