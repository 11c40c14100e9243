"""Builds with a gate, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from building import build_file, manifest, rows, run, write_rows
from pairwright.testing import FaultServer


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def without_rewrites(folder: Path) -> None:
    """The rows that a build in ``folder`` reads: half of them have no human rewrite."""
    found = [*rows("zh_gold.jsonl", 24), *rows("cast19.en.jsonl", 24)]
    for row in found[::2]:
        del row["rewrite"]
    write_rows(folder / "rows.jsonl", found)


def test_no_teacher_is_paid_for_what_passes_and_the_report_says_where_people_disagree(tmp_path: Path) -> None:
    without_rewrites(tmp_path)
    judges = [{"use": name} for name in ("leftover_reference", "unchanged", "over_edited")]
    with FaultServer() as server:
        file = build_file(tmp_path, server.base_url, gate={"use": "rules"}, judges=judges)
        done = run("build", file)
        assert done.returncode == 0, done.stderr
        asked = server.requests
    folder = tmp_path / "build"
    decisions = lines_of(folder / "rows" / "gate.jsonl")
    tasks = lines_of(folder / "rows" / "tasks.jsonl")
    assert [one["task"] for one in decisions] == [one["id"] for one in tasks]
    assert [one["decision"] for one in decisions] == [one["gate"] for one in tasks]
    passing = {one["task"] for one in decisions if not _rewritten(one["decision"])}
    assert asked == 2 * (len(tasks) - len(passing))
    copies = [row for row in lines_of(folder / "rows" / "sft.jsonl") if row["chosen"]["origin"] == "gate"]
    assert copies
    assert all(row["chosen"]["rewrite"] == row["task"]["query"] and row["task"]["id"] in passing for row in copies)
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Gate (`rules`)" in report
    assert "only the human rewrites" in report
    stage = next(stage for stage in manifest(folder)["stages"] if stage["stage"] == "gate")
    assert (stage["rows_in"], stage["kept"]) == (len(tasks), len(tasks))
    planned = run("plan", file)
    assert planned.returncode == 0, planned.stderr
    assert f" {asked} " in planned.stdout  # all of them known, none to send
    shown = run("show", folder, "--row", copies[0]["task"]["id"])
    assert "gate.jsonl:" in shown.stdout


def _rewritten(decision: dict[str, Any]) -> bool:
    known = decision["reference_needs_rewrite"]
    return bool(decision["needs_rewrite"] and not decision["missing_answer"]) if known is None else bool(known)


def answered(body: dict[str, Any]) -> str:
    """A gate that lets every query pass that starts with What, and finds an answer missing for those with Are."""
    query = body["messages"][1]["content"].split("<current_query>")[1]
    parts: dict[str, Any] = {"explanation": "seen", "needs_rewrite": not query.startswith("What")}
    if "missing_answer" in body["response_format"]["json_schema"]["schema"]["properties"]:
        parts["missing_answer"] = query.startswith("Are")
    return json.dumps(parts)


def test_a_model_can_be_the_gate_and_is_paid_once(tmp_path: Path) -> None:
    without_rewrites(tmp_path)
    with FaultServer(answer=answered) as server:
        file = build_file(tmp_path, server.base_url, gate={"use": "llm", "endpoint": "teacher"}, generation=[])
        done = run("build", file)
        assert done.returncode == 0, done.stderr
        asked = server.requests
        assert run("build", file).returncode == 0
        assert server.requests == asked
    decisions = lines_of(tmp_path / "build" / "rows" / "gate.jsonl")
    tasks = lines_of(tmp_path / "build" / "rows" / "tasks.jsonl")
    for one, task in zip(decisions, tasks, strict=True):
        assert bool(one["decision"]["request_hashes"]) == bool(task["history"])
    ways = {(one["decision"]["needs_rewrite"], one["decision"]["missing_answer"]) for one in decisions}
    assert ways == {(False, False), (True, False), (True, True)}
    assert asked >= sum(bool(task["history"]) for task in tasks)  # a slow machine tries some again


def test_without_a_gate_nothing_of_it_is_written(tmp_path: Path) -> None:
    assert run("build", build_file(tmp_path)).returncode == 0
    folder = tmp_path / "build"
    assert not (folder / "rows" / "gate.jsonl").exists()
    assert "\ngate:" not in (folder / "build.yaml").read_text(encoding="utf-8")
    assert "## Gate" not in (folder / "report.md").read_text(encoding="utf-8")
    assert all("gate" not in row for row in lines_of(folder / "rows" / "tasks.jsonl"))


def test_a_wrong_gate_is_a_clear_error(tmp_path: Path) -> None:
    done = run("check", build_file(tmp_path, gate={"use": "rule"}))
    assert done.returncode == 2
    assert "gate: no component 'rule'; there are: " in done.stderr
    assert "did you mean rules?" in done.stderr


def test_one_query_can_be_tried(tmp_path: Path) -> None:
    done = run(
        "gate", "--text", "What about in winter?", "--history", "When does the ferry leave?", "--history", "At nine."
    )
    assert done.returncode == 0, done.stderr
    assert "is rewritten" in done.stdout
    file = build_file(tmp_path, gate={"use": "rules"})
    again = run(
        "gate", "--text", "Can you compare the first two?", "--history", "Which?", "--user-turns", "--build", file
    )
    assert "passes unchanged" in again.stdout
    assert "no gate" in run("gate", "--text", "x", "--use", "llm").stderr
