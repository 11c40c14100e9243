"""What writes a build in a form that a trainer or a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from pairwright.core.result import BuildResult


@runtime_checkable
class Exporter(Protocol):
    """Writes a build in a form that a trainer or a person reads."""

    name: ClassVar[str]

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write files below ``folder`` and return them.

        Raises:
            ExportError: the rows cannot be written in this form.
        """
        ...
