"""The Chinese pages show what the commands print: every command in a ``console`` block is run, one after the other."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from places import ROOT

pytestmark = pytest.mark.slow

PAGES = ("tutorial.md", "llamafactory.md")
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_commands_print_what_the_pages_say(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = 0
    for page in PAGES:
        for language, file, content in BLOCK.findall((ROOT / "docs" / "zh" / page).read_text(encoding="utf-8")):
            if file:
                (tmp_path / file).write_text(content, encoding="utf-8")
            elif language == "python":
                call([sys.executable, "-c", content], tmp_path).check_returncode()
            elif language == "console":
                for command, shown in commands_of(content):
                    words = shlex.split(command)
                    start = [sys.executable, "-m", "pairwright"] if words[0] == "pairwright" else [words[0]]
                    assert_printed(command, shown, call([*start, *words[1:]], tmp_path).stdout)
                    commands += 1
    assert commands >= 10


def call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run in ``folder``, without a key of any provider."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def commands_of(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block, with the lines shown below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown


def assert_printed(command: str, shown: list[str], printed: str) -> None:
    """Every line shown was printed, in this order; … stands for anything, and seconds may differ."""
    lines = iter(plain(line) for line in printed.splitlines())
    for line in shown:
        pattern = re.escape(plain(line)).replace("…", ".*")
        assert line == "…" or any(re.search(pattern, candidate) for candidate in lines), (
            f"{command}\nnot printed: {line}\n{printed}"
        )


def plain(line: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"in [\d.]+ s\b", "in 0 s", line)).strip()


@pytest.mark.parametrize("shown", [["four"], ["one three"], ["two", "one"]])
def test_a_line_that_was_not_printed_is_found(shown: list[str]) -> None:
    with pytest.raises(AssertionError, match="not printed"):
        assert_printed("count", shown, "one\n  two\nthree\n")


def test_seconds_and_what_is_left_out_may_differ() -> None:
    assert_printed("count", ["one in 0.2 s", "…", "three … in all"], "one in 1.5 s\ntwo\nthree of them in all\n")
