"""The files that a page prints are complete: put into one folder, their own tests pass."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

pytestmark = pytest.mark.slow
FILE = re.compile(r"^```\w+\n(# ([\w/.-]+)\n.*?)^```", re.MULTILINE | re.DOTALL)


def write_files(page: str, folder: Path) -> list[Path]:
    """The code blocks of a page that begin with the name of a file, as files."""
    paths = []
    for content, name in FILE.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
        paths.append(folder / name)
    return paths


def test_the_code_of_the_page_about_testing_runs(tmp_path: Path) -> None:
    paths = write_files("testing.md", tmp_path)
    tests = sum(path.read_text(encoding="utf-8").count("\ndef test_") for path in paths)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= tests >= 8
