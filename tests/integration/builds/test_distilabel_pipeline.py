"""A build file as one distilabel pipeline: the same pairs as the build, on every road, and what holds when it is killed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from answer_building import build_file as answer_build_file
from answer_building import scripted, with_endpoint
from generation_rows import wait_until

import building
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import BuildError, Interrupted
from pairwright.core.llm.ledger import Ledger
from pairwright.core.records import PreferencePair
from pairwright.core.result import BuildResult
from pairwright.pipelines.books import Silent
from pairwright.pipelines.build import run_build
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.testing.fault_server import FaultServer
from places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
scripted_model: Callable[[dict[str, Any]], str] = runpy.run_path(
    str(ROOT / "benchmarks" / "chaos_tools" / "scripted_model.py")
)["answer"]

EVERY_STAGE: dict[str, Any] = {
    "seed": 11,
    "evaluations": [{"use": "files", "source": "held_out", "path": str(building.DATA / "gecor.en.jsonl")}],
    "gate": {"use": "llm", "endpoint": "judge"},
    "generation": [
        {"role": "teacher", "endpoint": "teacher", "temperatures": [0.0, 0.7]},
        {"role": "weak", "endpoint": "weak", "sample": 9},
    ],
    "judges": [
        {"use": "panel", "members": [{"use": "rubric", "endpoint": "judge", "dimensions": ["clarity"]}], "threshold": 0.5},
        {"use": "leftover_reference"},
        {"use": "language_mismatch"},
    ],
    "comparison": {"use": "panel", "members": [{"use": "pairwise", "endpoint": name} for name in ("judge", "teacher")]},
    "improve": {"use": "fine", "endpoint": "judge"},
    "diversity": {"keep": 0.8},
    "pairing": {"choose": "knockout", "verify": "judge"},
    "exports": [],
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    monkeypatch.setenv("DISTILABEL_LOG_LEVEL", "ERROR")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("datasets")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(ROOT)
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) == before, "a pipeline keeps Ctrl-C for itself"


def test_importing_our_steps_leaves_tracebacks_alone() -> None:
    code = """
import sys
from pairwright.pipelines.distilabel_steps import gate_steps
assert "distilabel" in sys.modules
secret = "sk-never-shown"
raise ValueError("plain")
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "ValueError: plain"
    assert "never-shown" not in done.stderr


def read(path: Path) -> BuildConfig:
    return read_build(path, CATALOGUES)


def built(config: BuildConfig) -> BuildResult:
    return run_build(config, lambda _: Silent())


def run(config: BuildConfig, folder: Path) -> Any:
    """What the pipeline of a build file gives, with a cache folder of its own."""
    from pairwright.pipelines.distilabel_steps.pipeline import build_pipeline

    return build_pipeline(config, cache_dir=folder / "cache").run(use_cache=False)


def texts(found: Any, leaf: str, column: str) -> list[str]:
    return [row[column] for row in found[leaf]["train"]]


def require_same(found: Any, result: BuildResult) -> None:
    """Every pair and every answer is there, byte for byte and in order, and all that the build left out."""
    assert texts(found, "pairs", "pair") == [pair.model_dump_json() for pair in result.pairs()]
    assert texts(found, "sft", "answer") == [row.model_dump_json() for row in result.sft()]
    left_out = Counter((row["stage"], row["row"], row["reason"], row["detail"]) for row in found["left_out"]["train"])
    assert left_out == Counter(books(Path(result.config.output)))


