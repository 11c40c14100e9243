"""The Python API, where people use it: a notebook, asynchronous code, a script. The code is that of its page."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient

from pairwright import Build
from pairwright.core.bookkeeping import StageCount
from pairwright.core.errors import BuildError, ConfigError, StorageError
from pairwright.pipelines.api import Finished
from pairwright.pipelines.books import Silent
from pairwright.testing import FaultServer
from places import ROOT

pytestmark = pytest.mark.slow

CELLS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
DEFECTS = re.compile(r"\[\('\w+', \d+\)")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A working directory with the examples in it."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def run_script(code: str, place: Path) -> str:
    """What a script prints; it must end well and complain about nothing."""
    script = place / "script.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=place, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def as_a_script(place: Path) -> str:
    return run_script("\n".join(CELLS), place)


def under_asyncio_run(place: Path) -> str:
    # Not a string of indented lines: a text over several lines would change.
    body = ast.unparse(ast.parse("\n".join(CELLS)))
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return run_script(f"import asyncio\n\n\nasync def main():\n{indented}\n\nasyncio.run(main())\n", place)


def in_a_notebook(place: Path) -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(place)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    complaints = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    # The progress bars of datasets want ipywidgets, and say so.
    assert [text for text in complaints if "IProgress not found" not in text] == []
    shown = [output.data["text/markdown"] for output in outputs if output.output_type == "execute_result"]
    assert "**Query 1 of 2:" in shown[0], "a preview is rendered"
    assert "| dedup | queries |" in shown[-1], "a run is rendered"
    return "".join(output.text for output in outputs if output.output_type == "stream")


@pytest.mark.parametrize("where", [as_a_script, under_asyncio_run, in_a_notebook])
def test_the_code_of_the_page_runs(where: Callable[[Path], str], place: Path) -> None:
    printed = where(place)
    assert re.search(r"0 requests, \d{2,3} pairs", printed)
    assert DEFECTS.search(printed)
    assert "北京香江戴斯酒店附近有餐馆吗？" in printed
    assert "dedup: 60 of 60 kept" in printed
    assert (place / "builds" / "api" / "manifest.json").is_file()


def small(folder: Path, **changes: object) -> Build:
    """A build of 24 Chinese rows without a model."""
    source = {"use": "files", "source": "gold", "path": str(ROOT / "examples/data/zh_gold.jsonl"), "licence": "MIT"}
    content = {
        "name": "small",
        "output": str(folder / "build"),
        "sources": [source],
        "perturbers": [{"use": "entity_deletion"}, {"use": "redundancy"}],
        "exports": [{"use": "trl", "kto": True}],
        "pairing": {
            "max_defect_share": 1.0,
            "max_template_share": 1.0,
            "no_rewrite_share": [0, 1],
            "max_surface_auc": 1.0,
        },
        "limits": {"max_rows": 24},
    }
    return Build.from_dict({**content, **changes})


def test_data_sets_in_memory_are_the_exported_ones(tmp_path: Path) -> None:
    from datasets import load_dataset

    build = small(tmp_path)
    done = build.run(progress=False)
    found = build.to_datasets()
    assert set(found) == {"sft", "dpo", "kto"}
    for kind, splits in found.items():
        exported = load_dataset(str(build.folder / "exports" / "trl"), kind, cache_dir=str(tmp_path / "cache"))
        assert {split: rows.to_list() for split, rows in splits.items()} == {
            split: rows.to_list() for split, rows in exported.items()
        }
        assert f"small, build {done.build_id}; left out: nothing" in splits["train"].info.description


def test_data_sets_need_no_trl_export(tmp_path: Path) -> None:
    build = small(tmp_path, exports=[])
    build.run(progress=False)
    found = build.to_datasets()
    assert found["dpo"]["train"].num_rows == sum(pair.split == "train" for pair in build.pairs())
    assert found["sft"]["train"].num_rows == sum(row.split == "train" for row in build.sft())
    assert not (build.folder / "exports" / "trl").exists()


def test_rows_of_another_build_file_are_not_handed_out(tmp_path: Path) -> None:
    small(tmp_path).run(progress=False)
    other = small(tmp_path, seed=5)
    for read in (other.pairs, other.sft, other.report, other.to_datasets):
        with pytest.raises(BuildError, match="made from another build file"):
            read()
    same = Build.from_file(other.folder / "build.yaml")
    assert next(same.pairs()).rejected.text
    assert same.report().startswith("# Build small")


def test_a_folder_without_a_build_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"build: no finished build here") as caught:
        small(tmp_path).pairs()
    assert caught.value.hint == "Run the build first."


def test_a_damaged_build_is_named(tmp_path: Path) -> None:
    build = small(tmp_path)
    build.run(progress=False)
    (build.folder / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(BuildError, match=r"manifest\.json: cannot be read"):
        build.pairs()


def test_every_problem_of_a_dictionary_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        small(tmp_path, jugdes=[], seed="x")
    assert caught.value.problems == (
        "build small: jugdes: unknown key, did you mean judges?",
        "build small: seed: Input should be a valid integer, unable to parse string as an integer, found 'x'",
    )


def test_changes_of_a_file_are_checked_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"chinese\.yaml: seeds: unknown key, did you mean seed"):
        Build.from_file(ROOT / "examples" / "chinese.yaml", seeds=3)


def test_pairs_can_be_looked_at(tmp_path: Path) -> None:
    build = small(tmp_path)
    build.run(progress=False)
    found = build.show(2, defect="missing_entity")
    assert [pair.rejected.defect for pair in found.pairs] == ["missing_entity"] * 2
    pair = found.pairs[0]
    assert f"query  {pair.task.query}" in str(found)
    assert f"because  {pair.rejected.evidence}" in str(found)
    assert f"[-{pair.rejected.evidence}-]" in str(found)
    assert "| chosen |" in found._repr_markdown_()
    assert str(build.show(defect="none_such")) == "no such pair"
    assert len(repr(found)) < 100
    assert repr(build) == f"Build('small', output='{tmp_path / 'build'}')"


def test_what_cannot_be_meant_is_told_at_once(tmp_path: Path) -> None:
    build = small(tmp_path)
    with pytest.raises(ValueError, match="at least one query, not 0"):
        build.preview(0)
    with pytest.raises(ValueError, match="at least 0 pairs can be shown, not -1"):
        build.show(-1)
    for nothing in (None, ["name"], "name: small"):
        with pytest.raises(ConfigError, match="build: expected keys and values, found "):
            Build.from_dict(nothing)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="begin, advance and end, not 'bars'"):
        build.run(progress="bars")  # type: ignore[arg-type]
    assert not build.folder.exists()


def test_a_file_that_only_a_build_leaves_is_named_where_the_build_will_leave_it(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"nothing": "here"}\n', encoding="utf-8")
    source = {"use": "files", "source": "rows", "path": str(rows), "licence": "MIT"}
    with pytest.raises(BuildError) as caught:
        small(tmp_path, sources=[source]).check()
    assert str(tmp_path / "build" / "unfinished" / "failed.jsonl") in caught.value.hint
    assert "pairwright-plan" not in caught.value.hint


def test_an_error_in_a_notebook_is_what_happened_and_what_to_do(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("from pairwright import Build\nBuild.from_file('none.yaml')")]
    )
    client = NotebookClient(notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    (output,) = notebook.cells[0].outputs
    assert output.traceback == [
        "ConfigError: none.yaml: no such build file\n'pairwright init' writes one to start from."
    ]


def test_names_complete() -> None:
    import pairwright

    assert dir(pairwright) == ["Build", "PairwrightError", "Student", "__version__"]
    assert [vars(pairwright).get(name) or pairwright.__getattr__(name) for name in dir(pairwright)]


def test_a_watcher_is_told_of_every_row(tmp_path: Path) -> None:
    class Watching:
        def __init__(self) -> None:
            self.rows = 0
            self.stages: list[str] = []

        def begin(self, stage: str, unit: str, total: int | None) -> None:
            self.stages.append(stage)

        def advance(self, stage: str) -> None:
            self.rows += stage == "read"

        def end(self, count: StageCount) -> None:
            assert count.balances()

    watching = Watching()
    done = small(tmp_path).run(progress=watching)
    assert watching.rows == 24
    assert sorted(watching.stages) == sorted(count.stage for count in done.counts)


def test_a_second_build_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    refused: list[StorageError] = []

    class Meddling(Silent):
        def begin(self, stage: str, unit: str, total: int | None) -> None:
            if not refused:
                with pytest.raises(StorageError, match="another build is running here") as caught:
                    small(tmp_path).run(progress=False)
                refused.append(caught.value)

    small(tmp_path).run(progress=Meddling())
    assert len(refused) == 1


def answering(body: dict[str, Any]) -> str:
    """Any JSON that is asked for; rewrites differ."""
    schema = body["response_format"]["json_schema"]["schema"]["properties"]
    said = {"analysis": "分析", "needs_rewrite": True, "rewrite": f"第{len(str(body))}家酒店有健身房吗？", "score": 5}
    return json.dumps({name: said.get(name, "很好。") for name in schema}, ensure_ascii=False)


@pytest.mark.parametrize("asking", ["generation", "judges"])
def test_the_stop_button_loses_nothing_and_the_cell_can_be_run_again(
    asking: str, tmp_path: Path, openai_server: FaultServer
) -> None:
    """Generation waits for a process of its own, judges for a second thread: both end when the kernel is interrupted."""
    openai_server.answer, openai_server.latency = answering, 0.2
    parts = {
        "generation": [{"role": "teacher", "endpoint": "m", "temperatures": [0.0, 0.7]}],
        "judges": [{"use": "rubric", "endpoint": "m"}],
    }
    endpoint = {"base_url": openai_server.base_url, "model": "m", "max_concurrency": 2}
    build = small(tmp_path, endpoints={"m": endpoint}, **{asking: parts[asking]})
    file = tmp_path / "build.yaml"
    file.write_text(yaml.safe_dump(build.config.model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
    code = f"from pairwright import Build\nBuild.from_file({str(file)!r}).run()"
    manager, client = start_new_kernel()
    try:
        # Else the kernel may still be throwing away what it finds queued after an error when the next cell arrives.
        cell = client.execute(code, stop_on_error=False)
        until = time.monotonic() + 120
        while len(openai_server.answered) < 3:
            assert time.monotonic() < until
            time.sleep(0.05)
        manager.interrupt_kernel()
        reply = reply_to(client, cell)
        assert (reply["status"], reply.get("ename")) == ("error", "Stopped")
        assert reply["traceback"] == ["Stopped: what was answered is in the ledger; run it again to go on"]
        answered = len(openai_server.answered)
        openai_server.latency = 0
        reply = reply_to(client, client.execute(code))
        assert reply["status"] == "ok", reply
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert answered < len(openai_server.answered)
    assert openai_server.asked_twice == 0


def reply_to(client: BlockingKernelClient, cell: str) -> dict[str, Any]:
    """How the execution of a cell ended."""
    while True:
        message = client.get_shell_msg(timeout=120)
        if message["parent_header"].get("msg_id") == cell:
            return dict(message["content"])


def test_a_service_builds_in_a_thread_and_its_loop_goes_on(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = answering
    endpoint = {"base_url": openai_server.base_url, "model": "m"}
    generation = [{"role": "teacher", "endpoint": "m", "temperatures": [0.0]}]
    build = small(
        tmp_path, endpoints={"m": endpoint}, generation=generation, judges=[{"use": "rubric", "endpoint": "m"}]
    )
    beats = 0

    async def service() -> Finished:
        nonlocal beats
        building = asyncio.ensure_future(asyncio.to_thread(build.run, False))
        while not building.done():
            beats += 1
            await asyncio.sleep(0.05)
        return await building

    done = asyncio.run(service())
    assert done.requests == openai_server.requests > 24
    assert beats > 5
