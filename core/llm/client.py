"""The one client of all endpoints. Everything that is asked goes through :class:`Client`, and through the ledger.

A request is looked up by its hash first; only if it was never answered does it go out, within the concurrency, the
rates and the budget of the build file. It is tried again after trouble that may pass, and its answer is committed
to the ledger before the caller sees it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from pairwright.core.awake import wait_awake
from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.errors import BudgetReached, ModelError, RequestFailed
from pairwright.core.identity import content_id, row_rng
from pairwright.core.interruption import GRACE, INTERRUPTION, Wait
from pairwright.core.llm.endpoint import Endpoint, Spent, key_of
from pairwright.core.llm.ledger import AskedAlready, Ledger
from pairwright.core.llm.rate_limits import backoff
from pairwright.core.llm.transport import Transport, Trouble
from pairwright.core.llm.wire import prompt_token_bound, request_body, token_estimate
from pairwright.core.requests import Answer, Ask, ChatRequest

T = TypeVar("T")
_LOOK_AGAIN = 0.1  # seconds


def request_hash(identity: str, request: ChatRequest) -> str:
    """Names one request to one model, whatever server and port it is asked at.

    ``identity`` is the model's name at the endpoint; for an embedded endpoint it is the SHA-256 of its weights.
    """
    return content_id({"model": identity, "request": request})


class Client:
    """Asks the endpoints of a build file; satisfies :class:`~pairwright.core.requests.Ask`.

    An async context manager: it belongs to the event loop that entered it. ``base_urls`` gives the URLs of embedded
    endpoints that are already running. ``reused`` counts the answers that came from the ledger.
    On the way out, requests on their way get :data:`GRACE` seconds to be answered and recorded,
    and nothing new is sent.
    """

    def __init__(
        self,
        endpoints: Mapping[str, EndpointConfig],
        ledger: Ledger,
        limits: LimitsConfig,
        base_urls: Mapping[str, str] | None = None,
    ) -> None:
        self.reused = 0
        self._ledger = ledger
        self._limits = limits
        self._base_urls = base_urls or {}
        self._configs = endpoints
        self._endpoints = {name: Endpoint(name, config) for name, config in endpoints.items()}
        self._tasks: dict[str, asyncio.Task[Answer]] = {}
        self._sending: dict[asyncio.Task[Any], str] = {}  # with the name of the endpoint
        self._settled = asyncio.Event()
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        tasks = set(self._tasks.values())
        # Those that still wait cost nothing; those on their way are paid for and worth the wait.
        for task in tasks - self._sending.keys():
            task.cancel()
        sent = dict(self._sending)
        try:
            await wait_awake(sent, GRACE)
        finally:
            INTERRUPTION.note(_fates(sent))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for endpoint in self._endpoints.values():
                if endpoint.transport is not None:
                    await endpoint.transport.close()

    async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
        """The answer to ``request``, from the ledger if it was ever asked before.

        Raises:
            RequestFailed: no answer after the retries.
            BudgetReached: asking would pass the budget.
            ModelError: the endpoint cannot be used at all.
        """
        state = self._endpoints[endpoint]
        supported = state.supported(request)
        name = request_hash(state.identity, supported)
        if (known := self._ledger.get(name)) is not None:
            self.reused += 1
            return known
        task = self._tasks.get(name)
        if task is None:
            if self._closing:  # whoever still asks goes with the loop
                raise asyncio.CancelledError
            task = self._tasks[name] = asyncio.create_task(self._ask(state, supported, name))
            task.add_done_callback(lambda done: self._forget(name, done))
        # Whoever gives up waiting must not take the answer from the others that wait for the same request.
        return await asyncio.shield(task)

    def stored(self, endpoint: str, request: ChatRequest) -> Answer | None:
        """The answer to ``request`` if it is in the ledger; nothing is sent."""
        state = self._endpoints[endpoint]
        return self._ledger.get(request_hash(state.identity, state.supported(request)))

    def _forget(self, name: str, task: asyncio.Task[Answer]) -> None:
        del self._tasks[name]
        if not task.cancelled():
            # Looked at once: when all that waited have given up, asyncio would print that it was never retrieved.
            task.exception()

    async def _ask(self, state: Endpoint, request: ChatRequest, name: str) -> Answer:
        body = request_body(request, state.model)
        retry = 0
        async with state.limiter.place():
            started = time.monotonic()
            while True:
                # In the loop: another request may have found it out while this one waited.
                if state.dead is not None:
                    raise state.dead
                outcome = await self._try(state, request, name, body)
                if isinstance(outcome, Answer):
                    return outcome
                state.give_up_if_pointless(outcome, retry, started)
                if not outcome.retry or retry >= state.config.max_retries or self._closing:
                    raise RequestFailed(outcome.kind, outcome.message)
                # The random part comes on top of Retry-After: all that were refused together would come back together.
                await asyncio.sleep(backoff(retry, name) + (outcome.retry_after or 0.0))
                retry += 1

    async def _try(self, state: Endpoint, request: ChatRequest, name: str, body: bytes) -> Answer | Trouble:
        """Send one request, when the rates and the budget allow it, and write down how it ended."""
        transport = self._transport(state)
        begun = await self._begin(state, name, len(body), prompt_token_bound(body), request.max_tokens)
        if isinstance(begun, Answer):
            return begun
        attempt, spent = begun
        sent = time.monotonic()
        with self._on_its_way(state.name):
            received = await transport.send(body)
            read = state.read(received, name, len(body), time.monotonic() - sent)
            outcome = self._record(attempt, state, read)
        state.heard(outcome, sent, spent)
        return outcome

    def _record(self, attempt: int, state: Endpoint, outcome: Answer | Trouble) -> Answer | Trouble:
        """Commit how an attempt ended. If another process was first, its answer is the answer."""
        if isinstance(outcome, Trouble):
            self._ledger.finish(attempt, outcome.kind, billed=outcome.billed)
            return outcome
        cost = state.cost(outcome.prompt_tokens, outcome.completion_tokens)
        kept = self._ledger.finish(attempt, "ok", answer=outcome, cost=cost)
        return outcome if kept else self._ledger.get(outcome.request_hash) or outcome

    @contextmanager
    def _on_its_way(self, endpoint: str) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._sending[task] = endpoint
        try:
            yield
        finally:
            del self._sending[task]
            # Wakes all that wait in _begin; whoever waits from now on waits for the next one that ends.
            self._settled.set()
            self._settled = asyncio.Event()

    async def _begin(
        self, state: Endpoint, name: str, size: int, prompt: int, completion: int
    ) -> tuple[int, Spent] | Answer:
        """Take a turn in the rates and the budget for a body of ``size`` bytes, and so many tokens at most.

        Another process with the same ledger may have asked the same, or be asking it: its answer is waited for. Not
        longer than any answer may take, for it may be stopped.
        """
        patience = state.config.timeout + GRACE
        while True:
            spent = await state.paced(token_estimate(size) + completion)
            try:
                return await self._reserve(state, name, prompt, completion, patience > 0), spent
            except AskedAlready:
                state.not_sent(spent)
            while patience > 0 and self._ledger.awaited_elsewhere(name):
                await asyncio.sleep(_LOOK_AGAIN)
                patience -= _LOOK_AGAIN
            if (known := self._ledger.get(name)) is not None:
                return known

    async def _reserve(self, state: Endpoint, name: str, prompt: int, completion: int, wait: bool) -> int:
        """Reserve the budget; while it does not reach, wait for requests on their way to give back what they did not use."""
        tokens, cost = prompt + completion, state.cost(prompt, completion)
        while True:
            try:
                return self._ledger.begin(name, state.name, tokens, cost, self._limits, wait)
            except BudgetReached:
                if not self._sending:
                    raise
            await self._settled.wait()

    def _transport(self, state: Endpoint) -> Transport:
        if state.transport is None:
            # The keys of all endpoints: one that is not set must end the build before this one is paid for anything.
            keys = {name: key_of(name, config) for name, config in self._configs.items()}
            url = self._base_urls.get(state.name) or state.config.base_url
            if url is None:
                raise ModelError(f"endpoint {state.name!r} is embedded and was not started")
            state.transport = Transport(
                state.name,
                url,
                keys[state.name],
                state.config.api_key_env,
                state.config.timeout,
                state.config.most_in_flight,
            )
        return state.transport


def _fates(sent: Mapping[asyncio.Task[Any], str]) -> Iterator[Wait]:
    for endpoint in sorted(set(sent.values())):
        tasks = [task for task, name in sent.items() if name == endpoint]
        ended = [task for task in tasks if task.done() and not task.cancelled()]
        answered = sum(task.exception() is None for task in ended)
        yield Wait(endpoint, len(tasks), answered, len(ended) - answered)


def reask(request: ChatRequest, times: int) -> ChatRequest:
    """``request`` with the seed of its ``times``-th repetition (0: itself)."""
    if times == 0:
        return request
    return request.model_copy(update={"seed": row_rng(request.seed, "reask", str(times)).getrandbits(31)})


async def ask_json(
    ask: Ask, endpoint: str, request: ChatRequest, parse: Callable[[str], T], reasks: int
) -> tuple[T, tuple[Answer, ...]]:
    """``parse`` applied to an answer's text, asked at most ``1 + reasks`` times (see :func:`reask`).

    ``parse`` raises ``ValueError`` for a text that it cannot use. All answers are returned, the used one last:
    it was the answer to ``reask(request, len(answers) - 1)``.

    Raises:
        RequestFailed: no answer could be used; ``kind`` tells what was wrong with the last one: ``truncated``,
            ``refused``, ``empty``, ``not_json`` or ``schema``.
    """
    answers: list[Answer] = []
    for times in range(reasks + 1):
        answer = await ask(endpoint, reask(request, times))
        answers.append(answer)
        if (kind := _unusable(answer)) is not None:
            failure = RequestFailed(
                kind,
                f"endpoint {endpoint!r}: finish_reason {answer.finish_reason!r} with {len(answer.text)} characters",
            )
            continue
        try:
            return parse(answer.text), tuple(answers)
        # JSONDecodeError and ValidationError are ValueErrors: in this order.
        except json.JSONDecodeError as exc:
            failure = RequestFailed(
                "not_json", f"endpoint {endpoint!r}: the answer is no JSON: {exc.msg} at character {exc.pos}"
            )
        except ValidationError as exc:
            # Without the input, which is the model's text.
            problems = "; ".join(
                f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in exc.errors(include_input=False)
            )
            failure = RequestFailed("schema", f"endpoint {endpoint!r}: {problems[:300]}")
        except ValueError as exc:
            failure = RequestFailed("schema", f"endpoint {endpoint!r}: {str(exc)[:300]}")
    raise failure


def _unusable(answer: Answer) -> str | None:
    if answer.finish_reason == "length":
        return "truncated"
    if answer.finish_reason in ("content_filter", "refusal"):
        return "refused"
    return None if answer.text.strip() else "empty"
