"""What the stages that judge share: the client, the event loop that it lives in, and the tally of what it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pairwright.core.components import Configured, EndpointUser, Judge
from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.config.component_references import components_in
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.judge_usage import JudgeUse
from pairwright.core.records import TaskKind
from pairwright.core.requests import Answer, Ask, ChatRequest


class UsageCounter:
    """Counts the answers that each judge takes, by stage and endpoint, and what there was to judge in each stage."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], Counter[str]] = {}
        self._units: Counter[str] = Counter()

    def count_answers(self, stage: str, judge: str, ask: Ask) -> Ask:
        """``ask``, with its answers counted as those of ``judge`` in ``stage``."""

        async def asked(endpoint: str, request: ChatRequest) -> Answer:
            answer = await ask(endpoint, request)
            counts = self._counts.setdefault((stage, judge, endpoint), Counter())
            counts.update(requests=1, prompt=answer.prompt_tokens, completion=answer.completion_tokens)
            return answer

        return asked

    def expect(self, stage: str, units: int = 1) -> None:
        """So many more candidates (in ``judge``) or pairs of texts would be judged without the cascade."""
        self._units[stage] += units

    def uses(
        self,
        judges: Iterable[tuple[str, Configured]],
        endpoints: Mapping[str, EndpointConfig],
        kind: TaskKind,
    ) -> list[JudgeUse]:
        """One row per stage, judge and endpoint, sorted. ``judges`` are those that each stage uses."""
        each: Counter[tuple[str, str, str]] = Counter()
        for stage, judge in judges:
            for endpoint, requests in count_requests(judge, kind).items():
                each[stage, judge.name, endpoint] += requests
        return [
            JudgeUse(
                stage=key[0],
                judge=key[1],
                endpoint=key[2],
                requests=counts["requests"],
                prompt_tokens=counts["prompt"],
                completion_tokens=counts["completion"],
                cost=endpoints[key[2]].price.of(counts["prompt"], counts["completion"]),
                at_most=each[key] * self._units[key[0]],
            )
            for key, counts in sorted(self._counts.items())
        ]


class EndpointAccess(NamedTuple):
    """How judges reach their endpoints in a build. ``width`` is how many rows to have with them at once."""

    ask: Ask
    runner: CoroutineRunner
    width: int
    usage: UsageCounter


def count_requests(judge: Configured, kind: TaskKind) -> Counter[str]:
    """How many requests one candidate, or one pair of texts, costs at each endpoint when nothing spares any."""
    found: Counter[str] = Counter()
    for _, part in components_in(judge):
        if isinstance(part, EndpointUser):
            found[part.endpoint] += part.requests_per_candidate(kind)
    return found


def order_by_cost(judges: Iterable[Judge], endpoints: Mapping[str, EndpointConfig], kind: TaskKind) -> list[Judge]:
    """The judges that ask nobody, then the others by what one candidate costs them, by their requests, and as given."""

    def cost(judge: Judge) -> tuple[bool, float, int]:
        requests = count_requests(judge, kind)
        prices = sum(endpoints[name].price.of(*TYPICAL) * number for name, number in requests.items())
        return judge.paid, prices, requests.total()

    return sorted(judges, key=cost)


TYPICAL = (700, 200)  # prompt and answer tokens of one judging request, measured on the shipped rubric
