"""The one client of all endpoints. Everything that is asked goes through :class:`Client`, and through the ledger.

A request is looked up by its hash first; only if it was never answered does it go out, within the concurrency, the
rates and the budget of the build file. It is tried again after trouble that may pass, and its answer is committed
to the ledger before the caller sees it.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from pairwright.core.config import EndpointConfig, LimitsConfig
from pairwright.core.embedded import weights, weights_identity
from pairwright.core.errors import BudgetReached, ModelError, RequestFailed
from pairwright.core.ledger import Ledger
from pairwright.core.limits import AdaptiveGate, MinuteLimit, backoff
from pairwright.core.records import content_id, row_rng
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.core.transport import Transport, Trouble
from pairwright.core.wire import prompt_token_bound, read_answer, request_body, token_estimate

T = TypeVar("T")

LONGEST_PAUSE = 600.0
GRACE = 5.0
_TRIES_TO_CONNECT = 3


def request_hash(identity: str, request: ChatRequest) -> str:
    """Names one request to one model, whatever server and port it is asked at.

    ``identity`` is the model's name at the endpoint; for an embedded endpoint it is the SHA-256 of its weights.
    """
    return content_id({"model": identity, "request": request.model_dump(exclude_none=True)})


class Client:
    """Asks the endpoints of a build file; satisfies :class:`~pairwright.core.requests.Ask`.

    An async context manager: it belongs to the event loop that entered it. ``base_urls`` gives the URLs of embedded
    endpoints that are already running. ``reused`` counts the answers that came from the ledger.
    On the way out, requests on their way get :data:`GRACE` seconds to be answered and recorded.
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
        self._endpoints = {name: _Endpoint(name, config) for name, config in endpoints.items()}
        self._tasks: dict[str, asyncio.Task[Answer]] = {}
        self._sending: set[asyncio.Task[Any]] = set()
        self._settled = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = set(self._tasks.values())
        for task in tasks - self._sending:
            task.cancel()
        if self._sending:
            await asyncio.wait(self._sending, timeout=GRACE)
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
            task = self._tasks[name] = asyncio.create_task(self._ask(state, supported, name))
            task.add_done_callback(lambda done: self._forget(name, done))
        return await asyncio.shield(task)

    def stored(self, endpoint: str, request: ChatRequest) -> Answer | None:
        """The answer to ``request`` if it is in the ledger; nothing is sent."""
        state = self._endpoints[endpoint]
        return self._ledger.get(request_hash(state.identity, state.supported(request)))

    def _forget(self, name: str, task: asyncio.Task[Answer]) -> None:
        del self._tasks[name]
        if not task.cancelled():
            task.exception()

    async def _ask(self, state: _Endpoint, request: ChatRequest, name: str) -> Answer:
        body = request_body(request, state.model)
        started = time.monotonic()
        retry = 0
        async with state.gate.place():
            while True:
                if state.dead is not None:
                    raise state.dead
                outcome = await self._try(state, request, name, body)
                if isinstance(outcome, Answer):
                    return outcome
                state.give_up_if_pointless(outcome, retry, started)
                if not outcome.retry or retry >= state.config.max_retries:
                    raise RequestFailed(outcome.kind, outcome.message)
                await asyncio.sleep(max(backoff(retry, name), outcome.retry_after or 0.0))
                retry += 1

    async def _try(self, state: _Endpoint, request: ChatRequest, name: str, body: bytes) -> Answer | Trouble:
        """Send one request, when the rates and the budget allow it, and write down how it ended."""
        transport = self._transport(state)
        bound = prompt_token_bound(body)
        spent = await state.paced(token_estimate(len(body)) + request.max_tokens)
        if (known := self._ledger.get(name)) is not None:
            return known
        attempt = await self._begin(state, name, bound + request.max_tokens, state.cost(bound, request.max_tokens))
        sent = time.monotonic()
        with self._on_its_way():
            received = await transport.send(body)
            if not isinstance(received, Trouble):
                received = _read(received, state, name, len(body), time.monotonic() - sent)
            outcome = self._record(attempt, state, received)
        state.heard(outcome, sent, spent)
        return outcome

    def _record(self, attempt: int, state: _Endpoint, outcome: Answer | Trouble) -> Answer | Trouble:
        """Commit how an attempt ended. If another process was first, its answer is the answer."""
        if isinstance(outcome, Trouble):
            self._ledger.finish(attempt, outcome.kind, billed=outcome.billed)
            return outcome
        cost = state.cost(outcome.prompt_tokens, outcome.completion_tokens)
        kept = self._ledger.finish(attempt, "ok", answer=outcome, cost=cost)
        return outcome if kept else self._ledger.get(outcome.request_hash) or outcome

    @contextmanager
    def _on_its_way(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._sending.add(task)
        try:
            yield
        finally:
            self._sending.discard(task)
            self._settled.set()
            self._settled = asyncio.Event()

    async def _begin(self, state: _Endpoint, name: str, tokens: int, cost: float) -> int:
        """Reserve the budget; while it does not reach, wait for requests on their way to give back what they did not use."""
        while True:
            try:
                return self._ledger.begin(name, state.name, tokens, cost, self._limits)
            except BudgetReached:
                if not self._sending:
                    raise
            await self._settled.wait()

    def _transport(self, state: _Endpoint) -> Transport:
        if state.transport is None:
            keys = {name: _key(name, config) for name, config in self._configs.items()}
            url = self._base_urls.get(state.name) or state.config.base_url
            if url is None:
                raise ModelError(f"endpoint {state.name!r} is embedded and was not started")
            state.transport = Transport(
                state.name,
                url,
                keys[state.name],
                state.config.api_key_env,
                state.config.timeout,
                state.config.max_concurrency,
            )
        return state.transport


class _Endpoint:
    """What a client knows of one endpoint while it runs."""

    def __init__(self, name: str, config: EndpointConfig) -> None:
        self.name = name
        self.config = config
        self.gate = AdaptiveGate(config.max_concurrency)
        self.requests = MinuteLimit(config.requests_per_minute) if config.requests_per_minute else None
        self.tokens = MinuteLimit(config.tokens_per_minute) if config.tokens_per_minute else None
        self.transport: Transport | None = None
        self.dead: ModelError | None = None
        self.answered_at: float | None = None

    @cached_property
    def model(self) -> str:
        """The model's name at the endpoint."""
        return self.config.model or "" if self.config.use == "openai" else weights(self.name, self.config).stem

    @cached_property
    def identity(self) -> str:
        """What names the model in request hashes."""
        return self.model if self.config.use == "openai" else weights_identity(weights(self.name, self.config))

    def supported(self, request: ChatRequest) -> ChatRequest:
        """``request`` without what the endpoint does not honour."""
        dropped: dict[str, None] = {}
        if request.json_schema is not None and not self.config.json_schema:
            dropped["json_schema"] = None
        if request.top_logprobs is not None and not self.config.logprobs:
            dropped["top_logprobs"] = None
        return request.model_copy(update=dropped) if dropped else request

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """In the currency of the build file's prices."""
        price = self.config.price
        return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6

    async def paced(self, tokens: int) -> list[float] | None:
        """Wait until the server and the rates allow a request of about that many tokens."""
        await self.gate.opened()
        if self.requests is not None:
            await self.requests.spend(1)
        return await self.tokens.spend(tokens) if self.tokens is not None else None

    def heard(self, outcome: Answer | Trouble, sent: float, spent: list[float] | None) -> None:
        """Adapt to how a request that was ``sent`` then ended; ``spent`` is what :meth:`paced` took for it."""
        if isinstance(outcome, Answer):
            self.answered_at = time.monotonic()
            self.gate.succeeded()
            if self.tokens is not None and spent is not None:
                self.tokens.correct(spent, outcome.prompt_tokens + outcome.completion_tokens)
        elif outcome.throttled:
            self.gate.throttled(sent, outcome.retry_after)

    def died(self, message: str, hint: str) -> ModelError:
        """The error that this and every later request to the endpoint ends in."""
        self.dead = ModelError(message, hint)
        return self.dead

    def give_up_if_pointless(self, trouble: Trouble, retry: int, started: float) -> None:
        """Raise ModelError where no request can work: refused for good, nobody there, no API there, a pause of hours."""
        if trouble.fatal:
            raise self.died(trouble.message, trouble.hint)
        if (trouble.retry_after or 0.0) > LONGEST_PAUSE:
            raise self.died(
                f"{trouble.message} It asks to wait {trouble.retry_after:.0f} s.",
                "Run the same command again then: nothing paid for is lost.",
            )
        silent = self.answered_at is None
        last = retry >= self.config.max_retries
        if trouble.kind == "connection" and silent and (last or retry + 1 >= _TRIES_TO_CONNECT):
            raise self.died(trouble.message, f"Start the server, or correct endpoints.{self.name}.base_url.")
        if trouble.kind == "connection" and last and (self.answered_at or 0.0) < started:
            raise self.died(
                trouble.message,
                "The server is gone. Start it and run the same command again: nothing paid for is lost.",
            )
        if silent and (trouble.kind == "http_404" or (trouble.kind == "malformed_body" and last)):
            raise self.died(
                trouble.message,
                f"Does endpoints.{self.name}.base_url end in /v1, as the server's documentation says?",
            )


def _key(name: str, config: EndpointConfig) -> str:
    if config.api_key_env is None:
        return "none"
    key = os.environ.get(config.api_key_env, "").strip()
    if not key:
        raise ModelError(
            f"endpoint {name!r} takes its key from the environment variable {config.api_key_env}, which is not set.",
            f"export {config.api_key_env}=... and run the same command again. Nothing was sent.",
        )
    return key


def _read(received: bytes, state: _Endpoint, name: str, asked_bytes: int, latency: float) -> Answer | Trouble:
    try:
        return read_answer(received, name, asked_bytes, latency, state.model)
    except ValueError as exc:
        return Trouble("malformed_body", f"endpoint {state.name!r}: status 200 with {exc}", retry=True, billed=True)


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
        except json.JSONDecodeError as exc:
            failure = RequestFailed(
                "not_json", f"endpoint {endpoint!r}: the answer is no JSON: {exc.msg} at character {exc.pos}"
            )
        except ValidationError as exc:
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
