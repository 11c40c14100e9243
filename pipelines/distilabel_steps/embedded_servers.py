"""The URLs of embedded endpoints, each of whose servers starts when its URL is first wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.llm.embedded_server import start_embedded


class EmbeddedServers(Mapping[str, str]):
    """``{endpoint: URL}`` of those of ``endpoints`` that are embedded; a context manager that stops what it started.

    A client looks at a URL when it has something to send: where the ledger has every answer no server starts. What the
    servers print goes to ``folder``.

    Raises:
        ModelError: from a look at a URL: xllamacpp or the weights are missing, or the server does not come up.
    """

    def __init__(self, endpoints: Mapping[str, EndpointConfig], folder: Path) -> None:
        self._endpoints = {name: endpoint for name, endpoint in endpoints.items() if endpoint.use == "embedded"}
        self._folder = folder
        self._running: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.clear()
        self._stack.close()

    def __getitem__(self, name: str) -> str:
        if name not in self._running:
            server = start_embedded(name, self._endpoints[name], self._folder / f"{name}.server.log")
            self._running[name] = self._stack.enter_context(server)
        return self._running[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._endpoints)

    def __len__(self) -> int:
        return len(self._endpoints)
