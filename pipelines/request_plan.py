"""What the generation stage will ask: one :class:`PlannedRequest` per query, generator and temperature.

Nothing here depends on the order of the queries or on what ran before: the seed of a request comes from the query's
id, and so does the draw of ``sample`` queries. No teacher is asked about a query that passes the gate.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.build_file import EndpointConfig, GeneratorConfig, PromptConfig, Style
from pairwright.core.identity import Row, row_rng
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import Candidate, Generation, Task
from pairwright.core.requests import ChatRequest

Drawn = tuple[str, int]


class GenerationSettings(Protocol):
    """What a plan needs of a build file."""

    @property
    def seed(self) -> int: ...
    @property
    def generation(self) -> Sequence[GeneratorConfig]: ...
    @property
    def endpoints(self) -> Mapping[str, EndpointConfig]: ...
    @property
    def prompt(self) -> PromptConfig: ...


class SamplingSetting(Row):
    """One temperature of one generator; ``index`` counts the temperatures of one role at one endpoint."""

    role: Literal["teacher", "weak"]
    endpoint: str
    index: int
    temperature: float
    max_tokens: int
    reasks: int
    style: Style
    sample: int | None
    on_policy: bool = False
    tools: bool = False


class Outcome(Row):
    """What came of one request; ``error`` is empty for a good one."""

    analysis: str | None = None
    needs_rewrite: bool | None = None
    text: str | None = None
    error: str
    message: str
    model: str | None = None
    request_hash: str | None = None
    prompt_hash: str | None = None
    seed: int | None = None


class PlannedRequest(Row):
    """One request of the generation stage. ``number`` is its place in the plan, from 0."""

    number: int
    task: Task
    setting: SamplingSetting
    seed: int

    @property
    def name(self) -> str:
        """Names this request in the books: ``TASK/teacher.ENDPOINT.0``."""
        return f"{self.task.id}/{self.setting.role}.{self.setting.endpoint}.{self.setting.index}"

    def request(self) -> ChatRequest:
        """What goes to the endpoint."""
        return KINDS[self.task.kind].teacher_request(self.task, self.setting, self.seed)

    def result(self, outcome: Outcome) -> Candidate | Failed:
        """The candidate that the request brought, or why it brought none."""
        setting = self.setting
        if outcome.error:
            message = f"{setting.role} at temperature {setting.temperature:g}: {outcome.message}"
            return Failed(stage="generate", row=self.name, error=outcome.error, message=message)
        return Candidate.create(
            task=self.task.id,
            origin=setting.role,
            text=outcome.text,
            analysis=outcome.analysis,
            needs_rewrite=outcome.needs_rewrite,
            generation=Generation(
                endpoint=setting.endpoint,
                model=outcome.model,
                prompt_hash=outcome.prompt_hash,
                request_hash=outcome.request_hash,
                temperature=setting.temperature,
                seed=outcome.seed,
                on_policy=setting.on_policy,
            ),
        )


@dataclass(frozen=True)
class GenerationPlan:
    """All requests of one build, in order of the queries; each iteration streams the queries again."""

    tasks: Callable[[], Iterable[Task]]
    settings: tuple[SamplingSetting, ...]
    seed: int
    drawn: Mapping[Drawn, frozenset[str]]
    length: int

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[PlannedRequest]:
        number = 0
        for task in self.tasks():
            for setting in self.settings:
                if _wanted(task, setting) and (setting.sample is None or task.id in self.drawn[_draw_of(setting)]):
                    place = f"generate.{setting.role}.{setting.endpoint}.{setting.index}"
                    seed = row_rng(self.seed, place, task.id).getrandbits(31)
                    yield PlannedRequest(number=number, task=task, setting=setting, seed=seed)
                    number += 1


def plan_generation(config: GenerationSettings, tasks: Callable[[], Iterable[Task]]) -> GenerationPlan:
    """The requests that ``config.generation`` needs for the rows of ``tasks()``.

    ``tasks`` is called once here, to count and to draw the samples, and once per iteration of the plan, so that the
    queries never are in memory together. Their ids must be unique.
    """
    settings = _settings(config)
    draws = {_draw_of(one): _Draw(one.sample) for one in settings if one.sample is not None}
    count = passing = 0
    for task in tasks():
        count += 1
        passing += task.passes
        if draws:
            # One rank per query for all draws: a smaller sample is a part of a larger one.
            rank = row_rng(config.seed, "generate.sample", task.id).random()
            for (role, _), draw in draws.items():
                if not (task.passes and role == "teacher"):
                    draw.offer(rank, task.id)
    drawn = {key: draw.chosen() for key, draw in draws.items()}
    return GenerationPlan(tasks, settings, config.seed, drawn, count_planned(config, count, passing))


def count_planned(config: GenerationSettings, tasks: int, passing: int = 0) -> int:
    """How many requests ``tasks`` queries need, ``passing`` of which no teacher is asked about.

    Retries and answers asked for again come on top.
    """
    total = 0
    for one in _settings(config):
        asked = tasks - passing if one.role == "teacher" else tasks
        total += asked if one.sample is None else min(one.sample, asked)
    return total


def _wanted(task: Task, setting: SamplingSetting) -> bool:
    """No teacher is paid for a query that passes the gate; what a weak model makes of it may still be rejected."""
    return not (task.passes and setting.role == "teacher")


def _draw_of(setting: SamplingSetting) -> Drawn:
    # Generators of one role that ask for equally many queries get the same ones.
    return setting.role, setting.sample or 0


class _Draw:
    """The ``size`` lowest ranks offered so far: a draw that does not depend on the order of the rows."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float, str]] = []

    def offer(self, rank: float, key: str) -> None:
        if len(self._heap) < self._size:
            # Negated: the heap's top is the highest rank of those kept, which is the next to go.
            heapq.heappush(self._heap, (-rank, key))
        else:
            heapq.heappushpop(self._heap, (-rank, key))

    def chosen(self) -> frozenset[str]:
        return frozenset(key for _, key in self._heap)


def _settings(config: GenerationSettings) -> tuple[SamplingSetting, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for generator in config.generation:
        for temperature in generator.temperatures:
            key = generator.role, generator.endpoint
            found.append(
                SamplingSetting(
                    role=generator.role,
                    endpoint=generator.endpoint,
                    index=counts[key],
                    temperature=temperature,
                    max_tokens=generator.max_tokens,
                    reasks=generator.reasks,
                    style=config.prompt.style,
                    sample=generator.sample,
                    on_policy=generator.on_policy,
                    tools=config.endpoints[generator.endpoint].tools,
                )
            )
            counts[key] += 1
    return tuple(found)