def books(output: Path) -> Iterator[tuple[str, str, str, str]]:
    for name, reason, detail in (("dropped", "reason", "detail"), ("failed", "error", "message")):
        for line in (output / "rows" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["stage"], row["row"], row[reason], row[detail]


def weak_says(body: dict[str, Any]) -> str:
    query = body["messages"][-1]["content"]
    return json.dumps({"analysis": "It is so.", "needs_rewrite": False, "rewrite": f"It is {len(query)} letters long."})


def test_the_demo_gives_the_pairs_of_its_build_and_asks_nothing_that_the_ledger_has(tmp_path: Path) -> None:
    content = yaml.safe_load((ROOT / "examples" / "demo.yaml").read_text(encoding="utf-8"))
    del content["audit"]
    with FaultServer(answer=weak_says) as server:
        # Every other perturber: all of them take twice as long and tell nothing more about the pipeline.
        content |= {"output": str(tmp_path / "build"), "exports": [], "perturbers": content["perturbers"][::2]}
        content["endpoints"] = {"student": {"base_url": server.base_url, "model": "weak"}}
        config = BuildConfig.model_validate(content, context={"catalogues": CATALOGUES})
        result = built(config)
        asked = server.requests
        found = run(config, tmp_path)
        assert server.requests == asked == 16
    require_same(found, result)
    pair = found["pairs"]["train"][0]
    whole = PreferencePair.model_validate_json(pair["pair"])
    assert pair["prompt"][-1] == {"role": "user", "content": whole.task.query}
    assert (pair["chosen"], pair["rejected"]) == (whole.chosen.text, whole.rejected.text)
    assert {pair["split"] for pair in found["pairs"]["train"]} == {"train", "validation", "test"}


def test_every_stage_gives_the_same_on_a_faulty_server_and_failed_rows_are_told(tmp_path: Path) -> None:
    def sometimes_broken(body: dict[str, Any]) -> str:
        prompt = json.dumps(body["messages"]).encode()
        share = 200 if body["model"] == "weak" else 10
        return "{" if hashlib.sha256(prompt).digest()[0] < share else scripted_model(body)

    with FaultServer(answer=sometimes_broken) as server:
        keys = {
            name: {"base_url": server.base_url, "model": name, "max_retries": 8}
            for name in ("teacher", "weak", "judge")
        }
        path = building.build_file(tmp_path, endpoints=keys, **EVERY_STAGE)
        rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in rows[::4]:
            del row["rewrite"]
        building.write_rows(tmp_path / "rows.jsonl", rows[::2])
        config = read(path)
        result = built(config)
        server.answered.clear()
        server.faults = {"429": 0.05, "500": 0.03, "malformed": 0.03, "html": 0.01}
        own = config.model_copy(update={"ledger": str(tmp_path / "own.sqlite")})
        found = run(own, tmp_path)
        assert server.asked_twice == 0
    require_same(found, result)
    stages = {row["stage"] for row in found["left_out"]["train"] if row["failed"]}
    assert {"gate", "generate", "judge"} <= stages
    assert list(result.pairs())


def test_answers_and_a_pipeline_that_was_written_as_yaml(tmp_path: Path) -> None:
    from pairwright.pipelines.distilabel_steps.pair_pipeline import PairPipeline
    from pairwright.pipelines.distilabel_steps.pipeline import build_pipeline

    with FaultServer(answer=scripted) as server:
        config = read(answer_build_file(tmp_path, **with_endpoint(server.base_url, tools=True, api_key_env="TEST_KEY")))
        os.environ["TEST_KEY"] = "sk-never-written"
        result = built(config)
        asked = server.requests
        written = tmp_path / "pipeline.yaml"
        pipeline = build_pipeline(config)
        pipeline.save(written, format="yaml")
        text = written.read_text(encoding="utf-8")
        assert "sk-never-written" not in text
        assert "!!python" not in text
        again = PairPipeline.from_yaml(written)
        assert again.dump() == pipeline.dump()
        again._cache_dir = tmp_path / "cache"
        found = again.run(use_cache=False)
        assert server.requests == asked
    require_same(found, result)
    assert any(row["tools"] for row in found["pairs"]["train"])


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shipped example as a module."""
    spec = importlib.util.spec_from_file_location("shipped_example", ROOT / "examples" / "distilabel_pipeline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "shipped_example", module)  # workers look for the step's class there
    spec.loader.exec_module(module)
    return module


def test_steps_of_others_stand_between_ours(tmp_path: Path, example: Any) -> None:
    from distilabel.steps import KeepColumns

    from pairwright.pipelines.distilabel_steps.pair_pipeline import PairPipeline
    from pairwright.pipelines.distilabel_steps.pipeline import build_steps, connect_steps, insert_step

    config = read(building.build_file(tmp_path))
    result = built(config)
    with PairPipeline(name="mixed", cache_dir=tmp_path / "cache") as pipeline:
        steps = build_steps(config)
        insert_step(steps, "reject", example.HalfAnswer(name="halve"))
        insert_step(steps, "split", KeepColumns(name="keep_columns", columns=["answer", "pairs", "kept", "left_out"]))
        connect_steps(steps)
    found = pipeline.run(use_cache=False)
    makers = Counter(texts(found, "pairs", "maker"))
    assert makers["half_answer"] > 0
    assert makers.keys() - {"half_answer"} == {pair.rejected.rejected_by for pair in result.pairs()}
    half = next(row for row in found["pairs"]["train"] if row["maker"] == "half_answer")
    assert half["chosen"].startswith(half["rejected"])
    assert texts(found, "sft", "id") == [row.id for row in result.sft()]


def test_the_example_runs_as_its_first_lines_say(
    tmp_path: Path, example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["distilabel_pipeline.py", str(building.build_file(tmp_path))])
    example.main()
    assert "'half_answer': " in capsys.readouterr().out


def test_our_steps_in_a_pipeline_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTILABEL_CACHE_DIR", str(tmp_path / "cache"))
    example = runpy.run_path(str(ROOT / "examples" / "distilabel_steps.py"))
    rewrites = {"When was she": "When was Ada Lindqvist born?", "这家": "北京香江戴斯酒店有健身房吗？"}

    def teacher(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"].rpartition("<current_query>")[2]
        rewrite = next(rewrite for start, rewrite in rewrites.items() if asked.lstrip().startswith(start))
        return json.dumps({"analysis": "An ellipsis.", "needs_rewrite": True, "rewrite": rewrite})

    with FaultServer(answer=teacher) as server:
        pipeline = example["build"](server.base_url, "m", str(tmp_path / "ledger.sqlite"))
        first, again, chinese = pipeline.run(use_cache=False)["default"]["train"]
        assert server.requests == 3
    assert (first["rewrite"], first["accepted"], first["duplicate_of"]) == ("When was Ada Lindqvist born?", True, None)
    assert (again["keep_row_after_minhash_filtering"], again["duplicate_of"]) == (False, 0)
    assert (chinese["rewrite"], chinese["contaminated_by"]) == (rewrites["这家"], None)
    assert first["contaminated_by"] == "Where was Ada Lindqvist born?"
    for row in (first, chinese):
        assert row["query"] in [one["text"] for one in json.loads(row["rejected"])]


def test_an_endpoint_that_refuses_everything_ends_the_run_with_an_error(tmp_path: Path) -> None:
    with FaultServer() as server:
        server.key = "another"
        config = read(building.build_file(tmp_path, server.base_url))
        with pytest.raises(BuildError, match=r"stage generate: the step raised, and 120 requests .*endpoint 'teacher'"):
            run(config, tmp_path)
        assert server.requests <= 8


class Running:
    """The pipeline of a build file in a process of its own, forked from this one: distilabel is imported already."""

    def __init__(self, config: BuildConfig, folder: Path) -> None:
        import pairwright.pipelines.distilabel_steps.pipeline  # noqa: F401

        self._config, self._folder = config, folder
        self.outcome = folder / "outcome"
        self.process = multiprocessing.get_context("fork").Process(target=self._run)
        self.process.start()

    def _run(self) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            found = run(self._config, self._folder)
            self.outcome.write_text(json.dumps(texts(found, "pairs", "id")), encoding="utf-8")
        except (BuildError, Interrupted) as exc:
            self.outcome.write_text(f"{type(exc).__name__}: {exc.message}", encoding="utf-8")

    def ended(self) -> str:
        """What came of it; nothing that it started is left."""
        started = descendants(self.process.pid)
        self.process.join(30)
        assert not self.process.is_alive()
        assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started), 10)
        return self.outcome.read_text(encoding="utf-8") if self.outcome.exists() else ""


def descendants(pid: int | None) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (entry / "stat").exists():
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return {one for one in found - {pid} if one is not None}


def asker(pid: int | None, port: int) -> int:
    """The descendant that has a connection to the server."""
    tcp = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in tcp if int(line[2].partition(":")[2], 16) == port}
    for child in descendants(pid):
        for file in Path(f"/proc/{child}/fd").iterdir():
            if file.is_symlink() and os.readlink(file) in sockets:
                return child
    raise AssertionError("nobody asks")


def test_a_killed_or_interrupted_run_leaves_nobody_and_the_next_one_pays_only_for_the_rest(tmp_path: Path) -> None:
    with FaultServer(answer=weak_says, latency=0.3) as server:
        config = read(building.build_file(tmp_path, server.base_url))

        def kill(victim: Callable[[Running], int], sent: signal.Signals) -> str:
            before, running = server.requests, Running(config, tmp_path)
            assert wait_until(lambda: server.requests >= before + 24, 60)
            os.kill(victim(running), sent)
            said = running.ended()
            arrived = server.requests
            time.sleep(1)
            assert server.requests == arrived, "someone went on asking"
            return said

        def main(running: Running) -> int:
            assert running.process.pid is not None
            return running.process.pid

        assert kill(main, signal.SIGKILL) == ""
        assert kill(lambda running: asker(running.process.pid, server.port), signal.SIGKILL).startswith(
            "BuildError: process"
        )
        assert kill(main, signal.SIGINT) == "Interrupted: interrupted"
        server.latency, arrived = 0.0, server.requests
        with Ledger(config.ledger_path) as ledger:
            known = ledger.usage().answers
        pairs = json.loads(Running(config, tmp_path).ended())
        assert server.requests == arrived + 120 - known
        assert known >= 3 * 16
        assert server.asked_twice <= 3 * 8  # at most what was on its way when it ended
        assert pairs == [pair.id for pair in built(config).pairs()]
        assert server.requests == arrived + 120 - known
