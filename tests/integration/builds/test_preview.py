"""A few queries before a build: what is shown, and that nothing is paid for twice, or at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from building import DATA, build_file, run, write_rows
from pairwright import Build
from pairwright.core.bookkeeping import Failed
from pairwright.pipelines.preview import Preview
from pairwright.testing import FaultServer
from places import ROOT

pytestmark = pytest.mark.slow


def rewriting(body: dict[str, Any]) -> str:
    """A teacher that repeats the query with something before it; judges are told that all is well."""
    schema = body["response_format"]["json_schema"]["schema"]["properties"]
    said = {"analysis": "It stands alone.", "needs_rewrite": True, "rewrite": "What is the address of the bar?"}
    return json.dumps({name: said.get(name, 5) for name in schema})


def previewed(file: Path, queries: int = 5, *, ask: bool = False) -> Preview:
    return Build.from_file(file).preview(queries, ask=ask)


def test_rows_with_references_are_shown_whole_and_nothing_is_written(tmp_path: Path) -> None:
    found = previewed(build_file(tmp_path))
    assert len(found.queries) == 5
    for query in found.queries:
        assert query.chosen is not None
        assert query.chosen.chosen.text == query.task.reference
        assert query.candidates[0].accepted
        assert query.task.query in query.prompt.messages[-1].content
        assert all(pair.task.id == query.task.id for pair in query.pairs)
    assert sum(len(query.pairs) for query in found.queries) == found.counts[-1].kept > 0
    assert all(count.balances() for count in found.counts)
    assert found.unasked == ()
    assert not (tmp_path / "build").exists()


def test_every_source_is_seen(tmp_path: Path) -> None:
    files = {"one": "zh_gold.jsonl", "two": "cast19.en.jsonl"}
    sources = [
        {"use": "files", "source": name, "path": str(DATA / file), "licence": "MIT"} for name, file in files.items()
    ]
    found = Build.from_file(build_file(tmp_path), sources=sources).preview(4)
    assert sorted(query.task.origin.source for query in found.queries) == ["one", "one", "two", "two"]
    assert found.counts[0].rows_in == 8, "no more is read than may be shown"


def test_without_being_told_it_asks_nobody(tmp_path: Path, openai_server: FaultServer) -> None:
    judges = [{"use": "unchanged"}, {"use": "rubric", "endpoint": "teacher"}]
    found = previewed(
        build_file(tmp_path, openai_server.base_url, judges=judges, gate={"use": "llm", "endpoint": "teacher"})
    )
    assert openai_server.requests == 0
    assert found.unasked == ("the teacher at endpoint teacher", "judge rubric", "gate llm")
    assert "nobody was asked, so these took no part: the teacher at endpoint teacher, judge rubric" in str(found)
    assert {verdict.judge for query in found.queries for one in query.candidates for verdict in one.verdicts} == {
        "unchanged"
    }


def test_logs_without_rewrites_show_their_windows(tmp_path: Path, openai_server: FaultServer) -> None:
    rows = [{"history": [{"role": "user", "content": "推荐一家酒店"}], "query": f"它有{n}号房吗？"} for n in range(9)]
    build = logs_of(tmp_path, rows, openai_server)
    found = build.preview(3)
    assert openai_server.requests == 0
    assert [query.chosen for query in found.queries] == [None] * 3
    assert found.stopped == "no query has an accepted answer"
    assert found.queries[0].task.history[0].content == "推荐一家酒店"
    assert "so there are no answers yet: preview with ask=True (--ask) asks about these queries" in str(found)
    assert "it ended early" not in str(found)


def logs_of(folder: Path, rows: list[dict[str, Any]], server: FaultServer) -> Build:
    """A build of logs without rewrites, with a teacher."""
    file = build_file(folder, server.base_url)
    source = {"use": "files", "source": "logs", "path": str(write_rows(folder / "logs.jsonl", rows)), "licence": "MIT"}
    return Build.from_file(file, sources=[source])


def test_the_build_after_a_preview_is_the_same_and_pays_only_for_the_rest(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.answer = rewriting
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    build_file(tmp_path)  # both read the rows of the folder above
    one, two = (Build.from_file(build_file(folder, openai_server.base_url)) for folder in (first, second))
    found = one.preview(5, ask=True)
    assert found.unasked == ()
    assert openai_server.requests == 10, "two temperatures for each of five queries"
    assert [one.candidate.origin for query in found.queries for one in query.candidates].count("teacher") == 10
    done = one.run(progress=False)
    assert openai_server.asked_twice == 0
    assert (openai_server.requests, done.requests) == (120, 110)
    assert done.files == two.run(progress=False).files


def test_rows_that_fail_are_shown_however_many(tmp_path: Path, openai_server: FaultServer) -> None:
    rows: list[dict[str, Any]] = [{"query": 7}, {"nothing": "here"}, {"query": "What is the address of the bar?"}]
    openai_server.refuse = lambda body: (400, "content policy")
    build = logs_of(tmp_path, rows, openai_server)
    found = build.preview(5, ask=True)
    assert [one.line for one in found.unread if isinstance(one, Failed)] == [1, 2]
    assert "logs.jsonl:1" in str(found)
    (query,) = found.queries
    assert [one.stage for one in query.lost if isinstance(one, Failed)] == ["generate", "generate"]
    assert "failed in generate" in str(found)


def test_an_answering_student_is_shown_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # the file's paths
    shown = str(Build.from_file("examples/answers.yaml").preview(1))
    assert '\ntools:\n[{"type": "function", "function": {"name": "search_attractions"' in shown


def test_text_of_rows_stays_text(tmp_path: Path, openai_server: FaultServer) -> None:
    rows = [{"query": "a | b <img src=x> **bold** \x1b[31m"}]
    found = logs_of(tmp_path, rows, openai_server).preview(1)
    rendered = found._repr_markdown_()
    assert "a \\| b &lt;img src=x&gt; \\*\\*bold\\*\\*" in rendered
    assert "a | b <img src=x> **bold**" in str(found)
    assert "\x1b" not in rendered + str(found)


def test_a_prompt_keeps_its_lines_and_cannot_leave_its_block(tmp_path: Path, openai_server: FaultServer) -> None:
    rows = [{"query": "````\n# Mine"}]
    rendered = logs_of(tmp_path, rows, openai_server).preview(1)._repr_markdown_()
    assert "`````text\nsystem:\n" in rendered
    assert "<current_query>````" in rendered


def test_the_command_shows_the_same(tmp_path: Path) -> None:
    file = build_file(tmp_path)
    done = run("preview", file, "-n", 2)
    assert done.returncode == 0, done.stderr
    assert "Query 2 of 2:" in done.stdout
    assert "│ chosen" in done.stdout
    assert "Funnel" in done.stdout
    assert run("preview", file, "-n", 0).returncode == 2
    missing = run("preview", tmp_path / "none.yaml")
    assert (missing.returncode, missing.stderr.splitlines()[0]) == (
        2,
        f"error: {tmp_path}/none.yaml: no such build file",
    )
