"""What writes a build in a form that a trainer or a person reads."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pairwright.core.components import ExporterOf
from pairwright.core.result import BuildResult


@runtime_checkable
class Exporter(ExporterOf[BuildResult], Protocol):
    """An exporter of our builds: :meth:`export` is given a finished :class:`~pairwright.core.result.BuildResult`."""


@runtime_checkable
class NeedyExporter(Protocol):
    """An exporter that needs more than the rows, such as a file: it is asked before anything is read or paid for."""

    def require(self) -> None:
        """Look for all that is needed.

        Raises:
            ExportError: something is missing.
        """
        ...
