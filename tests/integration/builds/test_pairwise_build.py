"""Whole builds whose pairs a judge compares, against a scripted server on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from building import CLI, build_file, manifest, rows, run
from pairwright.core.bookkeeping import Dropped
from pairwright.core.files.storage import read_rows
from pairwright.core.records import Compared, PreferencePair, SftRow
from pairwright.testing import FaultServer, behaviours

GOLD = {
    row["query"]: row["rewrite"] for name in ("zh_gold", "cast19.en", "gecor.en") for row in rows(f"{name}.jsonl", 24)
}


def judged_build(folder: Path, url: str, **keys: Any) -> Path:
    """The small build with a pairwise judge that has to confirm every pair."""
    grader = {"base_url": url, "model": "stub-7b", "max_concurrency": 8, "timeout": 30}
    return build_file(
        folder,
        endpoints={"grader": grader},
        comparison={"use": "pairwise", "endpoint": "grader"},
        **{**keys, "pairing": {"verify": "judge", **keys.get("pairing", {})}},
    )


def stage(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in manifest(folder)["stages"] if one["stage"] == name)
    return found


def test_every_pair_was_confirmed_by_the_judge_and_paid_for_once(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.oracle(GOLD)
    file = judged_build(tmp_path, openai_server.base_url)
    first = run("build", file)
    assert first.returncode == 0, first.stderr
    folder, sent = tmp_path / "build", openai_server.requests
    pairs = list(read_rows(folder / "rows" / "pairs.jsonl", PreferencePair))
    compared = list(read_rows(folder / "rows" / "comparisons.jsonl", Compared))
    confirmed = {(row.first, row.second) for row in compared if row.comparison.winner == "first"}
    assert pairs
    assert all((pair.chosen.text, pair.rejected.text) in confirmed for pair in pairs)
    assert sent == 2 * len(compared) == len({name for row in compared for name in row.comparison.request_hashes})
    books = stage(folder, "verify")
    assert books["rows_in"] == len(compared)
    assert books["rows_in"] == books["kept"] + sum(books["dropped"].values()) + sum(books["failed"].values())
    before = manifest(folder)
    again = run("build", file)
    assert again.returncode == 0, again.stderr
    assert openai_server.requests == sent
    assert manifest(folder) == before


def test_only_variants_that_would_be_pairs_are_asked_about(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = lambda body: json.dumps(
        {"explanation": "x", "better": "first" if _gold_is_first(body) else "second"}
    )
    done = run("build", judged_build(tmp_path, openai_server.base_url, pairing={"max_per_task": 1}))
    assert done.returncode == 0, done.stderr
    # This judge confirms everything, so nothing was asked but what is in the data set.
    assert openai_server.requests == 2 * stage(tmp_path / "build", "balance")["kept"]
    assert stage(tmp_path / "build", "pair")["dropped"].get("not_confirmed_by_judge", 0) == 0


def _gold_is_first(body: dict[str, Any]) -> bool:
    texts = behaviours.texts_of(body)
    return texts["first_text"] == GOLD.get(texts["current_query"])


def test_what_is_refused_is_replaced_by_another_variant_of_the_query(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    def refuses_shorter(body: dict[str, Any]) -> str:
        one, other = behaviours.texts_of(body)["first_text"], behaviours.texts_of(body)["second_text"]
        known = GOLD.get(behaviours.texts_of(body)["current_query"])
        first_is_chosen = one == known
        worse = other if first_is_chosen else one
        return json.dumps({"explanation": "x", "better": "equal" if len(worse) < len(str(known)) else
                           "first" if first_is_chosen else "second"})  # fmt: skip

    openai_server.answer = refuses_shorter
    done = run("build", judged_build(tmp_path, openai_server.base_url, pairing={"max_per_task": 1}))
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "build"
    refused = [row for row in read_rows(folder / "rows" / "dropped.jsonl", Dropped) if row.stage == "verify"]
    assert {row.reason for row in refused} == {"judge_tie"}
    tasks = {pair.task.id for pair in read_rows(folder / "rows" / "pairs.jsonl", PreferencePair)}
    assert len({row.row for row in refused} & tasks) > 5
    assert stage(folder, "pair")["dropped"]["not_confirmed_by_judge"] == len(refused)


def test_a_judge_that_always_names_the_first_text_confirms_nothing(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.always_first
    done = run("build", judged_build(tmp_path, openai_server.base_url))
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "build"
    books = stage(folder, "verify")
    assert books["kept"] == 0
    assert books["dropped"] == {"judge_tie": books["rows_in"]}
    assert not list(read_rows(folder / "rows" / "pairs.jsonl", PreferencePair))
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "| pairwise | verdicts |" in report
    assert "100.0% | +1.00 | 100.0%" in report, "flips, bias to the first place, ties"


def test_a_judge_whose_answers_do_not_parse_fails_the_variants(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = behaviours.cut_json
    done = run("build", judged_build(tmp_path, openai_server.base_url))
    assert done.returncode == 0, done.stderr
    books = stage(tmp_path / "build", "verify")
    assert books["failed"] == {"schema": books["rows_in"]}
    stopped = run("build", judged_build(tmp_path, openai_server.base_url, limits={"max_failure_rate": 0.05}))
    assert stopped.returncode == 1
    assert "stage verify" in stopped.stderr


@pytest.mark.timeout(400)
def test_killed_while_verifying_the_build_pays_nothing_twice_and_ends_the_same(tmp_path: Path) -> None:
    calm, stormy = tmp_path / "calm", tmp_path / "stormy"
    calm.mkdir()
    stormy.mkdir()
    build_file(tmp_path)
    with FaultServer(answer=behaviours.oracle(GOLD)) as server:
        assert run("build", judged_build(calm, server.base_url)).returncode == 0
        needed = server.requests
    with FaultServer(latency=0.1, answer=behaviours.oracle(GOLD)) as server:
        file = judged_build(stormy, server.base_url)
        for seen in (needed // 4, needed // 2):
            process = subprocess.Popen([*CLI, "build", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 60
            while server.requests < seen and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert run("build", file).returncode == 0
        assert needed <= server.requests <= needed + 2 * 8, "more was asked again than was in flight"
    assert manifest(stormy / "build")["files"] == manifest(calm / "build")["files"]


def teacher_and_grader(body: dict[str, Any]) -> str:
    """A teacher that answers one of three things by the request's seed, and a judge that knows which is best."""
    if "better" in body["response_format"]["json_schema"]["schema"]["properties"]:
        texts = behaviours.texts_of(body)
        ranks = [int(texts[key].rpartition(" ")[2].strip("?")) for key in ("first_text", "second_text")]
        return json.dumps({"explanation": "x", "better": "first" if ranks[0] > ranks[1] else "second"})
    query = behaviours.texts_of(body)["current_query"]
    return json.dumps({"analysis": "", "needs_rewrite": True, "rewrite": f"{query} {round(10 * body['temperature'])}?"})


