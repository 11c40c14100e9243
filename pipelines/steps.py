"""The generation stage as distilabel parts, usable in any distilabel pipeline and without a pool.

    llm = LedgerLLM(name="teacher", endpoint=EndpointConfig(base_url=..., model=...), ledger="paid.sqlite")
    task = RewriteQuery(llm=llm)
    task.load()
    rows = next(task.process([{"language": "en", "history": [...], "query": "When was she born?"}]))

:class:`LedgerLLM` works under every distilabel task: what it was asked once it is never asked, nor paid for, again.
Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from distilabel.models.llms.base import AsyncLLM
from distilabel.steps import GeneratorStep, StepInput
from distilabel.steps.tasks import Task
from pydantic import PrivateAttr, ValidationError

from pairwright.core.client import Client, ask_json
from pairwright.core.config import EndpointConfig, LimitsConfig, Style
from pairwright.core.errors import PairwrightError, RequestFailed
from pairwright.core.ledger import Ledger
from pairwright.core.prompts import parse_answer, teacher_messages
from pairwright.core.records import Origin, RewriteTask, row_rng
from pairwright.core.requests import ChatRequest
from pairwright.pipelines.planned import PlannedRequest, provenance, rewrite_request
from pairwright.pipelines.supervision import POLL_SECONDS, Control

Record = dict[str, Any]
_COLUMNS = ("error", "message", "model", "request_hash", "prompt_hash", "seed")


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
        base_url: where an embedded endpoint listens; others have theirs in ``endpoint``.
        temperature: for tasks that hand over bare messages.
        max_tokens: for tasks that hand over bare messages.
        control: folder of the supervising build, none elsewhere.

    Raises:
        BudgetReached: from ``generate``, once the requests on their way are answered.
        ModelError: likewise, when the endpoint cannot be used at all.
        StorageError: the ledger cannot be used.
    """

    name: str
    endpoint: EndpointConfig
    ledger: str
    limits: LimitsConfig = LimitsConfig()
    base_url: str | None = None
    temperature: float = 0.7
    max_tokens: int = 512
    control: str | None = None

    _stack: AsyncExitStack | None = PrivateAttr(None)
    _client: Client | None = PrivateAttr(None)
    _control: Control | None = PrivateAttr(None)
    _fatal: BaseException | None = PrivateAttr(None)
    _event_loop: asyncio.AbstractEventLoop | None = PrivateAttr(None)
    _new_event_loop: bool = PrivateAttr(False)

    @property
    def model_name(self) -> str:
        """The model's name at its endpoint."""
        return self.endpoint.model or "embedded"

    def load(self) -> None:
        """Open ledger and client in the process that asks."""
        super().load()
        self._control = Control(Path(self.control)) if self.control else None
        self.event_loop.run_until_complete(self._open())

    def unload(self) -> None:
        """Close the connections, the ledger and the event loop."""
        self.event_loop.run_until_complete(self._close())
        if self._event_loop is not None and self._new_event_loop:
            self._event_loop.close()
            asyncio.set_event_loop(None)
            self._event_loop, self._new_event_loop = None, False

    async def _open(self) -> None:
        self._stack = AsyncExitStack()
        ledger = self._stack.enter_context(Ledger(Path(self.ledger)))
        urls = {self.name: self.base_url} if self.base_url else {}
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
        with self._control.asking() if self._control else nullcontext():
            outputs: list[Record] = self.event_loop.run_until_complete(self._agenerate(inputs, num_generations))
        return outputs

    async def _agenerate(self, inputs: list[Any], num_generations: int = 1, **_: Any) -> list[Record]:
        # distilabel's own gathers: at the first error it leaves the other requests running with nobody to hear them.
        try:
            async with asyncio.TaskGroup() as group:
                outputs = [group.create_task(self.agenerate(input, num_generations)) for input in inputs]
                watch = group.create_task(self._watch())
                if outputs:
                    await asyncio.wait(outputs)
                watch.cancel()
        except BaseExceptionGroup as errors:
            await self._give_up(errors.exceptions)
        return [output.result() for output in outputs]

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
        raise error

    async def agenerate(self, input: Any, num_generations: int = 1) -> Record:
        """The generations for one input: a :class:`Prompt`, an :class:`Unaskable` or a list of messages."""
        prompt = input if isinstance(input, Prompt | Unaskable) else self._prompt(input)
        if isinstance(prompt, Unaskable):
            answers = [_failed("bad_row", prompt.message)] * num_generations
        else:
            answers = [await self._answer(prompt, sample) for sample in range(num_generations)]
        columns = {key: [answer[key] for answer in answers] for key in _COLUMNS}
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
            return _failed(exc.kind, exc.message)
        return {
            "text": answers[-1].text,
            "input_tokens": sum(answer.prompt_tokens for answer in answers),
            "output_tokens": sum(answer.completion_tokens for answer in answers),
            "error": "",
            "message": "",
            **provenance(request, answers),
        }


def _failed(error: str, message: str) -> Record:
    return {
        **dict.fromkeys(("text", *_COLUMNS)),
        "input_tokens": 0,
        "output_tokens": 0,
        "error": error,
        "message": message,
    }


