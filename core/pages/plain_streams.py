"""Standard streams that show text and obey none: no escape sequence of a row, a server or an exception gets through."""

from __future__ import annotations

import io
from typing import Any, TextIO

from pairwright.core.pages.printable import printable


class PlainStream(io.TextIOWrapper):
    """Passes everything through :func:`printable`; what the encoding lacks is written as ``\\uXXXX``.

    Whoever prints need not think of it: ``print``, warnings, loggers, usage errors and tracebacks all end here.
    """

    def write(self, text: str, /) -> int:
        """Write what may be shown of ``text``; its length in characters."""
        super().write(printable(text))
        return len(text)

    @property
    def unchecked(self) -> TextIO:
        """The same stream for a :class:`~pairwright.core.pages.terminal.Terminal`, which checks texts before it colours them."""
        return _Unchecked(self)  # type: ignore[return-value]


class _Unchecked:
    """Only ``write`` differs."""

    def __init__(self, stream: PlainStream) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return io.TextIOWrapper.write(self._stream, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Screened:
    """Another stream, with :func:`printable` before it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what may be shown of ``text``; its length in characters."""
        self._stream.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
