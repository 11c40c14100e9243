"""What a build file may ask of its judges: panels, a comparison, and what needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.config.component_references import named_endpoints
from pairwright.core.errors import ConfigError
from pairwright.judges.panels.pairwise_panel import PairwisePanel
from pairwright.judges.panels.panel import Panel
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.endpoint_servers import endpoints_in_use
from pairwright.pipelines.judging.endpoint_access import count_requests, order_by_cost
from pairwright.pipelines.schema import build_file_schema

ENDPOINTS = {name: {"base_url": "http://127.0.0.1:1/v1", "model": name} for name in ("big", "small", "idle")}
PANEL = {"use": "panel", "members": [{"use": "rubric", "endpoint": "small"}, {"use": "rubric", "endpoint": "big"}]}
PAIRWISE = {"use": "pairwise", "endpoint": "big"}


def read(tmp_path: Path, **keys: Any) -> BuildConfig:
    path = tmp_path / "x.yaml"
    source = {"use": "files", "source": "logs", "path": "logs.jsonl"}
    content = {"name": "x", "output": "out", "sources": [source], "endpoints": ENDPOINTS, **keys}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_build(path, CATALOGUES)


def problem(tmp_path: Path, **keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, **keys)
    (found,) = caught.value.problems
    return found.removeprefix(f"{tmp_path / 'x.yaml'}: ")


def test_panels_contain_judges_and_are_written_as_they_were_read(tmp_path: Path) -> None:
    config = read(tmp_path, judges=[PANEL], comparison={"use": "panel", "members": [PAIRWISE]})
    assert isinstance(config.judges[0], Panel)
    assert isinstance(config.comparison, PairwisePanel)
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    assert read_build(path, CATALOGUES) == config


def test_the_endpoints_of_members_are_in_use_and_must_exist(tmp_path: Path) -> None:
    config = read(tmp_path, judges=[PANEL])
    assert list(endpoints_in_use(config)) == ["big", "small"]
    wrong = {"use": "panel", "members": [{"use": "rubric", "endpoint": "smal"}]}
    assert problem(tmp_path, judges=[wrong]) == "judges.0.members.0.endpoint: no endpoint 'smal', did you mean small?"
    assert (
        problem(tmp_path, comparison={"use": "pairwise", "endpoint": "bigg"})
        == "comparison.endpoint: no endpoint 'bigg', did you mean big?"
    )


def test_a_wrong_key_of_a_member_is_named_with_a_guess(tmp_path: Path) -> None:
    wrong = {"use": "panel", "members": [{"use": "rubric", "endpoint": "big", "treshold": 0.5}]}
    assert problem(tmp_path, judges=[wrong]) == "judges.0.members.0.treshold: unknown key, did you mean threshold?"
    assert (
        problem(tmp_path, comparison={**PAIRWISE, "stile": "concise"})
        == "comparison.stile: unknown key, did you mean style?"
    )


@pytest.mark.parametrize("pairing", [{"verify": "judge"}, {"choose": "knockout"}])
def test_what_compares_needs_a_comparison(tmp_path: Path, pairing: dict[str, str]) -> None:
    assert "needs 'comparison: {use: pairwise, endpoint: NAME}'" in problem(tmp_path, pairing=pairing)
    assert read(tmp_path, pairing=pairing, comparison=PAIRWISE)


def test_a_judge_of_single_candidates_is_no_comparison_and_the_other_way_round(tmp_path: Path) -> None:
    assert problem(tmp_path, comparison={"use": "rubric", "endpoint": "big"}).startswith(
        "comparison: no component 'rubric'; there are: pairwise, panel"
    )
    own = "pairwright.judges.llm.rubric:Rubric"
    assert problem(tmp_path, comparison={"use": own, "endpoint": "big"}) == (
        f"comparison: {own} is a judge, comparison takes a comparer (a class with 'compare')"
    )
    own = "pairwright.judges.llm.pairwise:Pairwise"
    assert problem(tmp_path, judges=[{"use": own, "endpoint": "big"}]) == (
        f"judges.0: {own} is a comparer, judges takes a judge (a class with 'judge')"
    )


def test_margins_need_the_scores_of_what_is_refused(tmp_path: Path) -> None:
    margin = {"margin": [0.2, 0.6]}
    found = problem(tmp_path, judges=[{"use": "rubric", "endpoint": "big"}], pairing=margin)
    assert found.startswith("judges.0.early_stop: pairing.margin compares the scores of refused samples")
    patient = {"use": "rubric", "endpoint": "big", "early_stop": False}
    assert read(tmp_path, judges=[patient], pairing=margin)
    panel = {"use": "panel", "rule": "mean", "members": [{"use": "rubric", "endpoint": "big"}]}
    assert problem(tmp_path, judges=[panel], pairing=margin).startswith("judges.0.early_stop")
    assert read(tmp_path, judges=[{**panel, "early_stop": False}], pairing=margin)


def test_a_member_for_the_other_kind_of_task_is_refused(tmp_path: Path) -> None:
    strict = {**PANEL, "veto": [{"use": "unchanged"}]}
    assert problem(tmp_path, task="answer", judges=[strict]).startswith(
        "judges.0.veto.0: unchanged is not for task: answer"
    )


def test_a_component_of_its_own_names_endpoints_by_the_key_endpoint() -> None:
    part = {"judges": [{"use": "x", "endpoint": "a"}, {"use": "y", "deep": {"endpoint": "b"}}], "endpoint": None}
    assert list(named_endpoints(part)) == [("judges.0.endpoint", "a"), ("judges.1.deep.endpoint", "b")]


def test_judges_are_ordered_by_what_they_cost(tmp_path: Path) -> None:
    priced = {
        "big": {**ENDPOINTS["big"], "price": {"input": 10.0, "output": 30.0}},
        "small": {**ENDPOINTS["small"], "price": {"input": 0.1, "output": 0.3}},
    }
    judges = [
        {"use": "rubric", "endpoint": "big", "dimensions": ["clarity"]},
        PANEL,
        {"use": "rubric", "endpoint": "small"},
        {"use": "unchanged"},
    ]
    config = read(tmp_path, endpoints=priced, judges=judges)
    ordered = order_by_cost(config.judges, config.endpoints, "rewrite")
    assert [config.judges.index(one) for one in ordered] == [3, 2, 0, 1]
    assert count_requests(config.judges[1], "rewrite") == {"small": 4, "big": 4}
    assert count_requests(config.judges[1], "answer") == {"small": 5, "big": 5}


def test_the_schema_for_editors_knows_members_and_comparisons() -> None:
    schema = build_file_schema()
    forms = {form["properties"]["use"].get("const"): form for form in schema["properties"]["judges"]["items"]["anyOf"]}
    members = forms["panel"]["properties"]["members"]["items"]["anyOf"]
    names = [form["properties"]["use"].get("const") for form in members]
    assert "rubric" in names
    assert "panel" not in names
    kinds = schema["properties"]["comparison"]["anyOf"]
    assert {form["properties"]["use"].get("const") for form in kinds if "properties" in form} >= {"pairwise", "panel"}
    assert {"type": "null"} in kinds
