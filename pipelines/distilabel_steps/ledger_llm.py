"""Any OpenAI-compatible endpoint as a distilabel LLM whose answers are paid for once. Importing it imports distilabel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from distilabel.models.llms.base import AsyncLLM
from pydantic import PrivateAttr, ValidationError

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.errors import PairwrightError, RequestFailed
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.execution.supervision import POLL_SECONDS, Control
from pairwright.core.identity import row_rng
from pairwright.core.interruption import INTERRUPTION
from pairwright.core.llm.client import Client, ask_json
from pairwright.core.llm.ledger import Ledger
from pairwright.core.prompts.kinds import provenance
from pairwright.core.requests import ChatRequest
from pairwright.pipelines.distilabel_steps.embedded_servers import EmbeddedServers
from pairwright.pipelines.failure_limit import FailureLimit

Record = dict[str, Any]
COLUMNS = ("error", "message", "model", "request_hash", "prompt_hash", "seed")


class Prompt(NamedTuple):
    """What a task may hand to a :class:`LedgerLLM` instead of bare messages: the whole request, and how to read the answer.

    ``parse`` raises ``ValueError`` for an answer that is to be asked again, at most ``reasks`` times.
    """

    request: ChatRequest
    parse: Callable[[str], object]
    reasks: int


class Unaskable(NamedTuple):
    """A row from which no prompt can be made; ``message`` says why."""

    message: str


class Stopped(Exception):
    """The supervising build asked for no more requests."""


class LedgerLLM(AsyncLLM):  # type: ignore[misc]
    """Any OpenAI-compatible endpoint behind the ledger: answers are kept on disk and never paid for twice.

    One request that fails costs only its own row: its generation is ``None`` and the columns ``error`` (a slug, see
    ``RequestFailed``) and ``message`` say why; ``model``, ``request_hash``, ``prompt_hash`` and ``seed`` name a good one.

    Attributes:
        name: what the ledger and error messages call the endpoint.
        endpoint: where and how to ask; see the build file.
        ledger: path of the SQLite ledger.
        limits: the budget.
        base_url: where an embedded endpoint listens; others have theirs in ``endpoint``. Without it the server of an
            embedded one starts with the first request that the ledger cannot answer, and stops with ``unload``.
        temperature: for tasks that hand over bare messages.
        max_tokens: for tasks that hand over bare messages.
        control: folder of the supervising build, none elsewhere.
        failures: how many of the build's requests may fail; as soon as more do, nothing more is asked.

    Raises:
        BudgetReached: from ``generate``, once the requests on their way are answered.
        ModelError: likewise, when the endpoint cannot be used at all.
        StorageError: the ledger cannot be used.
        BuildError: likewise, when more requests fail than ``failures`` allows.
    """

    name: str
    endpoint: EndpointConfig
    ledger: str
    limits: LimitsConfig = LimitsConfig()
    base_url: str | None = None
    temperature: float = 0.7
    max_tokens: int = 512
    control: str | None = None
    failures: FailureLimit | None = None

    _stack: AsyncExitStack | None = PrivateAttr(None)
    _opened: ExitStack | None = PrivateAttr(None)
    _runner: CoroutineRunner | None = PrivateAttr(None)
    _client: Client | None = PrivateAttr(None)
    _control: Control | None = PrivateAttr(None)
    _fatal: BaseException | None = PrivateAttr(None)
    _lost: Counter[str] = PrivateAttr(default_factory=Counter)
    _usable: int = PrivateAttr(0)

    @property
    def model_name(self) -> str:
        """The model's name at its endpoint."""
        return self.endpoint.model or "embedded"

    def load(self) -> None:
        """Open ledger and client in the process that asks."""
        super().load()
        self._fatal = None
        self._control = Control(Path(self.control)) if self.control else None
        # distilabel's own event loop is the running one where there is one: a notebook's, which cannot run twice.
        with ExitStack() as opened:
            self._runner = opened.enter_context(CoroutineRunner())
            try:
                self._runner.run(self._open())
            except PairwrightError as error:
                # distilabel cannot bring every exception out of the process of a step.
                if self._control is not None:
                    self._control.report(error)
                raise
            self._opened = opened.pop_all()

    def unload(self) -> None:
        """Close the connections, the ledger and the event loop; may be called twice."""
        if self._runner is not None and self._opened is not None:
            with self._opened:
                self._runner.run(self._close())
            self._runner = self._opened = None

    async def _open(self) -> None:
        self._stack = AsyncExitStack()
        ledger = self._stack.enter_context(Ledger(Path(self.ledger)))
        servers = self._stack.enter_context(EmbeddedServers({self.name: self.endpoint}, Path(self.ledger).parent))
        urls = {self.name: self.base_url} if self.base_url else servers
        self._client = await self._stack.enter_async_context(
            Client({self.name: self.endpoint}, ledger, self.limits, urls)
        )

    async def _close(self) -> None:
        if self._stack is not None:
            await self._stack.aclose()
            self._stack = None

    def generate(self, inputs: list[Any], num_generations: int = 1, **_: Any) -> list[Record]:
        """One output per input, in order; see the class for failures and errors."""
        if self._fatal is not None:
            raise self._fatal
        assert self._runner is not None, "load() comes first"
        with ExitStack() as broken:
            broken.callback(self.unload)  # after an error nobody can be sure that it comes to that
            with self._control.asking() if self._control else nullcontext():
                # The build looks at what asks only after it has said stop: one of the two sees the other.
                if self._control is not None and self._control.stopped():
                    raise Stopped
                outputs = self._runner.run(self._agenerate(inputs, num_generations))
            broken.pop_all()
            return outputs

    async def _agenerate(self, inputs: list[Any], num_generations: int = 1, **_: Any) -> list[Record]:
        # distilabel's own gathers: at the first error it leaves the other requests running with nobody to hear them.
        # And it starts all at once: preparing every prompt of a batch before the first one is sent costs a third of
        # the speed, so only as many are begun as keep the endpoint busy.
        outputs: list[Record] = [{}] * len(inputs)
        waiting = iter(enumerate(inputs))

        async def work() -> None:
            for at, input in waiting:
                outputs[at] = await self.agenerate(input, num_generations)

        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(work()) for _ in range(min(len(inputs), 2 * self.endpoint.most_in_flight))]
                watch = group.create_task(self._watch())
                if workers:
                    await asyncio.wait(workers)
                watch.cancel()
        except BaseExceptionGroup as errors:
            await self._give_up(errors.exceptions)
        return outputs

    async def _watch(self) -> None:
        while self._control is not None:
            if self._control.stopped():
                raise Stopped
            await asyncio.sleep(POLL_SECONDS)

    async def _give_up(self, errors: Sequence[BaseException]) -> NoReturn:
        """Tell the build, let the requests on their way be answered and recorded, and raise."""
        error = next((error for error in errors if isinstance(error, PairwrightError)), errors[0])
        self._fatal = error
        if self._control is not None and isinstance(error, PairwrightError):
            self._control.report(error)
        await self._close()
        if self._control is not None:
            self._control.note(INTERRUPTION.take())
        raise error

    async def agenerate(self, input: Any, num_generations: int = 1) -> Record:
        """The generations for one input: a :class:`Prompt`, an :class:`Unaskable` or a list of messages."""
        prompt = input if isinstance(input, Prompt | Unaskable) else self._prompt(input)
        if isinstance(prompt, Unaskable):
            answers = [_failed("bad_row", prompt.message)] * num_generations
        else:
            answers = [await self._answer(prompt, sample) for sample in range(num_generations)]
        columns = {key: [answer[key] for answer in answers] for key in COLUMNS}
        return {
            "generations": [answer["text"] for answer in answers],
            "statistics": {key: [answer[key] for answer in answers] for key in ("input_tokens", "output_tokens")},
            **columns,
        }

    def _prompt(self, messages: Any) -> Prompt | Unaskable:
        try:
            request = ChatRequest(messages=messages, temperature=self.temperature, max_tokens=self.max_tokens)
        except ValidationError as exc:
            return Unaskable(str(exc))
        return Prompt(request, str, 0)

    async def _answer(self, prompt: Prompt, sample: int) -> Record:
        assert self._client is not None, "load() comes first"
        request = prompt.request
        if sample:
            request = request.model_copy(update={"seed": row_rng(request.seed, "sample", str(sample)).getrandbits(31)})
        try:
            _, answers = await ask_json(self._client, self.name, request, prompt.parse, prompt.reasks)
        except RequestFailed as exc:
            self._count(exc)
            return _failed(exc.kind, exc.message)
        self._usable += 1
        return {
            "text": answers[-1].text,
            "input_tokens": sum(answer.prompt_tokens for answer in answers),
            "output_tokens": sum(answer.completion_tokens for answer in answers),
            "error": "",
            "message": "",
            **provenance(request, answers),
        }

    def _count(self, failure: RequestFailed) -> None:
        self._lost[failure.kind] += 1
        if self.failures is not None and self.failures.passed(self._lost.total(), self._usable):
            asked = self._lost.total() + self._usable
            hint = f"The last one: {failure.message}. Answers that came are in the ledger."
            raise self.failures.error(self._lost, asked, f" at endpoint {self.name!r} already", hint)


def _failed(error: str, message: str) -> Record:
    return {
        **dict.fromkeys(("text", *COLUMNS)),
        "input_tokens": 0,
        "output_tokens": 0,
        "error": error,
        "message": message,
    }
