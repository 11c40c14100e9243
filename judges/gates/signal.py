"""One observation about a query, in either language."""

from __future__ import annotations

from typing import NamedTuple


class Signal(NamedTuple):
    """One observation about a query: its kind, and the words that show it."""

    name: str
    evidence: str
