"""``pairwright calibrate`` through the command line, against scripted endpoints on loopback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from building import build_file, manifest, rows, run, write_rows
from pairwright.cli.calibrate_command import calibrate_command
from pairwright.core.errors import SourceError
from pairwright.testing import FaultServer, behaviours

NAMES = ("zh_gold.jsonl", "cast19.en.jsonl", "gecor.en.jsonl")
GOLD = {row["query"]: row["rewrite"] for name in NAMES for row in rows(name, 40)}
RUBRIC = {"use": "rubric", "endpoint": "teacher"}


def judging(folder: Path, server: FaultServer, **keys: Any) -> Path:
    """A build file with a rubric and a pairwise judge at ``server``."""
    endpoint = {"base_url": server.base_url, "model": "judge-7b", "price": {"input": 1, "output": 2}, "max_retries": 0}
    content = {
        "endpoints": {"teacher": endpoint},
        "judges": [{"use": "unchanged"}, RUBRIC],
        "comparison": {"use": "pairwise", "endpoint": "teacher"},
        **keys,
    }
    return build_file(folder, **content)


def measured(
    folder: Path, server: FaultServer, variants: int = 2, marked: Sequence[Path] = (), **keys: Any
) -> dict[str, Mapping[str, Any]]:
    """What ``pairwright calibrate`` writes, by judge; in this process, so that language models are loaded once."""
    calibrate_command(judging(folder, server, **keys), marked, 12, variants, 0.9, None)
    return figures(folder)


def figures(folder: Path) -> dict[str, Mapping[str, Any]]:
    found = json.loads((folder / "build/calibration/calibration.json").read_text(encoding="utf-8"))
    return {one["judge"]: one for one in found["judges"]}


def test_a_judge_that_knows_the_gold_agrees_with_it_and_gets_a_threshold(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    done = run("calibrate", judging(tmp_path, openai_server), "--limit", "12")
    assert done.returncode == 0, done.stderr
    assert "rubric@teacher" in done.stdout
    found = figures(tmp_path)
    rubric, pairwise = found["rubric"], found["pairwise"]
    assert rubric["kappa"]["value"] > 0.3
    assert rubric["kappa"]["low"] < rubric["kappa"]["value"] < rubric["kappa"]["high"]
    assert rubric["passed_good"]["value"] > 0.9  # some rows share a query, which is all that the oracle knows
    assert rubric["threshold"]["precision"] >= 0.9
    assert 0.9 <= rubric["threshold"]["score"] <= 1.0
    *lower, highest = [point["good"] for point in rubric["reliability"]]
    assert max(lower) < 0.5 < highest
    assert rubric["models"] == {"teacher": "judge-7b"}
    assert rubric["requests"] == 4 * rubric["items"]
    assert rubric["tokens"] > 0
    assert rubric["cost"] > 0
    assert pairwise["kappa"]["value"] > 0.6
    assert (pairwise["position_bias"]["value"] or 0) < 0.2
    assert pairwise["flip_rate"]["value"] == 0.0
    assert found["unchanged"]["tokens"] == 0
    assert "<svg" in (tmp_path / "build/calibration/calibration.svg").read_text(encoding="utf-8")


def test_a_judge_that_always_names_the_first_place_is_bias_one_and_only_ties(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.answer = behaviours.always_first
    pairwise = measured(tmp_path, openai_server)["pairwise"]
    assert pairwise["position_bias"] == {"value": 1.0, "low": 1.0, "high": 1.0, "items": 2 * pairwise["items"]}
    assert (pairwise["tie_rate"]["value"], pairwise["flip_rate"]["value"]) == (1.0, 1.0)
    assert pairwise["kappa"]["value"] == 0.0
    assert pairwise["passed_good"]["value"] == 0.0


def test_a_judge_that_always_gives_five_agrees_by_chance_only_and_gets_no_threshold(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.answer = behaviours.always_five
    rubric = measured(tmp_path, openai_server)["rubric"]
    assert rubric["kappa"]["value"] == 0.0
    assert (rubric["passed_good"]["value"], rubric["tie_rate"]["value"]) == (1.0, 1.0)
    assert all(figure["value"] == 0.0 for figure in rubric["caught"].values())
    assert rubric["threshold"] is None


@pytest.mark.parametrize("behaviour", [behaviours.cut_short, behaviours.cut_json, behaviours.refuses])
def test_answers_that_cannot_be_used_are_counted_as_failures_and_never_as_scores(
    tmp_path: Path, openai_server: FaultServer, behaviour: behaviours.Behaviour
) -> None:
    openai_server.answer = behaviour
    found = measured(tmp_path, openai_server, variants=1)
    for name in ("rubric", "pairwise"):
        assert found[name]["failures"] == found[name]["items"]
        assert found[name]["kappa"]["value"] is None
        assert found[name]["threshold"] is None


def test_the_longer_text_is_not_the_better_one(tmp_path: Path, openai_server: FaultServer) -> None:
    def longer(body: behaviours.Body) -> str:
        texts = behaviours.texts_of(body)
        if "better" not in body["response_format"]["json_schema"]["schema"]["properties"]:
            return behaviours.always_five(body)
        ahead = len(texts["first_text"]) - len(texts["second_text"])
        better = "first" if ahead > 0 else "second" if ahead < 0 else "equal"
        return json.dumps({"explanation": "longer", "better": better})

    openai_server.answer = longer
    pairwise = measured(tmp_path, openai_server)["pairwise"]
    assert pairwise["length_bias"]["low"] > 0


def test_calibrating_again_asks_nothing_and_gives_the_same_bytes(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    measured(tmp_path, openai_server)
    asked = openai_server.requests
    names = [tmp_path / "build/calibration" / name for name in ("calibration.json", "calibration.svg")]
    first = [name.read_bytes() for name in names]
    measured(tmp_path, openai_server)
    assert openai_server.requests == asked
    assert [name.read_bytes() for name in names] == first


def test_a_build_takes_the_measured_threshold_and_tells_the_figures(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    threshold = measured(tmp_path, openai_server)["rubric"]["threshold"]["score"]
    calibration = str(tmp_path / "build/calibration/calibration.json")
    file = judging(
        tmp_path, openai_server, calibration=calibration, judges=[RUBRIC], exports=[{"use": "trl"}, {"use": "card"}]
    )
    done = run("build", file)
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load((tmp_path / "build/build.yaml").read_text(encoding="utf-8"))
    assert resolved["judges"][0]["threshold"] == threshold
    for path in ("exports/README.md", "report.md"):
        text = (tmp_path / "build" / path).read_text(encoding="utf-8")
        (row,) = [line for line in text.split("## Judges against gold")[1].splitlines() if line.startswith("| rubric")]
        assert row.endswith(f" {threshold} |")
    assert "rows/calibration.json" in manifest(tmp_path / "build")["files"]


def test_a_calibration_of_another_model_is_refused(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    measured(tmp_path, openai_server)
    calibration = str(tmp_path / "build/calibration/calibration.json")
    file = judging(tmp_path, openai_server, calibration=calibration, judges=[RUBRIC])
    file.write_text(file.read_text(encoding="utf-8").replace("judge-7b", "judge-70b"), encoding="utf-8")
    done = run("check", file)
    assert done.returncode == 2
    assert "measured with judge-7b, the endpoint has judge-70b" in done.stderr


def test_texts_that_people_marked_are_gold_too(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(
        {"多少钱？": "颐和园多少钱？", "How much is it?": "How much is the hotel?"}
    )
    history = [{"role": "user", "content": "颐和园在哪里？"}]
    marked = [
        {"history": history, "query": "多少钱？", "text": "颐和园多少钱？", "good": True},
        {"history": history, "query": "多少钱？", "text": "故宫的电话？", "good": False, "defect": "wrong"},
        {"query": "How much is it?", "text": "How much is the hotel?", "good": True},
        {"query": "How much is it?", "text": "Bananas", "good": False},
    ]
    found = measured(tmp_path, openai_server, marked=[write_rows(tmp_path / "marked.jsonl", marked)])
    assert found["rubric"]["items"] == 4
    assert found["rubric"]["kappa"]["value"] == 1.0
    assert set(found["rubric"]["caught"]) == {"marked", "wrong"}
    write_rows(tmp_path / "marked.jsonl", [*marked, {"query": "x", "text": "y"}])
    with pytest.raises(SourceError, match=r"marked\.jsonl:5: good: Field required"):
        measured(tmp_path, openai_server, marked=[tmp_path / "marked.jsonl"])


def test_a_panel_is_measured_with_what_all_of_its_members_take(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    panel = {"use": "panel", "rule": "mean", "members": [RUBRIC, {**RUBRIC, "dimensions": ["clarity"]}]}
    found = measured(tmp_path, openai_server, variants=1, judges=[panel], comparison=None)["panel"]
    assert found["models"] == {"teacher": "judge-7b"}
    assert found["requests"] == 4 * found["items"]  # clarity is asked once for both members
    assert found["cost"] > 0
    assert found["threshold"]["precision"] >= 0.9
