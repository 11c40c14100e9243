"""The gate in anybody's distilabel pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import JudgeError
from pairwright.judges.gates.llm import GateLlm
from pairwright.judges.gates.rules import GateRules
from pairwright.pipelines.distilabel_steps.gate_steps import GateQueries
from pairwright.testing import FaultServer

ROWS: list[dict[str, Any]] = [
    {"language": "zh", "history": [{"role": "user", "content": "推荐一家酒店吧"}], "query": "它多少钱？", "id": 1},
    {"language": "en", "history": [], "query": "What is throat cancer?", "id": 2},
]


def test_each_row_gets_its_decision_and_keeps_its_columns() -> None:
    step = GateQueries(gate=GateRules())
    step.load()
    first, second = next(step.process(ROWS))
    step.unload()
    assert (first["id"], first["gate_needs_rewrite"], first["gate_missing_answer"], first["passes"]) == (
        1,
        True,
        True,
        True,
    )
    assert first["gate_evidence"].startswith("reference '它'")
    assert (second["id"], second["passes"], second["gate_error"]) == (2, True, "")


def test_a_model_is_asked_through_the_ledger_and_a_failure_costs_its_own_row(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.answer = lambda body: (
        "no JSON" if "broken" in str(body) else json.dumps({"explanation": "x", "needs_rewrite": True})
    )
    endpoint = EndpointConfig(base_url=openai_server.base_url, model="m", max_retries=0)
    told = {"history": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "language": "en"}
    step = GateQueries(
        gate=GateLlm(endpoint="gate", reasks=0), endpoints={"gate": endpoint}, ledger=str(tmp_path / "ledger.sqlite")
    )
    for _ in range(2):
        step.load()
        found = next(step.process([{**told, "query": "Why?"}, {**told, "query": "broken"}]))
        step.unload()
    assert [row["passes"] for row in found] == [False, None]
    assert found[1]["gate_error"].startswith("schema: ")
    with pytest.raises(JudgeError, match="give the step endpoints and a ledger"):
        GateQueries(gate=GateLlm(endpoint="gate")).load()
