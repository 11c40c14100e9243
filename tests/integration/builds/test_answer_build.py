"""A build of answers, end to end: from dialogues with tools to files that the trainers load, with and without a teacher."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny
import yaml
from answer_building import WRONG, build_file, scripted, with_endpoint

import building
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.files.storage import read_rows
from pairwright.core.records import Candidate, PreferencePair, SftRow
from pairwright.exports.verification.trainer_loads import verify_exports
from pairwright.pipelines.books import Silent
from pairwright.pipelines.build import run_build
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.testing import FaultServer
from places import ROOT


@pytest.mark.parametrize("native", [True, False], ids=["native", "text"])
def test_a_teacher_answers_what_the_dialogues_leave_open(tmp_path: Path, native: bool) -> None:
    with FaultServer(answer=scripted) as server:
        path = build_file(tmp_path, **with_endpoint(server.base_url, tools=native))
        run = building.run("build", path, "--quiet")
        assert run.returncode == 0, run.stderr
        again = building.run("build", path, "--quiet")
        assert "0 requests were sent" in again.stderr
        bodies = list(server.bodies)
    rows = tmp_path / "build" / "rows"
    candidates = list(read_rows(rows / "candidates.jsonl", Candidate))
    assert {one.text for one in candidates if one.origin == "weak"} == {WRONG}
    chosen = {row.chosen.origin for row in read_rows(rows / "sft.jsonl", SftRow)}
    assert chosen == {"reference", "teacher"}
    pairs = list(read_rows(rows / "pairs.jsonl", PreferencePair))
    assert {pair.rejected.defect for pair in pairs} <= {"wrong_argument", "unknown_tool"}
    assert pairs
    roles = {message["role"] for body in bodies for message in body["messages"]}
    if native:
        assert all(body["tools"][0]["type"] == "function" for body in bodies)
        assert roles == {"system", "user", "assistant", "tool"}
    else:
        assert not any("tools" in body for body in bodies)
        assert all("<tools>" in body["messages"][0]["content"] for body in bodies)
        assert roles == {"system", "user", "assistant"}
    assert all(body["messages"][-1]["role"] in ("user", "tool") for body in bodies)
    card = (tmp_path / "build" / "exports" / "README.md").read_text(encoding="utf-8")
    assert "Data for answering in long dialogues" in card
    assert "mask_history: true" in card
    assert "rewrit" not in card.partition("## How to train")[0].replace("query-rewriting", "")


def test_the_books_of_every_stage_balance_and_a_bad_row_is_accounted_for(tmp_path: Path) -> None:
    path = build_file(tmp_path)
    rows = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    broken = json.loads(rows[0])
    next(one for one in broken["messages"] if one.get("tool_calls"))["tool_calls"][0]["function"]["arguments"] = "{"
    (tmp_path / "rows.jsonl").write_text("\n".join([*rows, json.dumps(broken)]) + "\n", encoding="utf-8")
    run = building.run("build", path, "--quiet")
    assert run.returncode == 0, run.stderr
    for stage in building.manifest(tmp_path / "build")["stages"]:
        assert stage["rows_in"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values())
    (failed,) = [json.loads(line) for line in (tmp_path / "build/rows/failed.jsonl").read_text().splitlines()]
    assert (failed["error"], failed["line"]) == ("bad_tool_call", 7)


@pytest.mark.timeout(1200)  # both trainers are imported: a minute of CPU, many on a busy machine
def test_the_shipped_example_loads_in_both_trainers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    content = yaml.safe_load((ROOT / "examples" / "answers.yaml").read_text(encoding="utf-8"))
    content["output"] = str(tmp_path / "build")
    content |= {
        "limits": {"max_rows": 3},
        "split": {"validation": 0, "test": 0},
    }  # one set per kind: loading takes long
    config = BuildConfig.model_validate(content, context={"catalogues": CATALOGUES})
    result = run_build(config, lambda _: Silent())
    kinds = {bool(row.task.tools): row for row in result.sft()}
    assert set(kinds) == {True, False}
    exports = tmp_path / "build" / "exports"
    texts = [path.read_text(encoding="utf-8") for path in (exports / "llamafactory").glob("*.jsonl")]
    tokenizer = tiny.save_tokenizer(tmp_path / "tokenizer", texts, 4000, tiny.TOOL_TEMPLATE)
    found = verify_exports(exports, str(tokenizer), ("qwen", "smollm2"), cutoff_len=8192)
    assert {one.problems for one in found} == {()}
    assert {one.trainer for one in found} == {"llamafactory", "trl"}
    assert {one.template for one in found if one.skipped} == {"smollm2"}
    assert sum(one.rows for one in found if one.template == "qwen" and "_sft_" in one.name) == sum(
        1 for _ in result.sft()
    )
