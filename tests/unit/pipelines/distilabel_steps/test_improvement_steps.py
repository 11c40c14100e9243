"""Improvement as a distilabel step, without a pool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from improving import Opinions

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import JudgeError
from pairwright.judges.llm.fine import Fine
from pairwright.judges.rules.leftover_reference import LeftoverReference
from pairwright.pipelines.distilabel_steps.improvement_steps import COLUMNS, ImproveAnswers
from pairwright.testing import FaultServer

OWN = "When was Ada Lindqvist born, the writer?"
ROW = {
    "language": "en",
    "history": [{"role": "user", "content": "Who wrote it?"}, {"role": "assistant", "content": "Ada Lindqvist."}],
    "query": "When was she born?",
}


def improving(server: FaultServer, folder: Path) -> ImproveAnswers:
    step = ImproveAnswers(
        improver=Fine(endpoint="judge"),
        judges=[LeftoverReference()],
        endpoints={"judge": EndpointConfig(base_url=server.base_url, model="j", max_retries=0)},
        ledger=str(folder / "ledger.sqlite"),
    )
    step.load()
    return step


def test_each_row_is_judged_improved_or_kept_and_none_is_lost(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = Opinions(
        grades=lambda texts: (8, 2, 9) if "Lindqvist" in texts["rewrite"] else (8, 8, 3),
        own=OWN,
        better=lambda first, second: OWN,
    )
    openai_server.refuse = lambda body: (400, "content policy") if "Refused?" in str(body) else None
    given = [
        {**ROW, "rewrite": text} for text in ("When was Ada Lindqvist born?", "When was she born?", "Refused?", None)
    ]
    for _ in range(2):
        step = improving(openai_server, tmp_path)
        found: list[dict[str, Any]] = next(step.process(given))
        step.unload()
        assert [row["chosen"] for row in found] == ["When was Ada Lindqvist born?", OWN, None, None]
        assert [row["accepted"] for row in found] == [True, False, True, None]
        assert [row["route"] for row in found] == ["easy_and_accurate", "hard", "", ""]
        assert [row["outcome"] for row in found] == ["", "improved", "", ""]
        replaced = json.loads(found[1]["replaced"])
        assert (replaced["text"], replaced["defect"]) == ("When was she born?", "leftover_reference")
        assert found[2]["improve_error"].startswith("http_400: ")
        assert all(set(COLUMNS) < row.keys() for row in found)
    assert openai_server.asked_twice == 0


def test_an_improver_without_its_endpoint_says_so_when_it_is_loaded() -> None:
    with pytest.raises(JudgeError, match="fine"):
        ImproveAnswers(improver=Fine(endpoint="judge"), judges=[]).load()
