"""The folders are rooms: small, without circles, and imports go one way. Each rule is also seen failing."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from places import ROOT

ROOMS = ("cli", "core", "evaluation", "exports", "judges", "perturbers", "pipelines", "testing", "training_recipes")
MOST_MODULES = 25
LINT = str(Path(sys.executable).with_name("lint-imports"))

# What one room may use of another, beside ``core``, which is open to all. ``cli`` may use everything.
DOORS = {
    "evaluation": {
        "training_recipes": {
            "evaluation",
            "gold_rows",
            "predictions",
            "reports.evaluation_report",
            "rewrite_evaluation",
            "scores",
            "systems.student_requests",
            "systems.system_spec",
            "systems.transformers_model",
        },
    },
    "exports": {
        "pipelines": {
            "",
            "calibration_section",
            "card.audit_section",
            "card.proof_sections",
            "forms.trl_datasets",
            "publishing.licences",
        },
        "training_recipes": {"rows.chat_readers", "rows.chat_rows", "rows.rendering", "rows.row_readers"},
    },
    "judges": {
        "evaluation": {
            "llm.pairwise",
            "rules.contradiction",
            "rules.example_leak",
            "rules.leftover_reference",
            "rules.restorations",
            "rules.rule_verdicts",
        },
        "pipelines": {"", "gates", "panels.pairwise_panel", "panels.panel", "rules.unchanged", "tournament", "votes"},
    },
    "perturbers": {"pipelines": {""}},
    "pipelines": {"testing": {"build", "pairing.splits", "stage"}},
}


def modules(root: Path) -> Iterator[Path]:
    """Every module of the rooms below ``root``."""
    for room in ROOMS:
        yield from sorted((root / room).rglob("*.py"))


def crowded(root: Path, folders: tuple[str, ...] = (*ROOMS, "tests", "benchmarks")) -> list[str]:
    """The folders with more than ``MOST_MODULES`` modules."""
    counts = Counter(path.parent for folder in folders for path in (root / folder).rglob("*.py"))
    return [str(folder.relative_to(root)) for folder, count in counts.items() if count > MOST_MODULES]


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """The syntax tree of a module, flat."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it the import stands."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def through_walls(root: Path) -> list[str]:
    """Imports of another room's inside."""
    found = []
    for path in modules(root):
        room = path.relative_to(root).parts[0]
        for name in imported(path):
            package, _, rest = name.partition(".")
            other, _, inside = rest.partition(".")
            if package != "pairwright" or other in (room, "core") or room == "cli":
                continue
            doors = DOORS.get(other, {}).get(room, set())
            if inside not in doors and inside.rpartition(".")[0] not in doors:
                found.append(f"{path.relative_to(root)} imports {name}")
    return found


def printing(root: Path) -> list[str]:
    """What writes to the terminal outside ``cli``, but for what a running build shows and where the fault server listens."""
    speaking = (root / "core" / "execution" / "progress.py", root / "testing" / "fault_server.py")
    found = []
    for path in modules(root):
        if path.relative_to(root).parts[0] == "cli" or path in speaking:
            continue
        for node in nodes(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{path.relative_to(root)}:{node.lineno} prints")
        if path == root / "core" / "pages" / "terminal.py":
            continue  # the one console that all others use
        if path == root / "pipelines" / "distilabel_steps" / "__init__.py":
            continue  # it keeps distilabel from changing how errors are shown, which distilabel does through rich
        found += [f"{path.relative_to(root)} imports {name}" for name in imported(path) if name.startswith("rich")]
    return found


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml on the tree at ``root``, which holds ``pairwright``."""
    command = [LINT, "--no-cache", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(root), "COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


def writing_pages(root: Path) -> list[str]:
    """What writes tables or escapes text for pages outside ``core/pages``."""
    found = []
    for path in modules(root):
        if path.parent == root / "core" / "pages":
            continue
        texts = (node.value for node in nodes(path) if isinstance(node, ast.Constant) and isinstance(node.value, str))
        if any(sign in text for text in texts for sign in ("| ---", "|---", "<td", "<th>")):
            found.append(f"{path.relative_to(root)} writes a table")
        if any(name.split(".")[0] == "html" for name in imported(path)):
            found.append(f"{path.relative_to(root)} escapes HTML")
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The rooms as one package in a folder of its own, to plant faults in."""
    package = tmp_path / "pairwright"
    package.mkdir()
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / name, package / name)
    for room in ROOMS:
        shutil.copytree(ROOT / room, package / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_imports_go_one_way_and_no_folder_has_a_circle(copy: Path) -> None:
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("core/errors.py", "from pairwright.judges import JUDGES"),
        ("judges/votes.py", "from pairwright.perturbers import PERTURBERS"),
        ("exports/forms/jsonl.py", "from pairwright.cli.tables import print_table"),
        ("pipelines/stage.py", "from pairwright.testing import Scripted"),
        ("testing/factories.py", "from pairwright.cli.tables import print_table"),
    ],
)
def test_an_import_up_or_across_is_found(copy: Path, module: str, line: str) -> None:
    path = copy / "pairwright" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n\ndef planted() -> None:\n    {line}\n", encoding="utf-8")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "nothing imports the command line BROKEN" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line"),
    [
        # Two modules of one folder; only for the type checker; two folders of one room.
        ("judges/gates/signal.py", "from pairwright.judges.gates.signals import signals"),
        ("core/components.py", "if TYPE_CHECKING:\n    from pairwright.core.result import BuildResult"),
        ("pipelines/judging/gating.py", "from pairwright.pipelines.pairing.balance import balance"),
    ],
)
def test_a_circle_inside_a_folder_is_found(copy: Path, module: str, line: str) -> None:
    path = copy / "pairwright" / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n\n{line}\n", encoding="utf-8")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "No folder has a circle inside BROKEN" in done.stdout


