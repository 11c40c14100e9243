"""The gate by rules: signals in the query, each with points for or against a rewrite."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.records import Case, GateDecision, Language
from pairwright.core.requests import Ask
from pairwright.judges.gates.missing_answer import missing_answer
from pairwright.judges.gates.signal import Signal
from pairwright.judges.gates.signals import signals

# Set on the half of the gold rows that the figures of docs/gate.md leave out.
POINTS: Mapping[Language, Mapping[str, float]] = {
    "en": {
        "reference": 2.0,
        "pointing": 2.5,
        "conjunction": 2.0,
        "other": 1.5,
        "definite": 1.5,
        "unowned": 1.5,
        "reply": 1.0,
        "what_about": 1.0,
        "acronym": 1.5,
        "more": 1.0,
        "superlative": 1.0,
        "comparative": 0.5,
        "no_noun": 0.5,
        "no_verb": 1.0,
        "short3": 0.5,
        "short5": 0.5,
        "long": -0.5,
        "overlap_answer": -0.5,
        "name": -1.0,
        "statement": -1.0,
        "overlap": -1.0,
        "definitional": -1.5,
        "courtesy": -4.0,
    },
    "zh": {
        "reference": 3.0,
        "ellipsis": 2.0,
        "pointing": 2.0,
        "bare_class": 2.0,
        "near_nothing": 1.5,
        "no_noun": 1.0,
        "unowned": 1.0,
        "other": 1.0,
        "comparative": 1.0,
        "predicate_first": 0.5,
        "no_name": 0.5,
        "short4": 0.5,
        "short8": 0.5,
        "noun": -0.5,
        "noun_known": -0.5,
        "long": -0.5,
        "name_known": -0.5,
        "name_asked": -0.5,
        "statement": -0.5,
        "request": -3.5,
        "name_beside": -1.0,
        "name": -2.0,
        "courtesy": -4.0,
    },
}
"""Points of each signal. A query whose points sum up to more than 0 needs a rewrite; others pass."""


class GateRules(Component):
    """Adds up what speaks for a rewrite (references, ellipsis, nouns without owner) and what speaks against it."""

    name: ClassVar[str] = "rules"

    async def decide(self, case: Case, ask: Ask) -> GateDecision:
        """See :class:`~pairwright.core.components.Gate`."""
        return decision(case)


def decision(case: Case) -> GateDecision:
    """What the rules say of one query; without history there is nothing that it could need."""
    if not case.history:
        return GateDecision(needs_rewrite=False, method="rule", evidence="no history")
    found = signals(case.query, case.history, case.language)
    total = points(found, case.language)
    needed = total > 0
    missing = missing_answer(case) if needed else None
    return GateDecision(
        needs_rewrite=needed,
        missing_answer=missing is not None,
        # It ranks; it is no calibrated probability.
        score=round(1 / (1 + math.exp(-total)), 3),
        method="rule",
        evidence="; ".join(filter(None, [evidence(found, case.language), missing])),
    )


def points(found: Sequence[Signal], language: Language) -> float:
    """The sum over the signals."""
    return sum(POINTS[language].get(signal.name, 0.0) for signal in found)


def evidence(found: Sequence[Signal], language: Language) -> str:
    """The signals that have points, the weightiest first: ``reference 'it' +3, short5 'Is it free?' +0.5``."""
    weighed = [(POINTS[language].get(signal.name, 0.0), signal) for signal in found]
    listed = sorted(((value, signal) for value, signal in weighed if value), key=lambda one: -abs(one[0]))
    return ", ".join(f"{signal.name} {signal.evidence[:40]!r} {value:+g}" for value, signal in listed)
