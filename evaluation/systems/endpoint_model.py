"""Predictions of an OpenAI-compatible endpoint, or of a GGUF file behind the embedded server, through the ledger."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pairwright.core.config.build_file import EndpointConfig, parse_endpoint
from pairwright.core.config.endpoint_urls import shown_url
from pairwright.core.errors import ModelError, RequestFailed
from pairwright.core.execution.coroutines import run_coroutine
from pairwright.core.llm.client import Client
from pairwright.core.llm.embedded_server import start_embedded, weights, weights_identity
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Ask
from pairwright.evaluation.gold_rows import GoldRow, GoldSet
from pairwright.evaluation.predictions import Prediction, System
from pairwright.evaluation.systems.student_requests import RequestOptions, prediction_from, prompt_names, request_for

# The model's own failures: they are its answer, and are scored as one.
_ANSWERED_BADLY = frozenset({"empty", "refused", "truncated", "not_json", "schema"})


def from_endpoint(name: str, base_url: str, model: str, gold: GoldSet, options: RequestOptions) -> System:
    """Ask ``model`` at ``base_url`` for every row.

    Raises:
        ModelError: the endpoint cannot be used, or some rows got no answer; those that came are in the ledger.
        BudgetReached: asking would pass ``options.limits``.
    """
    config = parse_endpoint(
        f"system {name}",
        base_url=base_url,
        model=model,
        api_key_env=options.api_key_env,
        max_concurrency=options.concurrency,
    )
    details = {"model": model, "base_url": shown_url(base_url), **prompt_names(gold, options)}
    return System(name=name, kind="endpoint", predictions=_ask(name, config, {}, gold, options), details=details)


def from_gguf(name: str, path: Path | None, gold: GoldSet, options: RequestOptions) -> System:
    """Serve a GGUF file (None: the packaged SmolLM2-135M-Instruct) on loopback and ask it for every row.

    Raises:
        ModelError: the weights or the server cannot be used, or some rows got no answer.
    """
    slots = min(options.concurrency, 4)
    # Room for twice the estimated dialogue, for instructions and examples, and for the answer.
    context = options.student.context.max_tokens * 2 + 1024 + options.answer_tokens
    config = EndpointConfig(
        use="embedded",
        model=None if path is None else str(path),
        max_concurrency=slots,
        slots=slots,
        context_size=context,
        timeout=600,  # seconds: a small machine takes long to read a prompt
    )
    file = weights(name, config)
    details = {"model": file.name, "weights": weights_identity(file), **prompt_names(gold, options)}
    with start_embedded(name, config, options.ledger.with_name(f"{name}.server.log")) as url:
        predictions = _ask(name, config, {name: url}, gold, options)
    return System(name=name, kind="gguf", predictions=predictions, details=details)


def _ask(
    name: str, config: EndpointConfig, urls: Mapping[str, str], gold: GoldSet, options: RequestOptions
) -> tuple[Prediction, ...]:
    with Ledger(options.ledger) as ledger:
        found = run_coroutine(_ask_all(name, Client({name: config}, ledger, options.limits, urls), gold, options))
    predictions = tuple(one for one in found if isinstance(one, Prediction))
    lost = [one for one in found if isinstance(one, RequestFailed)]
    if lost:
        kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(one.kind for one in lost).most_common())
        raise ModelError(
            f"{name}: {len(lost)} of {len(gold.rows)} rows got no answer ({kinds}); the first: {lost[0]}",
            f"Run the same command again: the answers that came are in {options.ledger}.",
        )
    return predictions


async def _ask_all(
    name: str, client: Client, gold: GoldSet, options: RequestOptions
) -> list[Prediction | RequestFailed]:
    async with client as ask:
        return await asyncio.gather(*(_ask_one(name, ask, row, options) for row in gold.rows))


async def _ask_one(name: str, ask: Ask, row: GoldRow, options: RequestOptions) -> Prediction | RequestFailed:
    try:
        answer = await ask(name, request_for(row, options))
    except RequestFailed as exc:
        if exc.kind in _ANSWERED_BADLY:
            return Prediction(id=row.id, rewrite="", error=f"{exc.kind}: {exc.message}")
        return exc
    return prediction_from(row, answer.text, options, cut_off=answer.finish_reason == "length")
