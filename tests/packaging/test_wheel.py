"""What users install: everything of ours under one name, nothing else, and a light core."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "pipelines", "judges", "perturbers", "exports", "training_recipes", "evaluation")
HEAVY = ("torch", "transformers", "trl", "llamafactory")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    tree = target / "tree"
    names = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True).splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    uv = [str(Path(sys.executable).with_name("uv")), "build", "--wheel", "--quiet", "--python", sys.executable]
    subprocess.run([*uv, "--out-dir", str(target), str(tree)], check=True)
    (path,) = target.glob("*.whl")
    return zipfile.ZipFile(path)


def test_every_module_and_text_file_is_in_the_wheel_and_nothing_else_on_top(wheel: zipfile.ZipFile) -> None:
    packed = set(wheel.namelist())
    tops = {name.split("/")[0] for name in packed}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pairwright"}
    wanted = {
        f"pairwright/{path.relative_to(ROOT).as_posix()}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted - packed == set()
    assert "pairwright/__init__.py" not in packed


def test_every_package_is_listed_in_pyproject() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        f"pairwright.{path.parent.relative_to(ROOT).as_posix().replace('/', '.')}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(listed) == found


def test_help_costs_less_than_half_a_second_of_cpu() -> None:
    def cpu_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pairwright.pipelines.cli", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert any(cpu_seconds() < 0.5 for _ in range(5)), "a busy machine may cost a run more, but not every run"


def test_help_loads_only_what_it_prints_with() -> None:
    code = "import sys; from pairwright.pipelines.cli import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    loaded = set(out.splitlines()[-1].split())
    assert not loaded & {"rich", "pydantic", "yaml", "numpy", "openai", "distilabel", *HEAVY}


def test_building_data_imports_no_training_library() -> None:
    modules = [
        f"pairwright.{path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}"
        for folder in ("core", "pipelines", "judges", "perturbers", "exports")
        for path in (ROOT / folder).glob("*.py")
        if path.name != "__init__.py" and not path.name.startswith("verify_")  # these run inside the trainers
    ]
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


LAYERS = {
    "core": (),
    "judges": ("core",),
    "perturbers": ("core",),
    "exports": ("core",),
    "pipelines": ("core", "judges", "perturbers", "exports"),
    "evaluation": ("core", "judges"),
    "training_recipes": ("core", "exports", "evaluation"),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str) -> None:
    allowed = {layer, *LAYERS[layer]}
    wrong = []
    for path in sorted((ROOT / layer).rglob("*.py")):
        for found in re.findall(
            r"^\s*(?:from|import) pairwright\.(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            # The command line is the top: it may call anything.
            if found not in allowed and path.name not in ("cli.py", "commands.py"):
                wrong.append(f"{path.relative_to(ROOT)} imports {found}")
    assert wrong == []


def test_distilabel_and_openai_are_imported_where_the_architecture_says() -> None:
    allowed = {
        "distilabel": {
            "pipelines/ledger_llm.py",
            "pipelines/steps.py",
            "pipelines/comparison_steps.py",
            "pipelines/dedup_steps.py",
            "pipelines/gate_steps.py",
            "pipelines/planned_steps.py",
            "pipelines/improve_step.py",
            "pipelines/generation_child.py",
        },
        "openai": {"core/transport.py"},
    }
    for package, files in allowed.items():
        pattern = re.compile(rf"^\s*(?:from|import) {package}\b", re.MULTILINE)
        found = {
            path.relative_to(ROOT).as_posix()
            for folder in FOLDERS
            for path in (ROOT / folder).rglob("*.py")
            if pattern.search(path.read_text(encoding="utf-8"))
        }
        assert found <= files, found - files
