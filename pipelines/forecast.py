"""What a build needs and what it would do, found out without sending anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pairwright.core.bookkeeping import StageCount
from pairwright.core.calibration import apply_calibration
from pairwright.core.components import Component, EndpointUser
from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.model_families import family_warnings
from pairwright.core.errors import ConfigError
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.llm.client import Client
from pairwright.core.llm.ledger import Ledger
from pairwright.pipelines.audit.probe import require_probe
from pairwright.pipelines.books import Books, Silent
from pairwright.pipelines.build import decide, ledger_path, read_tasks, tasks_in
from pairwright.pipelines.dedup.earlier_builds import require_earlier
from pairwright.pipelines.diversity.embedding import require_embedding
from pairwright.pipelines.endpoint_servers import endpoints_in_use, open_endpoints
from pairwright.pipelines.generation.request_plan import GenerationPlan, plan_generation
from pairwright.pipelines.judging.endpoint_access import TYPICAL, count_requests
from pairwright.pipelines.licence_check import require_combinable
from pairwright.pipelines.reporting.table import Table


class Need(NamedTuple):
    """What one endpoint would still be asked, at most: answers that are in the ledger are not counted."""

    endpoint: str
    purpose: str
    requests: int
    known: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


class Forecast(NamedTuple):
    """The rows that are there and the requests that they need."""

    counts: Sequence[StageCount]
    queries: int
    references: int
    needs: Sequence[Need]


def check_needs(config: BuildConfig) -> Iterator[str]:
    """One line per endpoint that could be asked, and warnings.

    Raises:
        ConfigError: the licences cannot be combined, or an environment variable with a key is not set, or the audit lacks scikit-learn.
        ModelError: an embedded endpoint lacks its server or weights.
    """
    apply_calibration(config)
    if config.audit:
        require_probe()
    require_combinable(config)
    require_earlier(config)
    require_embedding(config)
    for name, endpoint in endpoints_in_use(config).items():
        yield f"endpoint {name}: {_reachable(name, endpoint)}"
    yield from family_warnings(config)


def _reachable(name: str, endpoint: EndpointConfig) -> str:
    from pairwright.core.llm.embedded_server import weights

    if endpoint.use == "embedded":
        return f"{weights(name, endpoint).name} on this machine"
    if endpoint.api_key_env and not os.environ.get(endpoint.api_key_env):
        raise ConfigError(
            [f"endpoints.{name}.api_key_env: the environment variable {endpoint.api_key_env} is not set"],
            f"export {endpoint.api_key_env}=... in the shell that runs the build.",
        )
    key = f"key from {endpoint.api_key_env}" if endpoint.api_key_env else "no key"
    return f"{endpoint.model} at {endpoint.base_url}, {key}"


def forecast_build(config: BuildConfig) -> Forecast:
    """Read all sources and work out what the build would ask.

    Raises:
        SourceError: a source cannot be read.
        BuildError: no query is left, or too many rows failed.
    """
    with tempfile.TemporaryDirectory(prefix="pairwright-plan-") as folder:
        work = Path(folder)
        with Books(work, config.limits.max_failure_rate, Silent()) as books:
            read_tasks(config, books, work)
            if config.gate is not None and not config.gate.paid:
                with Ledger(work / "unused.sqlite") as nothing, open_endpoints(config, nothing, {}) as asked:
                    decide(config.gate, books, work, asked)
        queries = references = dependent = 0
        for task in tasks_in(work):
            queries += 1
            dependent += bool(task.history)
            references += task.reference is not None
        requests = plan_generation(config, lambda: tasks_in(work))
        needs = [
            *_gating(config, dependent),
            *_generation(config, requests, work),
            *_judging(config, queries, references),
            *_improving(config, queries, references),
        ]
        return Forecast(books.counts, queries, references, needs)


def _generation(config: BuildConfig, asked: GenerationPlan, work: Path) -> Iterator[Need]:
    # An empty ledger in the temporary folder stands in for one that does not exist yet: a plan leaves no file behind.
    path = ledger_path(config) if ledger_path(config).exists() else work / "ledger.sqlite"
    with Ledger(path) as ledger:
        client = Client(endpoints_in_use(config), ledger, config.limits)
        totals: dict[tuple[str, str], Need] = {}
        for planned in asked:
            setting, request = planned.setting, planned.request()
            key = setting.endpoint, setting.role
            need = totals.get(key, Need(*key, 0, 0, 0, 0, 0.0))
            if client.stored(setting.endpoint, request) is not None:
                totals[key] = need._replace(known=need.known + 1)
                continue
            prompt = sum(estimate_tokens(message.content) for message in request.messages)
            prompt += estimate_tokens(request.tools)
            totals[key] = _more(config.endpoints[setting.endpoint], need, 1, prompt, setting.max_tokens)
    yield from totals.values()


def _gating(config: BuildConfig, dependent: int) -> Iterator[Need]:
    """A gate that asks a model asks it about every query that has a history, nothing in the ledger."""
    if config.gate is not None and config.gate.paid:
        assert isinstance(config.gate, EndpointUser)
        name = config.gate.endpoint
        need = Need(name, "gate", 0, 0, 0, 0, 0.0)
        calls = dependent * config.gate.requests_per_candidate(config.task)
        yield _more(config.endpoints[name], need, calls, _GATE_PROMPT * calls, _GATE_ANSWER * calls)


def _judging(config: BuildConfig, queries: int, references: int) -> Iterator[Need]:
    """At most, with nothing in the ledger: every reference and every teacher's candidate before every paid judge.

    Of the comparisons that verify pairs, the first round: what is refused is replaced, and that asks for more.
    """
    teachers = [one for one in config.generation if one.role == "teacher"]
    candidates = sum(len(one.temperatures) * min(one.sample or queries, queries) for one in teachers)
    for judge in config.judges:
        yield from _asked(config, judge, judge.name, references + candidates)
    if config.comparison is not None:
        rivals = sum(len(one.temperatures) for one in teachers)
        bouts = {"scores": 0, "knockout": rivals - 1, "all_pairs": rivals * (rivals - 1) // 2}[config.pairing.choose]
        if bouts > 0:
            yield from _asked(config, config.comparison, "choose", bouts * (queries - references))
        if config.pairing.verify == "judge":
            pairs = min(config.pairing.max_per_task, len(config.perturbers) + len(config.generation)) * queries
            yield from _asked(config, config.comparison, "verify", pairs)


def _asked(config: BuildConfig, judge: Component, purpose: str, units: int) -> Iterator[Need]:
    for endpoint, requests in count_requests(judge, config.task).items():
        calls = units * requests
        prompt, answer = (tokens * calls for tokens in TYPICAL)
        yield _more(config.endpoints[endpoint], Need(endpoint, purpose, 0, 0, 0, 0, 0.0), calls, prompt, answer)


def _improving(config: BuildConfig, queries: int, references: int) -> Iterator[Need]:
    """At most: every query has an answer, each is improved, and each improvement goes before every paid judge."""
    if config.improve is not None:
        teachers = [one.sample or queries for one in config.generation if one.role == "teacher"]
        originals = min(queries, references + sum(teachers))
        yield from _asked(config, config.improve, config.improve.name, originals)
        for judge in config.judges:
            yield from _asked(config, judge, f"{judge.name}, improved", originals)


_GATE_PROMPT, _GATE_ANSWER = 900, 100  # tokens of one request of the gate


def _more(endpoint: EndpointConfig, need: Need, requests: int, prompt: int, completion: int) -> Need:
    return need._replace(
        requests=need.requests + requests,
        prompt_tokens=need.prompt_tokens + prompt,
        completion_tokens=need.completion_tokens + completion,
        cost=need.cost + endpoint.price.of(prompt, completion),
    )


def needs_table(needs: Sequence[Need]) -> Table:
    """Header, one row per endpoint and purpose, and the sum."""
    header = (
        "endpoint",
        "for",
        "requests",
        "already known",
        "prompt tokens",
        "answer tokens, at most",
        "cost, at most",
    )
    rows: list[tuple[object, ...]] = [(*need[:6], f"{need.cost:.4f}") for need in needs]
    sums = (sum(numbers) for numbers in zip(*(need[2:6] for need in needs), strict=True)) if needs else (0, 0, 0, 0)
    return [header, *rows, ("all", "", *sums, f"{sum(need.cost for need in needs):.4f}")]