class RewriteQuery(Task):  # type: ignore[misc]
    """Ask for a standalone rewrite of each query, with the XML-tagged prompt of the teacher.

    A row that fails keeps its place: its ``rewrite`` is ``None``, and ``error`` and ``message`` say why.

    Input columns:
        - language (`str`): `en` or `zh`.
        - history (`List[Dict[str, str]]`): turns with role and content, oldest first, without the query.
        - query (`str`): the query to rewrite.
        - examples (`List[Dict[str, Any]]`, optional): few-shot examples, see ``pairwright.core.records.Example``.
        - temperature, max_tokens, seed, reasks (optional): sampling of this row, with a :class:`LedgerLLM` only.

    Output columns:
        - analysis (`str`): why the query needs a rewrite or not.
        - needs_rewrite (`bool`): whether it does.
        - rewrite (`str`): the standalone query.
        - error, message (`str`): empty for a good row.
        - model, request_hash, prompt_hash, seed: how the rewrite was sampled, with a :class:`LedgerLLM` only.

    Attributes:
        style: what the rewrite aims for, `concise` or `informative`.
    """

    style: Style = "concise"
    add_raw_output: bool = False
    add_raw_input: bool = False

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        return {
            "language": True,
            "history": True,
            "query": True,
            **dict.fromkeys(("examples", "temperature", "max_tokens", "seed", "reasks"), False),
        }

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["analysis", "needs_rewrite", "rewrite", *_COLUMNS]

    def format_input(self, input: Record) -> list[Record]:
        """The chat messages for one row."""
        return [message.model_dump() for message in teacher_messages(_task(input), self.style)]

    def _format_inputs(self, inputs: list[Record]) -> list[Any]:
        if isinstance(self.llm, LedgerLLM):
            return [self._prompt(row, self.llm) for row in inputs]
        return [self.format_input(row) for row in inputs]

    def _prompt(self, row: Record, llm: LedgerLLM) -> Prompt | Unaskable:
        try:
            messages = teacher_messages(_task(row), self.style)
        except ValidationError as exc:
            return Unaskable(str(exc))
        temperature, max_tokens = row.get("temperature", llm.temperature), row.get("max_tokens", llm.max_tokens)
        request = rewrite_request(messages, temperature, max_tokens, row.get("seed", 0))
        return Prompt(request, parse_answer, row.get("reasks", 1))

    def format_output(self, output: str | None, input: Record | None = None) -> Record:  # noqa: ARG002
        """The answer's parts, or what is wrong with it."""
        nothing = {"analysis": None, "needs_rewrite": None, "rewrite": None}
        if output is None:
            return {**nothing, "error": "empty", "message": "the model gave no answer"}
        try:
            return {**parse_answer(output).model_dump(), "error": "", "message": ""}
        except ValueError as exc:
            return {**nothing, "error": "schema", "message": str(exc)}

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input (and generation), in order."""
        prefix = f"llm_{self.name}_"
        for rows in super().process(inputs):
            for row in rows:
                for column in _COLUMNS:
                    told = row.pop(prefix + column, None)
                    row[column] = row.get(column) if told is None else told
            yield rows


def _task(row: Record) -> RewriteTask:
    nowhere = Origin(source="", file="", key="", licence="")
    named = {"id": "", "conversation": "", "dialogue": "", "tokens": 0, "origin": nowhere}
    shown = {key: row[key] for key in ("language", "history", "query")}
    return RewriteTask(**named, **shown, examples=row.get("examples") or ())


class ReadRequests(GeneratorStep):  # type: ignore[misc]
    """Read the planned requests of one endpoint, as they stand in a JSONL file, a batch at a time."""

    path: str

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["number", "request"]

    def process(self, offset: int = 0) -> Iterator[tuple[list[Record], bool]]:
        """Yield batches, and with each whether it is the last."""
        with open(self.path, encoding="utf-8") as file:
            rows = ({"number": number, "request": line} for number, line in enumerate(file))
            batch = list(islice(rows, offset, offset + self.batch_size))
            while batch:
                following = list(islice(rows, self.batch_size))
                yield batch, not following
                batch = following


class RewritePlanned(RewriteQuery):
    """A :class:`RewriteQuery` whose requests were planned and hashed already; for generate.py.

    It reads and writes JSON in plain ASCII: distilabel passes each row through five queues, where a string is cheap and
    nested columns are not, and its writer fails on a column that is empty in one batch and text in the next.
    """

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, all required."""
        return {"number": True, "request": True}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["outcome"]

    def _format_inputs(self, inputs: list[Record]) -> list[Any]:
        plans = (PlannedRequest.model_validate_json(row["request"]) for row in inputs)
        return [Prompt(planned.request(), parse_answer, planned.variant.reasks) for planned in plans]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield the number and the outcome of each input, in order."""
        columns = ("analysis", "needs_rewrite", "rewrite", *_COLUMNS)
        for rows in super().process(inputs):
            yield [
                {"number": row["number"], "outcome": json.dumps({column: row[column] for column in columns})}
                for row in rows
            ]
