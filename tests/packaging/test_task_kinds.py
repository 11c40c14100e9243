"""A kind of task is a set of objects, looked up in tables by its name: a new one needs no change of what is there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from pairwright.core.records import TaskKind
from places import ROOT

ROOMS = ("cli", "core", "evaluation", "exports", "judges", "perturbers", "pipelines", "testing", "training_recipes")
# Where the words mean something else, or say which kind a file without the key is of.
OTHER_MEANING = {
    "core/config/build_file.py",
    "core/records.py",
    "evaluation/dialogues/behaviour.py",
}


def trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms below ``root`` with its name."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            yield path.relative_to(root).as_posix(), tree_of(path)


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def kind_tests(root: Path) -> list[str]:
    """Where something is compared with the name of a kind of task."""
    return [
        f"{name}:{node.lineno}"
        for name, tree in trees(root)
        if name not in OTHER_MEANING
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(side, ast.Constant) and side.value in get_args(TaskKind) for side in _sides(node))
    ]


def _sides(node: ast.Compare) -> Iterator[ast.AST]:
    """What is compared. ``"rewrite" in perturber.tasks`` asks what a component is for, and no task what it is."""
    if isinstance(node.ops[0], ast.Eq | ast.NotEq):
        yield node.left
    for side in node.comparators:
        yield from side.elts if isinstance(side, ast.Tuple | ast.Set | ast.List) else (side,)


def tables(root: Path) -> Iterator[tuple[str, set[object]]]:
    """Every table by kind of task, and the kinds that it has."""
    for name, tree in trees(root):
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
                annotation = ast.unparse(node.annotation)
                if annotation.startswith(("Mapping[TaskKind,", "Mapping[tuple[TaskKind,")):
                    yield f"{name}: {ast.unparse(node.target)}", {_kind(key) for key in node.value.keys}


def _kind(key: ast.expr | None) -> object:
    first = key.elts[0] if isinstance(key, ast.Tuple) else key
    assert isinstance(first, ast.Constant)
    return first.value


@pytest.mark.slow
def test_nothing_asks_what_kind_of_task_it_has() -> None:
    assert kind_tests(ROOT) == []


@pytest.mark.slow
def test_every_table_has_every_kind() -> None:
    found = dict(tables(ROOT))
    assert len(found) > 10
    assert {name: kinds for name, kinds in found.items() if kinds != set(get_args(TaskKind))} == {}


@pytest.mark.parametrize("test", ['task == "answer"', 'kind not in ("rewrite", "other")'])
def test_a_test_of_the_kind_is_found(tmp_path: Path, test: str) -> None:
    path = tmp_path / "exports" / "form.py"
    path.parent.mkdir()
    path.write_text(f"def planted(task, kind):\n    return 1 if {test} else 2\n", encoding="utf-8")
    assert kind_tests(tmp_path) == ["exports/form.py:2"]


def test_a_table_without_a_kind_is_found(tmp_path: Path) -> None:
    path = tmp_path / "exports" / "form.py"
    path.parent.mkdir()
    path.write_text(
        'A: Mapping[TaskKind, int] = {"answer": 1}\nB: Mapping[tuple[TaskKind, str], int] = {("rewrite", "x"): 1}\n'
    )
    assert dict(tables(tmp_path)) == {"exports/form.py: A": {"answer"}, "exports/form.py: B": {"rewrite"}}
