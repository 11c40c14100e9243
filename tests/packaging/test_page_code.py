"""The files that a page prints are complete: put into one folder, their own tests pass, and their package is a package."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from building import build_file, manifest, run
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page about plug-ins: ``source`` as it is printed there, ``site`` as it is installed."""
    folder = tmp_path_factory.mktemp("shop")
    write_files("plug-ins.md", folder / "source")
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", sys.executable]
    subprocess.run([*uv, "--no-deps", "--target", str(folder / "site"), str(folder / "source")], check=True)
    return folder


def test_the_tests_of_the_page_about_plugins_pass(shop: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_shop_judges.py"]
    environment = {**os.environ, "PYTHONPATH": str(shop / "site")}
    done = subprocess.run(command, cwd=shop / "source", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_the_files_of_the_page_about_plugins_pass_a_strict_type_check(shop: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "shop_judges.py", "test_shop_judges.py"]
    done = subprocess.run(command, cwd=shop / "source", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_judge_of_the_page_about_judges_is_found_in_its_folder(tmp_path: Path) -> None:
    write_files("judges.md", tmp_path)
    file = build_file(tmp_path, judges=[{"use": "mypackage.politeness:Politeness"}])
    command = [sys.executable, "-m", "pairwright", "build", str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (stage,) = [one for one in manifest(tmp_path / "build")["stages"] if one["stage"] == "judge"]
    assert stage["kept"] == 60
    judged = (tmp_path / "build" / "rows" / "dropped.jsonl").read_text(encoding="utf-8")
    assert '"rude"' in judged


def test_an_installed_package_is_listed_checked_and_built_with(shop: Path, tmp_path: Path) -> None:
    path = {"PYTHONPATH": str(shop / "site")}
    judges = [
        {"use": "no_shouting", "most": 0.5},
        {"use": "panel", "members": [{"use": "no_shouting"}, {"use": "unchanged"}]},
    ]
    file = build_file(tmp_path, judges=judges)
    listed = run("list", "judges", env=path)
    assert re.search(r"no_shouting +│ Refuses texts in capital letters\. +│ shop-judges 1\.0", listed.stdout)
    assert "no_shouting" not in run("list", "judges").stdout
    assert run("check", file, env=path).returncode == 0
    done = run("build", file, env=path)
    assert done.returncode == 0, done.stderr
    resolved = (tmp_path / "build" / "build.yaml").read_text(encoding="utf-8")
    assert resolved.count("use: shop_judges:NoShouting") == 2
    assert "use: no_shouting" not in resolved
