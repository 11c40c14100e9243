"""Benchmarks run by hand and rarely: what they import must still be there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from places import ROOT


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
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
