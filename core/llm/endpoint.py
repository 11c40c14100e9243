"""What a client knows of one endpoint while it runs: its model, its pace, its price, and whether it is dead."""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import NamedTuple

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import ModelError
from pairwright.core.llm.embedded_server import weights, weights_identity
from pairwright.core.llm.rate_limits import AdaptiveLimiter, MinuteLimit
from pairwright.core.llm.transport import Transport, Trouble
from pairwright.core.llm.wire import read_answer
from pairwright.core.requests import Answer, ChatRequest

LONGEST_PAUSE = 600.0  # seconds that a Retry-After may ask for; beyond them a build stops and says so
_TRIES_TO_CONNECT = 3


class Spent(NamedTuple):
    """What one request took of the rates, where there are such."""

    requests: list[float] | None
    tokens: list[float] | None


class Endpoint:
    """One endpoint of a build file, in use."""

    def __init__(self, name: str, config: EndpointConfig) -> None:
        self.name = name
        self.config = config
        self.limiter = AdaptiveLimiter(config.most_in_flight)
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
        return self.config.price.of(prompt_tokens, completion_tokens)

    async def paced(self, tokens: int) -> Spent:
        """Wait until the server and the rates allow a request of about that many tokens."""
        await self.limiter.opened()
        request = await self.requests.spend(1) if self.requests is not None else None
        return Spent(request, await self.tokens.spend(tokens) if self.tokens is not None else None)

    def not_sent(self, spent: Spent) -> None:
        """Give back to the rates what :meth:`paced` took for a request that did not go out."""
        for limit, entry in ((self.requests, spent.requests), (self.tokens, spent.tokens)):
            if limit is not None and entry is not None:
                limit.correct(entry, 0)

    def heard(self, outcome: Answer | Trouble, sent: float, spent: Spent) -> None:
        """Adapt to how a request that was ``sent`` then ended; ``spent`` is what :meth:`paced` took for it."""
        if isinstance(outcome, Answer):
            self.answered_at = time.monotonic()
            self.limiter.succeeded()
            if self.tokens is not None and spent.tokens is not None:
                self.tokens.correct(spent.tokens, outcome.prompt_tokens + outcome.completion_tokens)
        elif outcome.throttled:
            self.limiter.throttled(sent, outcome.retry_after)

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
        silent = self.answered_at is None  # never answered anything: rather a wrong address than a passing trouble
        last = retry >= self.config.max_retries
        if trouble.kind == "connection" and silent and (last or retry + 1 >= _TRIES_TO_CONNECT):
            raise self.died(trouble.message, f"Start the server, or correct endpoints.{self.name}.base_url.")
        if trouble.kind == "connection" and last and (self.answered_at or 0.0) < started:
            raise self.died(
                trouble.message,
                "The server is gone. Start it and run the same command again: nothing paid for is lost.",
            )
        if trouble.kind == "timeout" and silent and last and retry + 1 >= _TRIES_TO_CONNECT:
            raise self.died(
                trouble.message,
                f"If the server is only slow, raise endpoints.{self.name}.timeout; else look at its log.",
            )
        if silent and (trouble.kind == "http_404" or (trouble.kind == "malformed_body" and last)):
            raise self.died(
                trouble.message,
                f"Does endpoints.{self.name}.base_url end in /v1, as the server's documentation says?",
            )

    def read(self, received: bytes | Trouble, name: str, asked_bytes: int, latency: float) -> Answer | Trouble:
        """The answer in what a server sent back for the request called ``name``, or why there is none."""
        if isinstance(received, Trouble):
            return received
        try:
            return read_answer(received, name, asked_bytes, latency, self.model)
        except ValueError as exc:
            text = f"endpoint {self.name!r}: status 200 with {exc}"
            # With status 200 the server has worked, and may charge for it.
            return Trouble("malformed_body", text, retry=True, billed=True)


def key_of(name: str, config: EndpointConfig) -> str:
    """The key of endpoint ``name`` from its environment variable; a dummy for servers without keys.

    Raises:
        ModelError: the variable is not set, or holds what cannot be a key.
    """
    if config.api_key_env is None:
        return "none"
    key = os.environ.get(config.api_key_env, "").strip()
    if not key:
        raise ModelError(
            f"endpoint {name!r} takes its key from the environment variable {config.api_key_env}, which is not set.",
            f"export {config.api_key_env}=... and run the same command again. Nothing was sent.",
        )
    if problem := key_problem(key):
        raise ModelError(
            f"endpoint {name!r}: the environment variable {config.api_key_env} {problem}; its value is not shown.",
            f"export {config.api_key_env}=... with the key alone, and run the same command again. Nothing was sent.",
        )
    return key


def key_problem(key: str) -> str | None:
    """Why ``key`` can be no key, in words that show nothing of it; None if it can."""
    if "\n" in key or "\r" in key:
        return "holds a line break inside the key"
    if " " in key:
        return "holds a space inside the key"
    if not key.isascii():
        return "holds characters beyond ASCII, which no key has"
    return None if key.isprintable() else "holds control characters, which no key has"
