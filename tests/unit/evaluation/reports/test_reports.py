"""Reports of evaluations and comparisons: whatever rows, sets and systems are called, the page stays the same page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pytest
from rendered import HOSTILE, Rendered, markdown

from pairwright.core.identity import Row
from pairwright.core.records import Turn
from pairwright.evaluation.evaluation import Evaluation
from pairwright.evaluation.gold_rows import GoldRow, GoldSet, gold_set
from pairwright.evaluation.predictions import System
from pairwright.evaluation.reports.comparison_report import write_comparison
from pairwright.evaluation.reports.evaluation_report import write_report
from pairwright.evaluation.reports.leaderboard import record
from pairwright.evaluation.rewrite_evaluation import evaluate
from pairwright.evaluation.system_comparison import SystemComparison, compare
from pairwright.evaluation.systems.baselines import baseline


def gold() -> GoldSet:
    """A set in which everything that may be text says "calm"."""
    said = tuple(Turn(role="assistant" if n % 2 else "user", content="Apple, calm") for n in range(2))
    rows = [
        GoldRow(
            id=f"calm {n}",
            dialogue=str(n),
            language="en",
            history=said,
            query="When was he born? calm",
            reference="When was Steve Jobs born? calm",
            defect=f"calm {n % 2}",
        )
        for n in range(12)
    ]
    return gold_set("calm", rows, [], source="calm", sha256="0" * 64)


def systems(of: GoldSet) -> list[System]:
    """The copy and the reference, under calm names."""
    changes = {"details": {"calm": "calm"}}
    return [baseline(name, of).model_copy(update={"name": f"{name} calm", **changes}) for name in ("copy", "reference")]


@pytest.fixture(scope="module")
def measured() -> tuple[Evaluation, SystemComparison]:
    """What is reported."""
    found = gold()
    return evaluate([(found, systems(found))], against="copy calm"), compare(found, *systems(found))


R = TypeVar("R", bound=Row)


def said(row: R, text: str) -> R:
    """The same row with ``text`` wherever "calm" stands, names and values alike."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {replaced(key): replaced(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return tuple(map(replaced, value))
        return value.replace("calm", text) if isinstance(value, str) else value

    return type(row).model_validate(replaced(row.model_dump()))


def pages(measured: tuple[Evaluation, SystemComparison], text: str, folder: Path) -> dict[str, Rendered]:
    """Every page about systems and rows with ``text`` in them, by its name."""
    result, comparison = (said(row, text) for row in measured)
    record(result, folder)
    write_report(result, folder)
    write_comparison(comparison, folder)
    read = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    found = {name: markdown(text) for name, text in read.items() if name.endswith(".md")}
    return found | {name: Rendered(text) for name, text in read.items() if name.endswith(".html")}


@pytest.fixture(scope="module")
def calm(
    measured: tuple[Evaluation, SystemComparison], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Rendered]:
    """The pages about harmless names."""
    return pages(measured, "calm", tmp_path_factory.mktemp("calm"))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_and_no_row_changes_what_a_page_is_made_of(
    text: str, calm: dict[str, Rendered], measured: tuple[Evaluation, SystemComparison], tmp_path: Path
) -> None:
    found = pages(measured, text, tmp_path)
    assert sorted(found) == [
        *("comparison.html", "comparison.md", "evaluation.html", "evaluation.md", "leaderboard.md"),
    ]
    for name, page in found.items():
        assert page.tags == calm[name].tags, name
        assert page.others == calm[name].others, name


def test_tables_have_a_column_per_system(measured: tuple[Evaluation, SystemComparison], tmp_path: Path) -> None:
    found = pages(measured, "calm", tmp_path)
    lines = (tmp_path / "evaluation.md").read_text(encoding="utf-8").splitlines()
    assert "| metric | better | copy calm | reference calm |" in lines
    assert "| slice | rows | copy calm | reference calm |" in lines
    lines = (tmp_path / "comparison.md").read_text(encoding="utf-8").splitlines()
    assert "| metric | copy calm | reference calm | difference (95 %) | p (Holm) | better |" in lines
    assert "When was Steve Jobs born? calm" in found["comparison.html"].text
