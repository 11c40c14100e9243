"""What in a query speaks for or against a rewrite: what the rule gate adds up, and the trained one of the benchmarks learns from."""

from __future__ import annotations

from collections.abc import Sequence

from pairwright.core.records import Language, Turn
from pairwright.judges.gates.signal import Signal


def signals(query: str, history: Sequence[Turn], language: Language) -> tuple[Signal, ...]:
    """All signals of the query beside its history, oldest turn first; each name at most once."""
    from pairwright.judges.gates import signals_en, signals_zh

    module = signals_zh if language == "zh" else signals_en
    found: dict[str, Signal] = {}
    for signal in module.signals(query, history):
        found.setdefault(signal.name, signal)
    return tuple(found.values())
