"""What is asked of an endpoint, and what comes back. The client and the ledger both use these two rows."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from pydantic import Field

from pairwright.core.identity import Row, content_id
from pairwright.core.records import Role, ToolCall


def _absent(value: object) -> bool:
    return not value


class Message(Row):
    """One chat message. ``calls`` are tools that an assistant called; the ``tool`` messages after it have what they said."""

    hashed: ClassVar[tuple[str, ...]] = ("role", "content", "calls")
    role: Role
    content: str
    calls: tuple[ToolCall, ...] = Field((), exclude_if=_absent)


class ChatRequest(Row):
    """A chat completion to ask for. Everything that can change the answer is in here, and so in its hash.

    ``json_schema`` asks for output constrained to that schema (OpenAI's ``response_format`` of type
    ``json_schema``, strict); ``top_logprobs`` asks for that many alternatives per token. ``seed`` comes from
    ``row_rng``, so that two samples of one prompt are two requests. ``tools`` are definitions as a ``Conversation`` keeps
    them; an answer that calls some is the JSON text of its calls.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "messages",
        "temperature",
        "max_tokens",
        "seed",
        "json_schema",
        "schema_name",
        "top_logprobs",
        "tools",
    )
    messages: tuple[Message, ...]
    temperature: float = 0.0
    max_tokens: int = 512
    seed: int = 0
    json_schema: dict[str, Any] | None = None
    schema_name: str = "answer"
    top_logprobs: int | None = None
    tools: str = Field("", exclude_if=_absent)

    def identity(self) -> dict[str, object]:
        """What is asked for; what is not asked for is left out."""
        return {name: value for name, value in super().identity().items() if value is not None}

    @property
    def prompt_hash(self) -> str:
        """Names the messages alone."""
        return content_id(list(self.messages))


class TokenLogprob(Row):
    """One token of an answer with the alternatives that the model weighed, as ``{token: log-probability}``."""

    token: str
    logprob: float
    top: dict[str, float] = {}


class Answer(Row):
    """One answer of an endpoint, as it is in the ledger. ``latency`` is in seconds."""

    request_hash: str
    model: str
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    logprobs: tuple[TokenLogprob, ...] = ()
    latency: float = 0.0


class Ask(Protocol):
    """Sends requests to the endpoints of a build file, through the ledger."""

    async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
        """The answer to ``request``, from the ledger if it was ever asked before.

        Raises:
            RequestFailed: no usable answer after the retries.
            BudgetReached: asking would pass the budget.
            ModelError: the endpoint cannot be used at all.
        """
        ...
