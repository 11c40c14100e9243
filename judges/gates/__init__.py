"""Gates: each decides which queries are rewritten and which pass. One per file; the catalogue is here."""

from __future__ import annotations

from pairwright.core.components import Component
from pairwright.judges.gates.llm import GateLlm
from pairwright.judges.gates.rules import GateRules

GATES: dict[str, type[Component]] = {gate.name: gate for gate in (GateRules, GateLlm)}
