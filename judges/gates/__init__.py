"""Gates: each decides which queries are rewritten and which pass. One per file; the catalogue is here."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.components import Gate
from pairwright.judges.gates.llm import GateLlm
from pairwright.judges.gates.rules import GateRules

_GATES: tuple[type[Gate], ...] = (GateRules, GateLlm)

GATES: Mapping[str, type[Gate]] = {gate.name: gate for gate in _GATES}
