"""The list of stages is the only one: what is added to it runs, is counted, planned for, reported and kept."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from building import build_file, manifest, run
from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import ConfigError
from pairwright.core.llm.ledger import Ledger
from pairwright.core.records import Task
from pairwright.core.requests import ChatRequest, Message
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import TASKS, Latest
from pairwright.pipelines.books import Books, Silent
from pairwright.pipelines.build import STEPS, run_build, run_until
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.forecast import forecast_build
from pairwright.pipelines.needs import Need, Outlook, more, nothing
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import Flow, RowStage, Step, artefacts_of, stages_of
from pairwright.testing import FaultServer


class ShortOnly(RowStage):
    """Drops every query that a model calls long: it asks, and it stands before everything else that asks."""

    name: ClassVar[str] = "short_only"
    unit: ClassVar[str] = "queries"
    per_row: ClassVar[bool] = True

    def require(self, config: BuildConfig) -> None:
        if "teacher" not in config.endpoints:
            raise ConfigError(["short_only: no endpoint called teacher"])

    def asks(self, config: BuildConfig) -> bool:
        return True

    def outcomes(self, run: Run, rows: Iterator[Task]) -> Iterator[Task | Dropped]:
        for task in rows:
            request = ChatRequest(messages=(Message(role="user", content=f"Is this long? {task.query}"),))
            said = run.access.runner.run(run.access.ask("teacher", request)).text
            yield task if said == "no" else Dropped(stage=self.name, row=task.id, reason="long", detail=task.query)

    def needs(self, outlook: Outlook) -> Iterator[Need]:
        yield more(outlook.config.endpoints["teacher"], nothing("teacher", self.name), 60, 600, 60)

    def report(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Short queries", ("Long ones went.",))

    def card(self, result: BuildResult) -> Iterator[ReportSection]:
        yield ReportSection("Short queries", ("Only short queries are in it.",))


WITH_TOY: tuple[Step, ...] = (Flow((*STEPS[0].stages, ShortOnly()), TASKS), *STEPS[1:])  # type: ignore[union-attr]


def short_or_long(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    if content.startswith("Is this long? "):
        return "no" if len(content) < 60 else "yes"
    return json.dumps({"analysis": "", "needs_rewrite": True, "rewrite": "What is the name of the river?"})


def config_of(folder: Path, **keys: Any) -> BuildConfig:
    keys = {"exports": [{"use": "llamafactory"}, {"use": "card"}], **keys}
    return read_build(build_file(folder, **keys), CATALOGUES)


def test_a_stage_is_one_class_and_one_line_and_may_ask_wherever_it_stands(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.answer = short_or_long
    config = config_of(tmp_path, base_url=openai_server.base_url)
    result = run_build(config, lambda _: Silent(), WITH_TOY)
    count = next(one for one in result.counts if one.stage == "short_only")
    assert (count.unit, count.rows_in, count.kept > 0, count.dropped["long"] > 0) == ("queries", 60, True, True)
    folder = tmp_path / "build"
    assert [one for one in manifest(folder)["stages"] if one["stage"] == "short_only"] == [
        count.model_dump(mode="json")
    ]
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert f"| short_only | queries | 60 | {count.kept} |" in report
    assert "## Short queries\n\nLong ones went." in report
    card = (folder / "exports" / "README.md").read_text(encoding="utf-8")
    assert "| short_only | queries | 60 |" in card
    assert "## Short queries\n\nOnly short queries are in it." in card
    needs = [need for need in forecast_build(config, WITH_TOY).needs if need.purpose == "short_only"]
    assert [(need.endpoint, need.requests) for need in needs] == [("teacher", 60)]
    sent, rows = openai_server.stats()["requests"], (result.rows / "sft.jsonl").read_bytes()
    again = run_build(config, lambda _: Silent(), WITH_TOY)
    assert openai_server.stats()["requests"] == sent, "what such a stage asked is paid once"
    assert (again.rows / "sft.jsonl").read_bytes() == rows


def test_what_a_stage_needs_is_looked_for_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no endpoint called teacher"):
        run_build(config_of(tmp_path), lambda _: Silent(), WITH_TOY)
    assert not (tmp_path / "build").exists()


def test_no_artefact_has_two_writers() -> None:
    written = Counter(artefact.file for artefact in artefacts_of(STEPS))
    assert [file for file, writers in written.items() if writers > 1] == []


def test_every_artefact_that_a_stage_reads_was_written_before() -> None:
    there: set[str] = set()
    for step in STEPS:
        for stage in stages_of([step]):
            for read in stage.reads:
                files = read.files if isinstance(read, Latest) else (read,)
                assert {file.file for file in files} <= there, f"{stage.name} reads {files}"
        there |= {artefact.file for artefact in artefacts_of([step])}


def test_stages_have_names_of_their_own() -> None:
    names = Counter(stage.name for stage in stages_of(STEPS))
    assert names.most_common(1)[0][1] == 1


pytestmark = pytest.mark.slow


def test_stages_that_say_so_look_at_each_row_alone(tmp_path: Path) -> None:
    config = config_of(tmp_path, judges=[{"use": "leftover_reference"}], gate={"use": "rules"})
    run_until(config, "split", lambda _: Silent())
    work, alone = tmp_path / "build" / "unfinished", []
    with (
        Ledger(tmp_path / "ledger.sqlite") as ledger,
        Books(tmp_path, 1.0, Silent()) as books,
        Run(config, work, books, ledger) as run,
    ):
        for step in STEPS:
            rows: list[Any] = []
            for stage in step.stages if isinstance(step, Flow) else ():
                if stage.wanted(config):
                    inputs, outcomes, *_ = stage.begin(run, iter(rows))
                    given = list(inputs)
                    found = list(outcomes(iter(given)))
                    if stage.per_row:
                        alone.append(stage.name)
                        half = len(given) // 2
                        parts = [one for part in (given[half:], given[:half]) for one in outcomes(iter(part))]
                        assert parts[len(given) - half :] + parts[: len(given) - half] == found, stage.name
                    rows = [one for one in found if not isinstance(one, Dropped | Failed)]
    assert alone == ["read", "window", "gate", "judge", "accept", "choose"]


_OPENED: list[tuple[str, str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str) and "/unfinished/" in arguments[0]:
        _OPENED.append((Path(arguments[0]).name, str(arguments[1] or "r")))


@pytest.fixture
def opened() -> list[tuple[str, str]]:
    """The files in work folders that this process opens, each with its mode. The hook stays; it only notes."""
    if not _note_installed:
        sys.addaudithook(_note)
        _note_installed.append(True)
    _OPENED.clear()
    return _OPENED


_note_installed: list[bool] = []


def test_answers_are_read_three_times_at_most_and_files_are_written_once(
    tmp_path: Path, openai_server: FaultServer, opened: list[tuple[str, str]]
) -> None:
    perturbers = [{"use": "entity_deletion"}, {"use": "invented_entity"}]
    run_build(config_of(tmp_path, base_url=openai_server.base_url, perturbers=perturbers), lambda _: Silent())
    read = Counter(name for name, mode in opened if mode.startswith("r"))
    assert 1 <= read["chosen.jsonl"] <= 3
    written = Counter(
        name.removesuffix(".partial") for name, mode in opened if mode[0] in "wax" and not name.endswith(".log")
    )
    assert written["chosen.jsonl"] == 1
    assert [name for name, times in written.items() if times > 1] == []


def test_a_build_can_be_run_as_far_as_one_stage(tmp_path: Path) -> None:
    file = build_file(tmp_path, judges=[{"use": "leftover_reference"}])
    config = read_build(file, CATALOGUES)
    run_build(config, lambda _: Silent())
    folder = tmp_path / "build"
    before = (folder / "manifest.json").read_bytes()
    done = run("build", file, "--until", "judge")
    assert done.returncode == 0, done.stderr
    assert "judge" in done.stdout and "accept" not in done.stdout
    assert f"stopped after stage judge; its rows are in {folder / 'unfinished'}" in done.stdout
    assert len((folder / "unfinished" / "judged.jsonl").read_text(encoding="utf-8").splitlines()) == 60
    assert (folder / "manifest.json").read_bytes() == before, "the finished build stays as it was"
    run_build(config, lambda _: Silent())
    assert (folder / "manifest.json").read_bytes() == before
    assert not (folder / "unfinished").exists()


@pytest.mark.parametrize(("stage", "file", "keys"), [
    ("read", "read.jsonl", {"dialogue", "turns"}),
    ("window", "window.jsonl", {"history", "query"}),
    ("dedup", "tasks.jsonl", {"history", "query"}),
    ("accept", "accept.jsonl", {"candidate", "verdicts"}),
    ("reject", "variants.jsonl", {"row", "rejected"}),
])  # fmt: skip
def test_a_flow_that_is_cut_short_leaves_the_rows_of_its_last_stage(
    tmp_path: Path, stage: str, file: str, keys: set[str]
) -> None:
    counts = run_until(config_of(tmp_path), stage, lambda _: Silent())
    assert counts[-1].stage == stage
    lines = (tmp_path / "build" / "unfinished" / file).read_text(encoding="utf-8").splitlines()
    assert keys <= set(json.loads(lines[0]))
    if stage != "reject":  # there a line has all variants of one answer
        assert len(lines) == counts[-1].kept


@pytest.mark.parametrize(("stage", "why"), [
    ("nothing", "no such stage"),
    ("gate", "the build file does not ask for this stage"),
])  # fmt: skip
def test_a_stage_that_the_build_has_not_is_an_error_that_lists_those_it_has(
    tmp_path: Path, stage: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=f"--until {stage}: {why}") as caught:
        run_until(config_of(tmp_path), stage, lambda _: Silent())
    assert "read, window, dedup, judge, accept, choose, reject, plan, pair, balance" in caught.value.hint
    assert not (tmp_path / "build").exists()


def test_such_an_error_is_one_paragraph_on_the_command_line(tmp_path: Path) -> None:
    done = run("build", build_file(tmp_path), "--until", "nothing")
    assert done.returncode == 2
    assert "--until nothing: no such stage" in done.stderr
    assert "Traceback" not in done.stderr
