"""What runs on other machines: the workflows and the hooks call what is here, pinned, with as few rights as they can."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from places import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
DEV = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]


def read(path: Path) -> dict[Any, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_the_workflows_are_the_ones_that_contributing_names() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert all(f".github/workflows/{path.name}" in page for path in WORKFLOWS)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_make_target_that_a_workflow_calls_is_there(path: Path) -> None:
    called = [name for step in steps(path) for name in re.findall(r"\bmake ([\w-]+)", step.get("run", ""))]
    assert called
    assert set(called) <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit_and_say_its_version(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_reads_only_keeps_no_credentials_and_ends(path: Path) -> None:
    content = read(path)
    assert content["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text(encoding="utf-8")
    rights = [job["permissions"] for job in content["jobs"].values() if "permissions" in job]
    assert rights == ([{"id-token": "write"}] if path.name == "release.yml" else [])
    assert all(job["timeout-minutes"] <= 120 for job in content["jobs"].values())
    checkouts = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]
    assert checkouts and all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_the_quick_tests_run_on_every_python_that_the_package_names() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    named = [one.rpartition(" ")[2] for one in classifiers if one.startswith("Programming Language :: Python :: 3.")]
    matrix = read(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["check"]["strategy"]["matrix"]
    assert matrix["python"] == named


def test_hooks_are_tools_of_the_environment_and_clone_nothing() -> None:
    repos = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        assert hook["language"] == "system"
        tool = hook["entry"].split()[0]
        package = {".venv/bin/lint-imports": "import-linter"}.get(tool, tool.removeprefix(".venv/bin/"))
        assert any(re.match(rf"{package}\b", line) for line in DEV), tool
