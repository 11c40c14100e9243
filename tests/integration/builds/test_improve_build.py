"""Builds whose answers are improved, through the command line and a real HTTP server on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from improving import Opinions

from building import CLI, build_file, manifest, run
from pairwright.testing import FaultServer
from places import ROOT


def wordy(texts: Mapping[str, str]) -> str:
    """The query, politely."""
    query = texts["current_query"]
    return f"请问{query}" if query[0] > "\u3000" else f"Please tell me: {query}"


def polite(first: str, second: str) -> str | None:
    return next((text for text in (first, second) if text.startswith(("请问", "Please"))), None)


def graded(texts: Mapping[str, str]) -> tuple[int, int, int]:
    """A third of the queries each: hard and wrong, easy and accurate, easy and inaccurate."""
    return ((8, 8, 3), (8, 2, 9), (8, 2, 5))[len(texts["current_query"]) % 3]


FINE = Opinions(grades=graded, own=wordy, better=polite)


def improving(folder: Path, base_url: str, **improve: Any) -> Path:
    """A build of 60 human rewrites that a model improves."""
    judge = {"base_url": base_url, "model": "judge", "max_concurrency": 8, "timeout": 2, "max_retries": 8}
    return build_file(
        folder,
        endpoints={"judge": judge},
        judges=[{"use": "language_mismatch"}],
        perturbers=[],
        dedup={"near": False},
        improve={"endpoint": "judge", **improve},
    )


def stages(folder: Path) -> dict[str, dict[str, Any]]:
    found = {stage["stage"]: stage for stage in manifest(folder)["stages"]}
    for stage in found.values():
        assert stage["rows_in"] == stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values()), stage
    return found


def rows_of(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "rows" / name).read_text(encoding="utf-8").splitlines()]


def test_fine_keeps_by_routes_improves_and_pairs_the_two(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = FINE
    file = improving(tmp_path, openai_server.base_url, use="fine")
    first = run("build", file)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "build"
    books = stages(folder)
    assert books["improve"]["rows_in"] == books["keep"]["rows_in"] == 60
    assert books["keep"]["dropped"].keys() == {"easy_and_inaccurate"}
    assert books["compare"]["kept"] > 5
    chosen = rows_of(folder, "sft.jsonl")
    assert {row["route"] for row in chosen} == {"hard", "easy_and_accurate"}
    improved = {row["task"]["id"]: row for row in chosen if row["chosen"]["origin"] == "improved"}
    assert len(improved) == books["compare"]["kept"]
    for row in improved.values():
        assert row["chosen"]["rewrite"].startswith(("请问", "Please"))
        assert row["chosen"]["generation"]["model"] == "judge"
    pairs = [row for row in rows_of(folder, "pairs.jsonl") if row["rejected"]["maker"] == "improved"]
    assert len(pairs) > 5
    assert {row["rejected"]["defect"] for row in pairs} == {"outdone"}
    assert {row["task"]["id"] for row in pairs} <= improved.keys()
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "## Improvement" in report
    assert "| en | hard | improved | improved |" in report
    assert "| compared | improved better |" in report
    before, sent = manifest(folder), openai_server.requests
    assert openai_server.asked_twice == 0
    second = run("build", file)
    assert second.returncode == 0, second.stderr
    assert openai_server.requests == sent
    assert manifest(folder) == before


@pytest.mark.timeout(400)
def test_killed_while_improving_the_build_pays_nothing_twice_and_ends_the_same(tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    build_file(tmp_path)
    with FaultServer(answer=FINE) as server:
        assert run("build", improving(calm, server.base_url, use="fine")).returncode == 0
        needed = server.requests
    with FaultServer(answer=FINE, latency=0.1) as server:
        file = improving(stormy, server.base_url, use="fine")
        for seen in (10, 50, 90):
            assert seen < needed
            process = subprocess.Popen([*CLI, "build", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while server.requests < seen and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert run("build", file).returncode == 0
        assert server.requests <= needed + 3 * 8, "more was asked again than was in flight"
    assert manifest(stormy / "build")["files"] == manifest(calm / "build")["files"]


def test_rules_reject_what_breaks_them_and_choose_the_improvement(tmp_path: Path, openai_server: FaultServer) -> None:
    rules = tmp_path / "rules.txt"
    rules.write_text("Be polite.\n", encoding="utf-8")
    openai_server.answer = Opinions(
        own=wordy, good=lambda text: text.startswith(("请问", "Please")) or len(text) % 2 == 0
    )
    done = run("build", improving(tmp_path, openai_server.base_url, use="improve_or_reject", rules=str(rules)))
    assert done.returncode == 0, done.stderr
    books = stages(tmp_path / "build")
    assert books["compare"]["kept"] > 10
    chosen = rows_of(tmp_path / "build", "sft.jsonl")
    assert {row["route"] for row in chosen} == {"good", "bad"}
    for row in chosen:
        assert (row["chosen"]["origin"] == "improved") == (row["route"] == "bad")
    for pair in rows_of(tmp_path / "build", "pairs.jsonl"):
        if pair["rejected"]["maker"] == "improved":
            assert pair["chosen"]["rewrite"].startswith(("请问", "Please"))


def test_answers_are_improved_by_the_rules_of_the_shipped_example(tmp_path: Path, openai_server: FaultServer) -> None:
    example = yaml.safe_load((ROOT / "examples" / "shop_answers.yaml").read_text(encoding="utf-8"))
    example |= {
        "output": str(tmp_path / "build"),
        "endpoints": {"judge": {"base_url": openai_server.base_url, "model": "judge"}},
        "dedup": {"near": False},
    }
    file = tmp_path / "shop.yaml"
    file.write_text(yaml.safe_dump(example, allow_unicode=True), encoding="utf-8")
    openai_server.answer = Opinions(
        own=lambda texts: "建议选90码。" if texts["current_query"][0] > "\u3000" else "I would take size 90.",
        good=lambda text: "90" in text,
    )
    done = run("build", file, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert stages(tmp_path / "build")["improve"]["kept"] == 16
    for row in rows_of(tmp_path / "build", "sft.jsonl"):
        assert "90" in row["chosen"]["rewrite"]
        assert (row["chosen"]["origin"] == "improved") == (row["route"] == "bad")
    assert any("<rules>\n- 建议尺码" in body["messages"][1]["content"] for body in openai_server.bodies)


def test_a_model_that_never_gives_a_usable_answer_fails_every_row_and_stops_the_build(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    cut = {"finish_reason": "length", "message": {"role": "assistant", "content": '{"explanation": "It'}}
    openai_server.answer = lambda body: cut
    file = improving(tmp_path, openai_server.base_url, use="fine")
    done = run("build", file)
    assert done.returncode == 1
    assert "improve: fine kept no answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_plan_counts_the_improvers_requests_and_a_missing_rules_file_is_refused(tmp_path: Path) -> None:
    planned = run("plan", improving(tmp_path, "http://127.0.0.1:1/v1", use="fine"))
    assert planned.returncode == 0, planned.stderr
    assert any("fine" in line and " 240 " in line for line in planned.stdout.splitlines()), planned.stdout
    refused = run("plan", improving(tmp_path, "http://127.0.0.1:1/v1", use="improve_or_reject", rules="none.txt"))
    assert refused.returncode == 2
    assert "improve.rules: none.txt: No such file or directory" in refused.stderr
