"""What CONTRIBUTING.md shows works today: its worked changes apply, and their tests pass."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from places import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DIFFS = re.findall(r"^```diff\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TESTED = re.findall(r"^\$ \.venv/bin/python -m pytest -q (.+) -k (\w+)$", PAGE, re.MULTILINE)
CATALOGUE_LINES = ("judges/__init__.py", "perturbers/__init__.py", "pipelines/build.py", "exports/__init__.py")


def committed() -> list[str]:
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def run(tree: Path, *arguments: str) -> str:
    """Run Python with the tree in place of the installed package, and return what it prints."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=tree, env={"PYTHONPATH": str(tree.parent), "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-3000:]}"
    return done.stdout


def apply(diff: str, tree: Path, *options: str) -> str:
    """What git says against the diff, nothing where it applies."""
    # Without the ceiling git would leave out what lies below a repository around the folder.
    env = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    command = ["git", "apply", *options, "-"]
    done = subprocess.run(command, cwd=tree, env=env, input=diff.encode(), capture_output=True)
    return done.stderr.decode() if done.returncode else ""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository under the package's name, with all worked changes and the page that the second command prints."""
    tree = tmp_path_factory.mktemp("contributing") / "pairwright"
    for name in committed():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    for diff in DIFFS:
        assert apply(diff, tree) == ""
    assert "$ .venv/bin/pairwright schema --page > docs/build-file.md\n" in PAGE
    (tree / "docs" / "build-file.md").write_text(run(tree, "-m", "pairwright", "schema", "--page"), encoding="utf-8")
    return tree


def test_there_is_a_change_for_each_kind_of_component_and_each_is_complete() -> None:
    assert len(DIFFS) == len(TESTED) == len(CATALOGUE_LINES)
    for diff, line in zip(DIFFS, CATALOGUE_LINES, strict=True):
        files = re.findall(r"^\+\+\+ b/(.+)$", diff, re.MULTILINE)
        assert line in files
        assert any(name.startswith("docs/") for name in files), line
        assert any(name.startswith("tests/") for name in files), line
        assert diff.count("new file mode") >= 1


@pytest.mark.parametrize("number", range(len(CATALOGUE_LINES)), ids=CATALOGUE_LINES.__getitem__)
def test_each_worked_change_still_applies(number: int) -> None:
    diff = DIFFS[number]
    refused = apply(diff, ROOT, "--check")
    if refused and apply(diff, ROOT, "--check", "--reverse"):  # somebody may be trying the change right here
        pytest.fail(
            "CONTRIBUTING.md: a line beside which this worked change puts one of its own was moved or changed. Write the "
            f"lines that stand there now into its diff, before and after the line with the plus.\n{refused}",
            pytrace=False,
        )


@pytest.mark.slow
def test_the_worked_changes_pass_the_tests_that_the_page_names(changed: Path) -> None:
    # One process for the four commands: most of the time goes into starting.
    paths = dict.fromkeys(path for given, _ in TESTED for path in given.split())
    words = [word for _, word in TESTED]
    said = run(changed, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *paths, "-k", " or ".join(words))
    passed = re.findall(r"^PASSED (.+)$", said, re.MULTILINE)
    assert {word: any(word in name for name in passed) for word in words} == dict.fromkeys(words, True)


@pytest.mark.slow
def test_the_worked_changes_keep_the_rules_of_the_house(changed: Path) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for command in ([ruff, "check", "--no-cache", "."], [ruff, "format", "--no-cache", "--check", "."]):
        done = subprocess.run(command, cwd=changed, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    checks = ("tests/packaging/test_rooms.py", "tests/packaging/test_docs.py", "tests/golden/test_read_pairs.py")
    run(changed, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks, "-k", "not found and not text_that_was_read")
