"""What in a query speaks for or against a rewrite: the ground of the rule gate and of the trained one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pairwright.core.records import Language, Turn


class Signal(NamedTuple):
    """One observation about a query: its kind, and the words that show it."""

    name: str
    evidence: str


def signals(query: str, history: Sequence[Turn], language: Language) -> tuple[Signal, ...]:
    """All signals of the query beside its history, oldest turn first; each name at most once."""
    from pairwright.judges import gate_signals_en, gate_signals_zh

    module = gate_signals_zh if language == "zh" else gate_signals_en
    found: dict[str, Signal] = {}
    for signal in module.signals(query, history):
        found.setdefault(signal.name, signal)
    return tuple(found.values())
