"""What a stage would ask of an endpoint, in requests, tokens and money: the rows of ``pairwright plan``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.records import Task
from pairwright.pipelines.judging.endpoint_access import TYPICAL, count_requests


class Need(NamedTuple):
    """What one endpoint would still be asked, at most. ``known`` are requests whose answers are in the ledger already."""

    endpoint: str
    purpose: str
    requests: int
    known: int
    prompt_tokens: int
    completion_tokens: int
    cost: float


@dataclass(frozen=True)
class Outlook:
    """What is known before anything is asked: the queries of a build, and how many of them there are of each sort.

    ``dependent`` queries have a history, ``references`` bring a human rewrite or answer. ``ledger`` is there or not.
    """

    config: BuildConfig
    tasks: Callable[[], Iterator[Task]]
    queries: int
    dependent: int
    references: int
    ledger: Path

    @classmethod
    def of(cls, config: BuildConfig, tasks: Callable[[], Iterator[Task]], ledger: Path) -> Outlook:
        """Count what ``tasks()`` gives."""
        queries = dependent = references = 0
        for task in tasks():
            queries += 1
            dependent += bool(task.history)
            references += task.reference is not None
        return cls(config, tasks, queries, dependent, references, ledger)

    @property
    def candidates(self) -> int:
        """The candidates of all teachers, at most."""
        teachers = (one for one in self.config.generation if one.role == "teacher")
        return sum(len(one.temperatures) * min(one.sample or self.queries, self.queries) for one in teachers)

    @property
    def answered(self) -> int:
        """The queries that get an answer, at most."""
        teachers = [one.sample or self.queries for one in self.config.generation if one.role == "teacher"]
        return min(self.queries, self.references + sum(teachers))

    def asked(self, component: Configured, purpose: str, units: int) -> Iterator[Need]:
        """What ``component`` asks about so many candidates or pairs, by endpoint, nothing in the ledger."""
        for endpoint, requests in count_requests(component, self.config.task).items():
            calls = units * requests
            prompt, answer = (tokens * calls for tokens in TYPICAL)
            yield more(self.config.endpoints[endpoint], nothing(endpoint, purpose), calls, prompt, answer)


def nothing(endpoint: str, purpose: str) -> Need:
    """No request yet."""
    return Need(endpoint, purpose, 0, 0, 0, 0, 0.0)


def more(endpoint: EndpointConfig, need: Need, requests: int, prompt: int, completion: int) -> Need:
    """``need`` with so many more requests, of so many tokens together."""
    return need._replace(
        requests=need.requests + requests,
        prompt_tokens=need.prompt_tokens + prompt,
        completion_tokens=need.completion_tokens + completion,
        cost=need.cost + endpoint.price.of(prompt, completion),
    )
