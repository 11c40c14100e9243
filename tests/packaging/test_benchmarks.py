"""Benchmarks run by hand and rarely: what they import must still be there, and those that a page names must run."""

from __future__ import annotations

import ast
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pairwright.judges import JUDGES
from pairwright.perturbers import PERTURBERS
from places import ROOT

Run = Callable[..., str]
FOLDER = ROOT / "benchmarks"
SCRIPTS = {
    path.relative_to(FOLDER).with_suffix("").as_posix(): path
    for path in sorted(FOLDER.rglob("*.py"))
    if "if __name__ ==" in path.read_text(encoding="utf-8")
}
PAGES = [
    *ROOT.glob("*.md"),
    ROOT / "Makefile",
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "examples" / "data" / "README.md",
]
NAMED = re.compile(r"benchmarks/((?:\w+/)?\w+)\.py([^`\n]*)")
GIVEN: dict[str, set[str]] = {}
"""The benchmarks that the pages name, and the options that they are shown with."""
for page in PAGES:
    for script, rest in NAMED.findall(page.read_text(encoding="utf-8")):
        GIVEN.setdefault(script, set()).update(re.findall(r"--[a-z-]+", rest))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a benchmark as a shell would, in this process: a second one for each would load everything anew."""

    def run_script(script: str, *arguments: str) -> str:
        monkeypatch.chdir(ROOT)
        monkeypatch.syspath_prepend(ROOT / "benchmarks")
        monkeypatch.setattr(sys, "argv", [str(SCRIPTS[script]), *arguments])
        status: object = None
        try:
            runpy.run_path(str(SCRIPTS[script]), run_name="__main__")
        except SystemExit as ended:
            status = ended.code
        said = capsys.readouterr()
        assert status in (None, 0), said.err
        return said.out

    return run_script


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=list(SCRIPTS))
def test_everything_a_benchmark_imports_of_the_package_is_there(script: Path) -> None:
    for module, name in imported(script):
        path = ROOT.joinpath(*module.split(".")[1:])
        if not (path / f"{name}.py").is_file():
            source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
            assert source.is_file(), f"{script.name} imports {module}"
            assert name in defined(source), f"{script.name} imports {name} of {module}"


def imported(script: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pairwright."):
            yield from ((node.module or "", alias.name) for alias in node.names)


def defined(source: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        else:
            names |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(GIVEN))
def test_a_benchmark_that_a_page_names_starts_and_has_the_options_that_stand_there(script: str, run: Run) -> None:
    said = run(script, "--help")
    assert f"usage: {Path(script).name}.py" in said
    assert GIVEN[script] <= set(re.findall(r"--[a-z-]+", said))


@pytest.mark.slow
def test_the_rules_are_measured_on_the_example_data_of_both_languages(run: Run) -> None:
    table = run("judges_on_gold", "--limit", "5", "--show", "unchanged")
    assert "| judge | answers | cast19 | ikat23 | gecor | zh_gold |" in table
    for name in (name for name, judge in JUDGES.items() if not judge.paid and "rewrite" in judge.tasks):
        (cells,) = re.findall(rf"^\| {name} \| \*\*human rewrites\*\* \|(.+)\|$", table, re.MULTILINE)
        assert re.fullmatch(r"( [\d.]+ / 0\.0 \(5\) \|?){4}", cells), cells
    caught = re.findall(r"^\| unchanged \| copied \|(.+)\|$", table, re.MULTILINE)
    assert caught and "100.0 (" in caught[0]


@pytest.mark.slow
def test_the_perturbers_are_measured_on_the_example_data_of_both_languages(run: Run) -> None:
    tables = run("perturbers_on_gold", "--limit", "5")
    for title in ("cast19.en.jsonl", "ikat23.en.jsonl", "gecor.en.jsonl", "zh_gold.jsonl", "All of en", "All of zh"):
        assert f"### {title}\n" in tables
    for name in (name for name, perturber in PERTURBERS.items() if "rewrite" in perturber.tasks):
        assert tables.count(f"| {name} | 5 |") == 5  # four files, and all of zh
        assert f"| {name} | 15 |" in tables


SMALL = {
    "answer_judges": "examples/data/tools.en.jsonl",
    "answer_perturbers": "examples/data/ikat23.en.jsonl --only brush_off",
    "decontamination": "examples/data/cast19.en.jsonl examples/data/gecor.en.jsonl --rows 200 --queries 50",
    "dedup": "--texts 300 --repeat 1",
    "dedup_large": "--texts 300",
    "evaluate_canard": "examples/data/cast19.en.jsonl --sample 0",
    "gate_on_gold": "--limit 20",
    "metric_damage": "examples/data/zh_gold.jsonl --rows 3",
    "pairing_scale": "300",
}


@pytest.mark.slow
@pytest.mark.parametrize("script", SMALL)
def test_a_benchmark_that_needs_no_server_and_no_process_of_its_own_runs_on_a_little(
    script: str, tmp_path: Path, run: Run
) -> None:
    output = ["--out", str(tmp_path)] if script == "evaluate_canard" else []
    assert run(script, *SMALL[script].split(), *output).count("\n") >= 3
