"""The metrics that need a model or passages: which are asked for, and how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.core.config.build_file import EndpointConfig, parse_endpoint
from pairwright.core.errors import ConfigError
from pairwright.core.execution.coroutines import run_coroutine
from pairwright.core.identity import Row
from pairwright.core.llm.client import Client
from pairwright.core.llm.embedded_server import start_embedded
from pairwright.core.llm.ledger import Ledger
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.metrics.metric import Metric
from pairwright.evaluation.model_metrics.bertscore import bertscore_metric
from pairwright.evaluation.model_metrics.embedding_cosine import cosine_metric
from pairwright.evaluation.model_metrics.perplexity import perplexity_metric
from pairwright.evaluation.model_metrics.retrieval import retrieval_metrics
from pairwright.evaluation.model_metrics.win_rate import Outcome, judge_all, win_rate_metrics
from pairwright.evaluation.predictions import System
from pairwright.evaluation.systems.student_requests import RequestOptions
from pairwright.evaluation.systems.system_spec import parse_system


class Extras(Row):
    """What to measure beyond the metrics that need nothing; None leaves a metric out.

    ``cosine``: ``packaged`` or an encoder's folder; ``bertscore``: an encoder's ``FOLDER[@LAYER]``; ``perplexity``: a
    causal model's folder; ``passages``: a collection for retrieval; ``judge``: ``URL#MODEL`` or ``gguf[:FILE]``.
    """

    cosine: str | None = None
    bertscore: str | None = None
    perplexity: str | None = None
    passages: Path | None = None
    judge: str | None = None


def extra_metrics(
    extras: Extras, gold: GoldSet, systems: Sequence[System], against: str, options: RequestOptions
) -> tuple[Metric, ...]:
    """The metrics asked for, with everything computed that they look up.

    Raises:
        ConfigError, SourceError, ModelError: a model or file that cannot be used.
    """
    found: list[Metric] = []
    if extras.cosine:
        found.append(cosine_metric(extras.cosine, gold.rows, systems))
    if extras.bertscore:
        found.append(bertscore_metric(extras.bertscore, gold.rows, systems))
    if extras.perplexity:
        found.append(perplexity_metric(extras.perplexity, systems))
    if extras.passages:
        found += retrieval_metrics(extras.passages, gold.rows, systems)
    if extras.judge:
        base = next(system for system in systems if system.name == against)
        found += win_rate_metrics(_judged(extras.judge, gold, systems, base, options), against)
    return tuple(found)


def _judged(
    judge: str, gold: GoldSet, systems: Sequence[System], against: System, options: RequestOptions
) -> dict[tuple[str, str], Outcome]:
    spec = parse_system(judge)
    # On this machine: ten minutes for a request, because a CPU takes long to read a dialogue and two texts.
    if spec.kind == "gguf":
        config = EndpointConfig(
            use="embedded", model=spec.target or None, max_concurrency=4, context_size=4096, timeout=600
        )
        with start_embedded("judge", config, options.ledger.with_name("judge.server.log")) as url:
            return _ask(config, {"judge": url}, gold, systems, against, options)
    if spec.kind != "endpoint":
        raise ConfigError([f"--judge {judge}: a judge is URL#MODEL or gguf[:FILE]"])
    base_url, model = spec.target.rsplit("#", 1)
    config = parse_endpoint(
        "--judge", base_url=base_url, model=model, api_key_env=options.api_key_env, max_concurrency=options.concurrency
    )
    return _ask(config, {}, gold, systems, against, options)


def _ask(
    config: EndpointConfig,
    urls: dict[str, str],
    gold: GoldSet,
    systems: Sequence[System],
    against: System,
    options: RequestOptions,
) -> dict[tuple[str, str], Outcome]:
    async def run(client: Client) -> dict[tuple[str, str], Outcome]:
        async with client as ask:
            return await judge_all(ask, "judge", gold.rows, systems, against)

    with Ledger(options.ledger) as ledger:
        return run_coroutine(run(Client({"judge": config}, ledger, options.limits, urls)))
