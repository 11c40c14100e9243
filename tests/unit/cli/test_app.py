"""The command line as a person meets it first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner, Result

from pairwright.cli.app import ComponentKind, app
from pairwright.core.errors import ConfigError, PairwrightError
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


def test_a_working_directory_that_is_gone_is_one_paragraph(tmp_path: Path) -> None:
    code = "import os; os.rmdir(os.getcwd()); from pairwright.cli.start import main; main()"
    for arguments in (["check", "/none.yaml"], ["list"]):
        (tmp_path / "here").mkdir()
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, cwd=tmp_path / "here", capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "error: the working directory is not there any more\nChange to a folder that is.\n"


def test_an_evaluation_that_cannot_read_its_rows_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run("evaluate", "--test", str(tmp_path / "none.jsonl"), "--output", str(tmp_path / "report"))
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == []


ROW = '{"id": "1", "lang": "en", "history": [], "query": "a b?", "rewrite": "a b c?"}'


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("[]", "rows.jsonl:1: not a rewriting row: an object with id, lang"),
        ("null", "rows.jsonl:1: not a rewriting row: an object with id, lang"),
        (ROW.replace("[]", '[["a"]]'), "rows.jsonl:1: not a rewriting row: history is no list of turns"),
        (ROW.replace("}", ', "meta": [1]}'), "rows.jsonl:1: not a rewriting row: meta is no object"),
        (ROW.replace("}", ', "id": "2"}'), "rows.jsonl:1: not JSON: the key 'id' stands twice"),
    ],
)
def test_a_test_row_that_is_none_is_told_in_plain_words(tmp_path: Path, row: str, said: str) -> None:
    (tmp_path / "rows.jsonl").write_text(row)
    done = run("evaluate", "--test", str(tmp_path / "rows.jsonl"), "--output", str(tmp_path / "report"))
    assert isinstance(done.exception, PairwrightError)
    assert said in str(done.exception)


@pytest.mark.parametrize("option", ["--test", "--tools"])
def test_a_device_is_no_file(tmp_path: Path, option: str) -> None:
    arguments = {
        "--test": ("evaluate", "--test", "/dev/zero", "--output", str(tmp_path / "x")),
        "--tools": ("perturb", "--query", "book it", "--answer", "ok", "--tools", "/dev/zero"),
    }
    done = run(*arguments[option])
    assert isinstance(done.exception, PairwrightError)
    assert "/dev/zero: a device, a pipe or a socket, no file" in str(done.exception)


@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "--text", ""),
        ("gate", "--text", " \n"),
        ("perturb", "--query", "", "--text", "a"),
        ("perturb", "--query", "a", "--text", ""),
        ("perturb", "--query", "a", "--answer", " "),
    ],
)
def test_an_empty_text_is_an_error_of_the_arguments(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, ConfigError)
    assert "an empty --" in str(done.exception)


@pytest.mark.parametrize(
    "arguments", [("gate", "--text", "a\udcff"), ("perturb", "--query", "\udcff b", "--text", "what\udcff b")]
)
def test_bytes_that_are_no_text_are_replaced_in_arguments(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 0


@pytest.mark.parametrize("command", [("evaluate",), ("compare", "a=copy", "b=last_entity")])
def test_a_seed_is_a_natural_number(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(*command, "--test", str(tmp_path / "t.jsonl"), "--seed", "-1")
    assert done.exit_code == 2
    assert "--seed" in done.output


def test_a_ratio_to_nothing_is_no_figure_and_the_report_stays_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_text(ROW.replace("a b c?", "\\udfff"))
    done = run("evaluate", "--test", str(tmp_path / "rows.jsonl"), "--output", str(tmp_path / "report"))
    assert done.exit_code == 0
    assert "Warning" not in done.output + capsys.readouterr().err
    text = (tmp_path / "report" / "evaluation.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
