"""Steps whose components may ask endpoints: what they are given for that, and their client, open while they are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr

from pairwright.core.components import Configured
from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.config.component_references import components_in, named_endpoints
from pairwright.core.errors import JudgeError
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.llm.client import Client
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Answer, ChatRequest
from pairwright.pipelines.distilabel_steps.component_slots import ComponentSlots
from pairwright.pipelines.distilabel_steps.embedded_servers import EmbeddedServers
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter


class EndpointSlots(ComponentSlots):
    """What a step with such components derives from, before its distilabel base.

    Attributes:
        endpoints: by the names that the components use; needed by those that ask one.
        ledger: path of the ledger that keeps the paid answers; needed with ``endpoints``.
        limits: the budget.

    Raises:
        JudgeError: from ``load``: a component asks an endpoint that was not given.
        BudgetReached, ModelError: from ``process``.
    """

    endpoints: dict[str, EndpointConfig] = Field(default_factory=dict)
    ledger: str | None = None
    limits: LimitsConfig = Field(default_factory=LimitsConfig)

    _stack: ExitStack | None = PrivateAttr(None)
    _access: EndpointAccess | None = PrivateAttr(None)

    def model_post_init(self, context: Any) -> None:
        """distilabel names a step here; pydantic's own, which it makes for private attributes, would not call that."""
        super().model_post_init(context)

    def load(self) -> None:
        """Open ledger and client in the process that asks."""
        super().load()  # type: ignore[misc]  # of the distilabel base
        self._stack = ExitStack()
        components = [component for _, component in components_in(self)]
        self._access = _open_access(self._stack, components, self.endpoints, self.ledger, self.limits)

    def access(self) -> EndpointAccess:
        """How the components reach their endpoints, once the step is loaded."""
        assert self._access is not None, "load() comes first"
        return self._access

    def unload(self) -> None:
        """Close the connections and the ledger."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None


def _open_access(
    stack: ExitStack,
    components: Iterable[Configured],
    endpoints: Mapping[str, EndpointConfig],
    ledger: str | None,
    limits: LimitsConfig,
) -> EndpointAccess:
    """A client for what ``components`` ask, closed with ``stack``; servers of embedded endpoints start when they are asked."""
    for component in components:
        asked = {name for _, name in named_endpoints(component)}
        if asked and (ledger is None or not asked <= endpoints.keys()):
            raise JudgeError(f"{component.name!r} asks an endpoint: give the step endpoints and a ledger")
    width = 2 * max([1, *(endpoint.max_concurrency for endpoint in endpoints.values())])
    runner = stack.enter_context(CoroutineRunner())
    if ledger is None:
        return EndpointAccess(_ask_nobody, runner, width, UsageCounter())
    servers = stack.enter_context(EmbeddedServers(endpoints, Path(ledger).parent))
    client = Client(endpoints, stack.enter_context(Ledger(Path(ledger))), limits, servers)
    runner.run(client.__aenter__())
    stack.callback(lambda: runner.run(client.__aexit__(None, None, None)))
    return EndpointAccess(client, runner, width, UsageCounter())


async def _ask_nobody(endpoint: str, request: ChatRequest) -> Answer:  # noqa: ARG001
    raise JudgeError(f"no endpoint {endpoint!r} was given to the step")
