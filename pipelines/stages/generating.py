"""The models of a build propose answers to its queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.llm.client import Client
from pairwright.core.llm.ledger import Ledger
from pairwright.core.records import Candidate
from pairwright.pipelines.artefacts import QUERIES
from pairwright.pipelines.endpoint_servers import endpoints_in_use
from pairwright.pipelines.needs import Need, Outlook, more, nothing
from pairwright.pipelines.request_plan import PlannedRequest, count_planned, plan_generation
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import RowStage


class Generate(RowStage):
    """One candidate per query, generator and temperature. Nothing is imported or started where there are none."""

    name: ClassVar[str] = "generate"
    unit: ClassVar[str] = "requests"
    per_row: ClassVar[bool] = True
    reads = (QUERIES,)

    def wanted(self, config: BuildConfig) -> bool:
        return bool(config.generation)

    def asks(self, config: BuildConfig) -> bool:
        return bool(config.generation)

    def inputs(self, run: Run, rows: Iterator[object]) -> Iterator[PlannedRequest]:  # noqa: ARG002
        return iter(plan_generation(run.config, lambda: run.read(QUERIES)))

    def outcomes(self, run: Run, rows: Iterator[PlannedRequest]) -> Iterator[Candidate | Failed]:
        from pairwright.pipelines.generation.candidate_generation import generate_candidates  # pulls in the client

        return generate_candidates(rows, run.config, run.ledger, run.base_urls, run.work)

    def total(self, run: Run) -> int:
        passing = sum(task.passes for task in run.read(QUERIES)) if run.config.gate is not None else 0
        return count_planned(run.config, run.count(QUERIES), passing)

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        """By endpoint and role; requests whose answers are in the ledger are counted apart."""
        # An empty ledger stands in for one that does not exist yet: a plan leaves no file behind.
        with scratch_folder("ledger", outlook.ledger) as folder:
            path = outlook.ledger if outlook.ledger.exists() else folder / "ledger.sqlite"
            with Ledger(path) as ledger:
                yield from _unanswered(outlook, ledger)


def _unanswered(outlook: Outlook, ledger: Ledger) -> Iterator[Need]:
    config = outlook.config
    client = Client(endpoints_in_use(config), ledger, config.limits)
    totals: dict[tuple[str, str], Need] = {}
    for planned in plan_generation(config, outlook.tasks):
        setting, request = planned.setting, planned.request()
        key = setting.endpoint, setting.role
        need = totals.get(key, nothing(*key))
        if client.stored(setting.endpoint, request) is not None:
            totals[key] = need._replace(known=need.known + 1)
            continue
        prompt = sum(estimate_tokens(message.content) for message in request.messages)
        prompt += estimate_tokens(request.tools)
        totals[key] = more(config.endpoints[setting.endpoint], need, 1, prompt, setting.max_tokens)
    yield from totals.values()
