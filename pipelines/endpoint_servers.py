"""The endpoints of a running build: embedded servers started, one client opened, both closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.component_references import named_endpoints
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.llm.ledger import Ledger
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter


def endpoints_in_use(config: BuildConfig) -> dict[str, EndpointConfig]:
    """The endpoints that some part of the build asks; the others are never contacted and need no key."""
    names = {name for _, name in named_endpoints(config)}
    return {name: endpoint for name, endpoint in config.endpoints.items() if name in names}


@contextmanager
def running_servers(config: BuildConfig, log_folder: Path) -> Iterator[Mapping[str, str]]:
    """Start the embedded endpoints in use and yield their URLs by name.

    Raises:
        ModelError: xllamacpp or the weights are missing, or the server does not come up.
    """
    from pairwright.core.llm.embedded_server import start_embedded

    with ExitStack() as stack:
        yield {
            name: stack.enter_context(start_embedded(name, endpoint, log_folder / f"{name}.server.log"))
            for name, endpoint in endpoints_in_use(config).items()
            if endpoint.use == "embedded"
        }


@contextmanager
def open_endpoints(config: BuildConfig, ledger: Ledger, base_urls: Mapping[str, str]) -> Iterator[EndpointAccess]:
    """Yield the client of all endpoints in use, with the event loop that it lives in."""
    from pairwright.core.llm.client import Client

    with CoroutineRunner() as runner:
        client = Client(endpoints_in_use(config), ledger, config.limits, base_urls)
        runner.run(client.__aenter__())
        try:
            yield EndpointAccess(client, runner, _width(config), UsageCounter())
        finally:
            runner.run(client.__aexit__(None, None, None))


def _width(config: BuildConfig) -> int:
    """How many rows are with the judges at once: enough to keep every endpoint busy."""
    return max([64, *(2 * endpoint.most_in_flight for endpoint in endpoints_in_use(config).values())])
