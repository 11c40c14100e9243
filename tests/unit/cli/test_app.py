"""The command line as a person meets it first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner, Result

from pairwright.cli.app import ComponentKind, app
from pairwright.pipelines.catalogues import CATALOGUES


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def test_every_kind_of_component_can_be_listed() -> None:
    assert set(get_args(ComponentKind)) == set(CATALOGUES)


@pytest.mark.parametrize("kind", CATALOGUES)
def test_a_kind_is_listed_alone(kind: str) -> None:
    done = run("list", kind)
    assert done.exit_code == 0, done.output
    first_column = {line.split("│")[1].strip() for line in done.stdout.splitlines() if line.startswith("│")}
    assert first_column - {""} == set(CATALOGUES[kind])


@pytest.mark.parametrize("command", [(), ("list",), ("recipes",), ("recipes", "show"), ("train",)])
def test_help_is_short_and_long(command: tuple[str, ...]) -> None:
    short, long = run(*command, "-h"), run(*command, "--help")
    assert (short.exit_code, short.stdout) == (0, long.stdout)
    assert "Usage:" in short.stdout


def test_ctrl_c_while_python_imports_the_command_prints_no_traceback() -> None:
    code = """
import sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from pairwright.cli.start import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_evaluation_that_cannot_read_its_rows_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run("evaluate", "--test", str(tmp_path / "none.jsonl"), "--output", str(tmp_path / "report"))
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == []
