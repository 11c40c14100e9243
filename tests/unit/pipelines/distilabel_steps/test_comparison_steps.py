"""Comparing rewrites in anybody's distilabel pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import JudgeError
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.judges.rules.leftover_reference import LeftoverReference
from pairwright.pipelines.distilabel_steps.comparison_steps import CompareRewrites
from pairwright.testing import FaultServer, behaviours, factories

GOLD = {factories.QUERY["en"]: factories.REWRITE["en"]}
REWRITES = ["When was the author born?", None, factories.REWRITE["en"], "Who?"]
ROW = {
    "language": "en",
    "history": [{"role": role, "content": text} for role, text in factories.HISTORY["en"]],
    "query": factories.QUERY["en"],
    "rewrites": REWRITES,
}


def compared(server: FaultServer, folder: Path, rows: list[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    endpoint = EndpointConfig(base_url=server.base_url, model="m", max_retries=0)
    step = CompareRewrites(
        comparison=Pairwise(endpoint="judge"), endpoints={"judge": endpoint}, ledger=str(folder / "l.sqlite"), **fields
    )
    step.load()
    found: list[dict[str, Any]] = next(step.process(rows))
    step.unload()
    return found


@pytest.mark.slow
def test_the_best_rewrite_is_found_with_one_comparison_less_than_rewrites(
    openai_server: FaultServer, tmp_path: Path
) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    empty = {**ROW, "rewrites": [None]}
    row, nothing = compared(openai_server, tmp_path, [ROW, empty])
    assert (row["best_rewrite"], row["ranking"], row["compare_error"]) == (factories.REWRITE["en"], [2], "")
    assert len(json.loads(row["comparisons"])) == 2
    assert openai_server.requests == 4
    assert (nothing["best_rewrite"], nothing["ranking"]) == (None, [])


def test_all_rewrites_are_ranked_where_that_is_asked(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    (row,) = compared(openai_server, tmp_path, [ROW], precision="all")
    assert sorted(row["ranking"]) == [0, 2, 3]
    assert row["ranking"][0] == 2
    assert len(json.loads(row["comparisons"])) == 3


def test_a_failed_comparison_costs_its_row_only(openai_server: FaultServer, tmp_path: Path) -> None:
    openai_server.answer = behaviours.cut_json
    one = {**ROW, "rewrites": ["only this"]}
    failed, fine = compared(openai_server, tmp_path, [ROW, one])
    assert failed["best_rewrite"] is None
    assert failed["compare_error"].startswith("schema: ")
    assert (fine["best_rewrite"], fine["compare_error"]) == ("only this", "")


def test_what_cannot_compare_or_has_no_endpoint_is_an_error_at_once(tmp_path: Path) -> None:
    ledger = str(tmp_path / "l.sqlite")
    with pytest.raises(ValidationError, match="LeftoverReference is a judge, comparison takes a comparer"):
        CompareRewrites(comparison=LeftoverReference(), endpoints={}, ledger=ledger)
    with pytest.raises(JudgeError, match="give the step endpoints"):
        CompareRewrites(comparison=Pairwise(endpoint="judge"), endpoints={}, ledger=ledger).load()
