"""A whole build file as one distilabel pipeline of our steps: the same pairs as the build, and room for other steps.

    pipeline = build_pipeline(read_build(Path("build.yaml"), CATALOGUES))
    pairs = pipeline.run(use_cache=False)["pairs"]["train"]

The steps stand in the order of ``STEPS`` in ``pipelines/build.py``. What a build guarantees and this does not is in
docs/distilabel.md. Importing this module imports distilabel, which takes seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import rshift
from pathlib import Path
from typing import Any

from pairwright.core.calibration import apply_calibration
from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.component_references import named_endpoints
from pairwright.pipelines.dedup.earlier_builds import require_earlier
from pairwright.pipelines.distilabel_steps.choosing_steps import ChooseAnswers, CollectCandidates, SelectDiverse
from pairwright.pipelines.distilabel_steps.comparison_steps import CompareRewrites
from pairwright.pipelines.distilabel_steps.gate_steps import GateQueries
from pairwright.pipelines.distilabel_steps.generation_steps import GenerateCandidates, PlanRequests
from pairwright.pipelines.distilabel_steps.improvement_steps import ImproveAnswers
from pairwright.pipelines.distilabel_steps.ledger_llm import LedgerLLM
from pairwright.pipelines.distilabel_steps.listing_steps import ListAnswers, ListLeftOut, ListPairs
from pairwright.pipelines.distilabel_steps.pair_pipeline import PairPipeline
from pairwright.pipelines.distilabel_steps.pairing_steps import (
    AssignSplits,
    PairAnswers,
    RejectAnswers,
    VerifyVariants,
)
from pairwright.pipelines.distilabel_steps.reading_steps import (
    DecontaminateTasks,
    DeduplicateTasks,
    ReadDialogues,
    WindowQueries,
)
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates
from pairwright.pipelines.judging.endpoint_access import order_by_cost
from pairwright.pipelines.licence_check import require_combinable
from pairwright.pipelines.pairing.balance import rules_of

BATCH = 500
"""Rows that pass from step to step together: distilabel takes a fixed time for each batch."""


def build_pipeline(config: BuildConfig, name: str | None = None, cache_dir: str | Path | None = None) -> PairPipeline:
    """The whole of a build file, from its sources to pairs in splits; ``run(use_cache=False)`` gives the data.

    The data set has ``pairs``, ``sft`` and ``left_out``, each if it has any rows, with one split ``train``: what a row's
    split is stands in its column. ``cache_dir`` is where distilabel keeps rows and logs while it runs, by default in the
    home folder. Exports, audit and report are no part of it.

    Raises:
        ConfigError: what the build would refuse before it begins.
    """
    pipeline = PairPipeline(name=name or config.name, cache_dir=cache_dir)
    with pipeline:
        connect_steps(build_steps(config))
    return pipeline


def build_steps(config: BuildConfig) -> list[Any]:
    """The steps of :func:`build_pipeline` in order, not connected yet; call it inside ``with PairPipeline(...)``.

    Each is named as its stage in ``pipelines/build.py``. Put steps of your own between them (see :func:`insert_step`), and
    give the list to :func:`connect_steps`.

    Raises:
        ConfigError: see :func:`build_pipeline`.
    """
    require_combinable(config)
    require_earlier(config)
    config = apply_calibration(config)
    return [*_reading(config), *_generating(config), *_choosing(config), *_pairing(config)]


def insert_step(steps: list[Any], after: str, step: Any) -> None:
    """Put a step of anybody's into a list of :func:`build_steps`, behind the one called ``after``."""
    names = [one.name for one in steps]
    steps.insert(names.index(after) + 1, step)


def connect_steps(steps: Sequence[Any]) -> None:
    """Chain the steps, and end them in the three lists ``pairs``, ``sft`` and ``left_out``."""
    reduce(rshift, steps)
    steps[-1] >> [
        ListPairs(name="pairs", **_BATCHES),
        ListAnswers(name="sft", **_BATCHES),
        ListLeftOut(name="left_out", **_BATCHES),
    ]


