"""What users install: everything of ours under one name, nothing else, and a light core."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest

from places import ROOT

pytestmark = pytest.mark.slow

ROOMS = ("cli", "core", "evaluation", "exports", "judges", "perturbers", "pipelines", "testing", "training_recipes")
HEAVY = ("torch", "transformers", "trl", "llamafactory")
AT_THE_ROOT = ("__init__.py", "__main__.py", "py.typed")
STRAY = (
    "builds/demo/rows/pairs.jsonl",
    "runs/mine/run.json",
    "env/lib/python3.11/site-packages/thing/__init__.py",
    "judges/notes.txt",
    "secrets.yaml",
)


def committed() -> list[Path]:
    """The files of the repository, new ones included, as paths in it."""
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    return [Path(name) for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from the repository with the files of ``STRAY`` lying about in it."""
    target = tmp_path_factory.mktemp("wheel")
    tree = target / "tree"
    for path in committed():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes((ROOT / path).read_bytes())
    for name in STRAY:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("")
    uv = [str(Path(sys.executable).with_name("uv")), "build", "--wheel", "--quiet", "--python", sys.executable]
    subprocess.run([*uv, "--out-dir", str(target), str(tree)], check=True)
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_the_rooms_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    # Left out are the few files at the root that are for the repository, and every other folder: tests, docs, examples.
    wanted = {f"pairwright/{path}" for path in committed() if path.parts[0] in ROOMS}
    assert packed == wanted | {f"pairwright/{name}" for name in AT_THE_ROOT}


def test_the_root_has_no_other_module() -> None:
    # Every module at the root would be packed.
    assert {path.name for path in committed() if len(path.parts) == 1 and path.suffix in (".py", ".typed")} == set(
        AT_THE_ROOT
    )


def test_the_wheel_has_the_texts_that_the_rooms_read(wheel: zipfile.ZipFile) -> None:
    texts = Counter(Path(name).parent.as_posix() for name in wheel.namelist() if not name.endswith((".py", ".typed")))
    assert texts["pairwright/core/prompts"] >= 12
    assert texts["pairwright/judges/llm"] >= 10
    assert texts["pairwright/training_recipes/configs"] >= 30
    assert texts["pairwright/cli"] == 1


def test_every_package_is_listed_in_pyproject() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        f"pairwright.{path.parent.relative_to(ROOT).as_posix().replace('/', '.')}"
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }
    assert set(listed) == {"pairwright", *found}
    homeless = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if not (path.parent / "__init__.py").is_file()
    ]
    assert homeless == []


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_costs_less_than_half_a_second_of_cpu(option: str) -> None:
    def cpu_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pairwright", option], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert any(cpu_seconds() < 0.5 for _ in range(5)), "a busy machine may cost a run more, but not every run"


def test_help_loads_only_what_it_prints_with() -> None:
    code = "import sys; from pairwright.cli.app import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = set(out.splitlines()[-1].split())
    assert not loaded & {"rich", "pydantic", "yaml", "numpy", "openai", "distilabel", *HEAVY}


@pytest.mark.parametrize("command", [["-m", "pairwright"], [str(Path(sys.executable).with_name("pairwright"))]])
def test_the_version_is_that_of_the_package(command: list[str]) -> None:
    if command[0] == "-m":
        command = [sys.executable, *command]
    out = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True).stdout
    assert out == f"pairwright {version('pairwright')}\n"


def test_building_data_imports_no_training_library() -> None:
    inside_trainers = {"llamafactory_loads.py", "trl_loads.py"}
    modules = [
        f"pairwright.{path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}"
        for room in ("core", "pipelines", "judges", "perturbers", "exports")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py" and path.name not in inside_trainers
    ]
    assert len(modules) > 200
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    # distilabel registers optional back-ends; it must not drag one of them in either.
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True
    ).stdout
    assert out.strip().splitlines()[-1] == "[]"


def test_no_registry_host_or_machine_path_is_committed() -> None:
    # Spelled with classes so that this file does not name them either.
    forbidden = re.compile(rb"py[p]i\.org|pythonhoste[d]\.org|registry\.npm[j]s|/roo[t]/|/home/[a-z]+/|/wor[k]/")
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    guilty = [
        name
        for name in names
        if (ROOT / name).is_file() and not name.endswith(".jsonl") and forbidden.search((ROOT / name).read_bytes())
    ]
    assert guilty == []
    assert "uv.lock" not in names


def test_distilabel_and_openai_are_imported_where_the_architecture_says() -> None:
    allowed = {
        "distilabel": (
            "pipelines/distilabel_steps/",
            "pipelines/generation/child_process.py",
            "pipelines/generation/planned_steps.py",
        ),
        "openai": ("core/llm/transport.py",),
    }
    for package, places in allowed.items():
        pattern = re.compile(rf"^\s*(?:from|import) {package}\b", re.MULTILINE)
        found = {
            path.relative_to(ROOT).as_posix()
            for room in ROOMS
            for path in (ROOT / room).rglob("*.py")
            if pattern.search(path.read_text(encoding="utf-8"))
        }
        assert found
        assert {path for path in found if not path.startswith(places)} == set()
