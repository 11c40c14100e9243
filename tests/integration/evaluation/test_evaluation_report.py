"""Evaluation end to end: systems of every kind in, three report files and a leaderboard out."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pairwright.cli.evaluate_command import compare_command, evaluate_command
from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ConfigError, ModelError, StorageError
from pairwright.core.prompts.student import Student
from pairwright.evaluation.systems.student_requests import RequestOptions
from pairwright.testing import FaultServer

VOID = {"meta", "br", "link", "img"}
ROWS = 16
HOSTILE = '<script>alert("1")</script> | & </dl>'


def rows(path: Path) -> Path:
    """Chinese and English rows, one with text that would break a careless page."""
    found = []
    for number in range(ROWS):
        chinese = number % 2 == 1
        said = ("推荐一个景点", "推荐您去天坛公园。") if chinese else ("Who founded Apple?", f"Steve Jobs. {HOSTILE}")
        found.append(
            {
                "id": f"r{number}",
                "lang": "zh" if chinese else "en",
                "history": [{"role": "user", "content": said[0]}, {"role": "assistant", "content": said[1]}],
                "query": "它的门票多少钱？" if chinese else "When was he born?",
                "rewrite": "天坛公园的门票多少钱？" if chinese else "When was Steve Jobs born?",
                "meta": {"dialogue": f"d{number}", "phenomenon": "pronoun"},
            }
        )
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found), encoding="utf-8")
    return path


class Checker(HTMLParser):
    """Collects what is wrong with a page: open or stray tags, scripts, links."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.problems += [
            f"{name}={value}" for name, value in attrs if name in ("src", "href") or name.startswith("on")
        ]
        if tag == "script":
            self.problems.append("script")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag == "line"

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"stray </{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data


def check_page(path: Path) -> str:
    """Assert that a page stands on its own; return its text."""
    source = path.read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(source)
    checker.close()
    assert checker.problems == []
    assert checker.open == []
    assert not re.search(r"@import|url\(", source)
    assert 'name="viewport"' in source
    return checker.text


def rewriter(body: dict[str, Any]) -> str:
    """A model that knows English only."""
    asked = body["messages"][-1]["content"].rpartition("<current_query>")[2]
    return "When was Steve Jobs born?" if "born" in asked else "你好"


def test_one_command_evaluates_files_and_endpoints_beside_the_baselines(
    tmp_path: Path, openai_server: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    openai_server.answer = rewriter
    tests = rows(tmp_path / "tests.jsonl")
    answers = [{"id": f"r{number}", "rewrite": HOSTILE} for number in range(ROWS)]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    out = tmp_path / "out"
    systems = [str(tmp_path / "mine.jsonl"), f"student={openai_server.base_url}#m"]
    result = evaluate_command(systems, [str(tests)], out, base="reference", leaderboard=tmp_path)
    assert [system.name for system in result.results[0].systems] == ["copy", "last_entity", "base", "mine", "student"]
    assert result.results[0].against == "base"
    english = result.results[0].figure("student", "exact_match", ("language", "en"))
    chinese = result.results[0].figure("student", "exact_match", ("language", "zh"))
    assert english is not None
    assert chinese is not None
    assert (english.value, chinese.value, english.rows) == (1.0, 0.0, 8)
    assert len((out / "predictions" / "student.tests.jsonl").read_text().splitlines()) == ROWS
    assert "student" in (tmp_path / "leaderboard.md").read_text()
    assert "天坛公园" in check_page(out / "evaluation.html")
    assert json.loads((out / "evaluation.json").read_text(encoding="utf-8"))["results"][0]["test"] == "tests"
    assert "| metric |" in (out / "evaluation.md").read_text()
    assert "restoration_f1" in capsys.readouterr().out


def test_a_second_run_sends_nothing(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.answer = rewriter
    tests = rows(tmp_path / "tests.jsonl")
    for _ in range(2):
        evaluate_command([f"student={openai_server.base_url}#m"], [str(tests)], tmp_path / "out")
    distinct = {json.dumps(body, sort_keys=True) for body in openai_server.bodies}
    assert openai_server.requests == len(distinct)


@pytest.mark.parametrize(
    "name", ["evaluation.md", "evaluation.json", "predictions/student.tests.jsonl", "leaderboard.md"]
)
def test_files_of_others_are_refused_before_anybody_is_asked(
    tmp_path: Path, openai_server: FaultServer, name: str
) -> None:
    tests = rows(tmp_path / "tests.jsonl")
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).write_text("我的笔记", encoding="utf-8")
    systems = [f"student={openai_server.base_url}#m"]
    with pytest.raises(StorageError, match=r"not made by pairwright|not the page of a leaderboard"):
        evaluate_command(systems, [str(tests)], tmp_path / "out", leaderboard=tmp_path / "out")
    assert (tmp_path / "out" / name).read_text(encoding="utf-8") == "我的笔记"
    assert openai_server.requests == 0


def test_rows_without_an_answer_end_the_command_with_their_number(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.refuse = lambda body: (400, "too long") if "born" in body["messages"][-1]["content"] else None
    tests = rows(tmp_path / "tests.jsonl")
    with pytest.raises(ModelError, match=r"student: 8 of 16 rows got no answer"):
        evaluate_command([f"student={openai_server.base_url}#m"], [str(tests)], tmp_path / "out")


def test_answers_with_analysis_are_read_and_broken_ones_counted(tmp_path: Path, openai_server: FaultServer) -> None:
    good = json.dumps({"analysis": "he is Steve Jobs", "rewrite": "When was Steve Jobs born?"})
    openai_server.answer = lambda body: good if "born" in body["messages"][-1]["content"] else "{broken"
    options = RequestOptions(student=Student(prompt=PromptConfig(analysis=True)), ledger=tmp_path / "ledger.sqlite")
    tests = rows(tmp_path / "tests.jsonl")
    result = evaluate_command([f"student={openai_server.base_url}#m"], [str(tests)], tmp_path / "out", options=options)
    valid = result.results[0].figure("student", "format_validity")
    leaks = result.results[0].figure("student", "analysis_leak")
    assert valid is not None
    assert leaks is not None
    assert (valid.value, leaks.rows) == (0.5, 8)


def test_compare_writes_a_page_with_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tests = rows(tmp_path / "tests.jsonl")
    result = compare_command("copy", "human=reference", str(tests), tmp_path / "out")
    assert result.verdict in check_page(tmp_path / "out" / "comparison.html")
    assert result.verdict in (tmp_path / "out" / "comparison.md").read_text()
    assert "human is better than copy" in capsys.readouterr().out.replace("\n", " ")
    with pytest.raises(ConfigError, match="both systems are called 'copy'"):
        compare_command("copy", "copy", str(tests), tmp_path / "out")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_page_is_laid_out_within_a_phones_width(tmp_path: Path) -> None:
    evaluate_command(["human=reference"], [str(rows(tmp_path / "tests.jsonl"))], tmp_path / "out")
    page = tmp_path / "out" / "evaluation.html"
    probe = "<script>document.title='width '+document.documentElement.scrollWidth+' of '+innerWidth</script></body>"
    wide = tmp_path / "probe.html"
    wide.write_text(page.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=500,900", "--dump-dom", wide.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r"<title>width (\d+) of (\d+)</title>", dom)
    assert found
    assert int(found[1]) <= int(found[2])