def _reading(config: BuildConfig) -> Iterator[Any]:
    kind = config.task
    yield ReadDialogues(
        name="read",
        sources=config.sources,
        kind=kind,
        max_rows=config.limits.max_rows,
        batch_size=BATCH,
        use_cache=False,
    )
    yield WindowQueries(name="window", kind=kind, context=config.context, examples=config.examples, **_BATCHES)
    yield DeduplicateTasks(name="dedup", dedup=config.dedup, use_cache=False)
    if config.evaluations:
        yield DecontaminateTasks(
            name="decontaminate",
            evaluations=config.evaluations,
            decontamination=config.decontamination,
            kind=kind,
            use_cache=False,
        )


def _generating(config: BuildConfig) -> Iterator[Any]:
    if config.gate is not None:
        yield GateQueries(name="gate", gate=config.gate, **_asking(config, config.gate), **_BATCHES)
    yield PlanRequests(
        name="plan_requests",
        generation=config.generation,
        endpoints={one.endpoint: config.endpoints[one.endpoint] for one in config.generation},
        prompt=config.prompt,
        seed=config.seed,
        limits=config.limits,
        use_cache=False,
    )
    for number, endpoint in enumerate(dict.fromkeys(one.endpoint for one in config.generation)):
        llm = LedgerLLM(
            name=endpoint,
            endpoint=config.endpoints[endpoint],
            ledger=str(config.ledger_path),
            limits=config.limits,
        )
        yield GenerateCandidates(name=f"generate_{number}", llm=llm, **_BATCHES)


def _choosing(config: BuildConfig) -> Iterator[Any]:
    judges = order_by_cost(config.judges, config.endpoints, config.task)
    yield JudgeCandidates(name="judge", judges=judges, **_asking(config, *judges), **_BATCHES)
    comparison = None if config.pairing.choose == "scores" else config.comparison
    yield CollectCandidates(
        name="collect",
        with_refused=config.improve is not None,
        compare=comparison is not None,
        limits=config.limits,
        use_cache=False,
    )
    if comparison is not None:
        yield CompareRewrites(
            name="compare",
            comparison=comparison,
            precision="all" if config.pairing.choose == "all_pairs" else "best",
            **_asking(config, comparison),
            **_BATCHES,
        )
    yield ChooseAnswers(name="choose", **_BATCHES)
    if config.improve is not None:
        asking = _asking(config, config.improve, *config.judges)
        yield ImproveAnswers(name="improve", improver=config.improve, judges=config.judges, **asking, **_BATCHES)
    if config.diversity is not None:
        yield SelectDiverse(name="diversity", diversity=config.diversity, use_cache=False)


def _pairing(config: BuildConfig) -> Iterator[Any]:
    pairing: dict[str, Any] = {"pairing": rules_of(config), "seed": config.seed, "use_cache": False}
    yield RejectAnswers(
        name="reject",
        perturbers=config.perturbers,
        sampled=bool(config.generation),
        limits=config.limits,
        **pairing,
    )
    if config.comparison is not None and config.pairing.verify != "rules":
        asking = _asking(config, config.comparison)
        yield VerifyVariants(name="verify", comparison=config.comparison, prompt=config.prompt, **asking, **pairing)
    yield PairAnswers(name="pair", prompt=config.prompt, **pairing)
    yield AssignSplits(name="split", split=config.split, dedup=config.dedup, seed=config.seed, use_cache=False)


def _asking(config: BuildConfig, *components: Configured) -> dict[str, Any]:
    """What a step needs to ask for its components: their endpoints, and a ledger where there are any."""
    names = dict.fromkeys(name for component in components for _, name in named_endpoints(component))
    endpoints = {name: config.endpoints[name] for name in names}
    return {"endpoints": endpoints, "ledger": str(config.ledger_path) if names else None, "limits": config.limits}


_BATCHES: dict[str, Any] = {"input_batch_size": BATCH, "use_cache": False}