def test_no_folder_is_crowded() -> None:
    assert crowded(ROOT) == []


def test_a_crowded_folder_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "judges" / "rules"
    folder.mkdir(parents=True)
    for number in range(MOST_MODULES + 1):
        (folder / f"rule_{number}.py").touch()
    assert crowded(tmp_path) == ["judges/rules"]
    (folder / "rule_0.py").unlink()
    assert crowded(tmp_path) == []


def test_rooms_are_entered_by_their_doors() -> None:
    assert through_walls(ROOT) == []


def test_every_door_is_used() -> None:
    used: dict[tuple[str, str], set[str]] = {}
    for path in modules(ROOT):
        for name in imported(path):
            package, _, rest = name.partition(".")
            if package == "pairwright":
                other, _, inside = rest.partition(".")
                used.setdefault((other, path.relative_to(ROOT).parts[0]), set()).update(
                    (inside, inside.rpartition(".")[0])
                )
    unused = [
        f"{other} for {room}: {door}"
        for other, rooms in DOORS.items()
        for room, doors in rooms.items()
        for door in doors - used.get((other, room), set())
    ]
    assert unused == []


def test_an_import_through_a_wall_is_found(tmp_path: Path) -> None:
    path = tmp_path / "pipelines" / "build.py"
    path.parent.mkdir()
    path.write_text("def planted():\n    from pairwright.perturbers.text.spans import stem\n")
    assert through_walls(tmp_path) == ["pipelines/build.py imports pairwright.perturbers.text.spans.stem"]


def test_only_the_command_line_prints() -> None:
    assert printing(ROOT) == []


def test_every_console_checks_what_it_shows() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules(ROOT)
        if path != ROOT / "core" / "pages" / "terminal.py"
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Console"
    ]
    assert found == [], "Terminal instead"


def test_printing_elsewhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "core" / "errors.py"
    path.parent.mkdir()
    path.write_text("import rich.table\nprint('here')\n")
    assert printing(tmp_path) == ["core/errors.py:2 prints", "core/errors.py imports rich.table"]


def test_only_core_pages_writes_tables_and_escapes_text() -> None:
    assert writing_pages(ROOT) == []


def test_a_page_that_is_written_elsewhere_is_found(tmp_path: Path) -> None:
    path = tmp_path / "exports" / "card.py"
    path.parent.mkdir()
    path.write_text('from html import escape\nHEAD = "| a |\\n| --- |"\n')
    assert writing_pages(tmp_path) == ["exports/card.py writes a table", "exports/card.py escapes HTML"]


def test_unit_tests_lie_in_the_folders_of_what_they_test() -> None:
    folders = {path.parent.relative_to(ROOT / "tests" / "unit") for path in (ROOT / "tests" / "unit").rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (ROOT / folder / "__init__.py").is_file()] == []
