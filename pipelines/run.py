"""A build that is under way: its folder, its row counts and, once a stage sends a request, its endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.identity import Row
from pairwright.core.llm.ledger import Ledger
from pairwright.pipelines.artefacts import Latest, Rows
from pairwright.pipelines.books import Books
from pairwright.pipelines.endpoint_servers import open_endpoints, running_servers
from pairwright.pipelines.judging.endpoint_access import EndpointAccess

R = TypeVar("R", bound=Row)


class Run:
    """What a stage works with. ``work`` is where artefacts lie; ``judges`` are all that judge in this build, by stage.

    Servers start, and the client opens, when the first stage looks at :attr:`access` or :attr:`base_urls`: a stage that
    asks may stand anywhere. A context manager: what was opened is closed with it.
    """

    def __init__(
        self,
        config: BuildConfig,
        work: Path,
        books: Books,
        ledger: Ledger,
        judges: Sequence[tuple[str, Configured]] = (),
    ) -> None:
        self.config = config
        self.work = work
        self.books = books
        self.judges = judges
        self._ledger = ledger
        self._opened = ExitStack()
        self._base_urls: Mapping[str, str] | None = None
        self._access: EndpointAccess | None = None
        self._written: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    @property
    def ledger(self) -> Path:
        """Where the answers are that were paid for."""
        return self._ledger.path

    @property
    def base_urls(self) -> Mapping[str, str]:
        """Where the embedded servers of this build listen; they run from now on.

        Raises:
            ModelError: one does not start.
        """
        if self._base_urls is None:
            self._base_urls = self._opened.enter_context(running_servers(self.config, self.work))
        return self._base_urls

    @property
    def access(self) -> EndpointAccess:
        """The client of all endpoints, with its event loop.

        Raises:
            ModelError: an endpoint cannot be used.
        """
        if self._access is None:
            opened = open_endpoints(self.config, self._ledger, self.base_urls)
            self._access = self._opened.enter_context(opened)
        return self._access

    def read(self, artefact: Rows[R] | Latest[Rows[R]]) -> Iterator[R]:
        """The rows of an artefact that an earlier stage wrote."""
        return (artefact.of(self.work) if isinstance(artefact, Latest) else artefact).read(self.work)

    def write(self, artefact: Rows[R], rows: Iterable[R]) -> int:
        """Write an artefact; return how many rows it has."""
        self._written[artefact.file] = artefact.write(self.work, rows)
        return self._written[artefact.file]

    def count(self, artefact: Rows[R] | Latest[Rows[R]]) -> int:
        """How many rows an artefact has that was written in this run."""
        return self._written[(artefact.of(self.work) if isinstance(artefact, Latest) else artefact).file]