@pytest.mark.parametrize(("choose", "comparisons"), [("knockout", 2), ("all_pairs", 3)])
def test_the_best_of_several_accepted_candidates_is_chosen_by_comparing_them(
    tmp_path: Path, openai_server: FaultServer, choose: str, comparisons: int
) -> None:
    data = tmp_path / "rows.jsonl"
    plain = [{key: row[key] for key in ("history", "query")} for row in rows("cast19.en.jsonl", 10)]
    data.write_text("".join(json.dumps(row) + "\n" for row in plain), encoding="utf-8")
    openai_server.answer = teacher_and_grader
    file = build_file(
        tmp_path,
        openai_server.base_url,
        generation=[{"role": "teacher", "endpoint": "teacher", "temperatures": [0.1, 0.9, 0.4]}],
        comparison={"use": "pairwise", "endpoint": "teacher"},
        pairing={"choose": choose},
    )
    done = run("build", file)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "build"
    chosen = list(read_rows(folder / "rows" / "sft.jsonl", SftRow))
    assert len(chosen) == 10
    assert all(row.chosen.text.endswith(" 9?") for row in chosen)
    compared = Counter(row.task for row in read_rows(folder / "rows" / "comparisons.jsonl", Compared))
    assert set(compared.values()) == {comparisons}


def test_without_comparisons_a_build_says_nothing_of_them(tmp_path: Path) -> None:
    assert run("build", build_file(tmp_path)).returncode == 0
    folder = tmp_path / "build"
    assert not (folder / "rows" / "comparisons.jsonl").exists()
    assert not (folder / "rows" / "judging.jsonl").exists()
    assert "comparison:" not in (folder / "build.yaml").read_text(encoding="utf-8")
