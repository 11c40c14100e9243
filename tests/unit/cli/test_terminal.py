"""Nothing that is printed steers a terminal, whoever prints it; rich's own colours and bars still do."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.text import Text

from pairwright.core.pages.terminal import Terminal

SEQUENCES = {
    "clear": "\x1b[2J",
    "title": "\x1b]0;mine\x07",
    "link": "\x1b]8;;https://example.org\x1b\\here\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;bWluZQ==\x07",
    "hidden": "\x1b[8m",
    "c1": "\x9b31m",
    "override": "\u202etxt.exe",
    "overwrite": "坏\r好",
}
ALL = "读" + "".join(SEQUENCES.values())
# What rich writes itself: colours, the cursor of a live display.
_OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|1A|2K)|\r(?=\n|\x1b\[(?:2K|1A))")
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

PLANTED = f"""
import logging, sys, warnings
from pydantic import BaseModel
PLANTED = {ALL!r}
print("print", PLANTED)
sys.stderr.write("stderr " + PLANTED)
warnings.warn("warning " + PLANTED)
logging.getLogger("x").error("log " + PLANTED)
class Judge(BaseModel):
    name: str = "j"
    def judge(self, case, text):
        raise RuntimeError(PLANTED)
"""
BARS = f"""
import sys, warnings
from pairwright.cli.standard_streams import standard_streams
from pairwright.core.execution.progress import LiveBars
from pairwright.core.llm.ledger import Usage
from pairwright.core.pages.terminal import Terminal
class Nothing:
    requests = answers = prompt_tokens = completion_tokens = cost = 0
with standard_streams():
    PLANTED = {ALL!r}
    with LiveBars(Nothing, Terminal(stderr=True)) as bars:
        bars.begin("judge" + PLANTED, PLANTED, 3)
        print("print", PLANTED)
        warnings.warn("warning " + PLANTED)
        print("stderr", PLANTED, file=sys.stderr)
    Terminal().print("[link=https://example.org]x[/link]", PLANTED)
    raise RuntimeError(PLANTED)
"""


def on_a_terminal(command: list[str], folder: Path) -> str:
    """What a command writes to a terminal, both streams."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that nobody writes any more
                break
            if not piece:
                break
            written += piece
        process.wait(60)
    os.close(ours)
    return written.decode()


def steering(text: str) -> list[str]:
    return _STEERS.findall(_OURS.sub("", text).replace("\r\n", "\n"))


def build_file(folder: Path) -> Path:
    (folder / "planted.py").write_text(PLANTED, encoding="utf-8")
    row = {"history": ["Who was she?", "Ada."], "query": f"When? {ALL}", "rewrite": "When was Ada born?", ALL: "a"}
    # A glob: a build file may not hold the sequence itself.
    (folder / f"r{SEQUENCES['clear']}.jsonl").write_text(json.dumps(row) + "\n" + json.dumps([ALL]) + "\n")
    build = {
        "name": "x",
        "output": "out",
        "sources": [{"use": "files", "source": "s", "path": "r*.jsonl", "licence": "MIT"}],
        "judges": [{"use": "planted:Judge"}],
        "perturbers": [{"use": "unchanged_copy"}],
        "exports": [{"use": "llamafactory"}],
    }
    path = folder / f"b{SEQUENCES['title']}.yaml"
    path.write_text(json.dumps(build), encoding="utf-8")
    return path


@pytest.mark.slow
def test_what_others_print_warn_log_raise_and_name_is_text_on_a_terminal(tmp_path: Path) -> None:
    said = on_a_terminal([sys.executable, "-m", "pairwright", "build", str(build_file(tmp_path))], tmp_path)
    for word in ("print 读", "stderr 读", "warning 读", "log 读"):
        assert word in said
    assert steering(said) == []
    assert "\x1b[8m" not in said


@pytest.mark.parametrize(
    "arguments", [[ALL], ["build", ALL], ["build", "x.yaml", ALL], ["list", ALL], ["list", f"--{ALL}"]]
)
def test_arguments_come_back_as_text(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pairwright", *(one.replace("\x00", "") for one in arguments)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert run.returncode
    assert steering(run.stderr.decode()) == []


def test_a_recipe_is_shown_as_text(tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(f"# llamafactory-cli train mine.yaml {SEQUENCES['override']}\nstage: sft\n", encoding="utf-8")
    command = [sys.executable, "-m", "pairwright", "recipes", "show", str(recipe)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert b"txt.exe" in run.stdout
    assert steering(run.stdout.decode()) == []


def test_a_live_display_moves_and_shows_what_is_printed_meanwhile_as_text(tmp_path: Path) -> None:
    said = on_a_terminal([sys.executable, "-c", BARS], tmp_path)
    assert "\x1b[?25l" in said, "the bars of rich work"
    assert "print \r\n读" in said, "rich wraps between words"
    assert "[link=https://example.org]" in said
    assert "RuntimeError: 读" in said
    assert steering(said) == []
    assert "\x1b[8m" not in said


def test_what_an_encoding_lacks_is_spelled_out() -> None:
    command = [sys.executable, "-m", "pairwright", "gate", "--text", "她在哪里出生？\x1b[31m"]
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    run = subprocess.run(command, capture_output=True, check=False, timeout=60, env=environment)
    assert run.returncode == 0, run.stderr
    assert b"\x1b" not in run.stdout


@pytest.mark.parametrize("width", ["0", "", "1", "wide"])
def test_a_terminal_that_does_not_know_its_width_shows_everything(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    Terminal().print(Text("它的内存管理怎么样？"), soft_wrap=True)
    assert "".join(capsys.readouterr().out.split()) == "它的内存管理怎么样？"
