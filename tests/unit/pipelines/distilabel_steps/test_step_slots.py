"""A distilabel step refuses a component of another kind when it is made, and names one of somebody's own that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from own_components import Exploding, Nameless, Whole
from pydantic import ValidationError

from pairwright.core.components import Component
from pairwright.core.errors import ComponentError
from pairwright.judges.rules.unchanged import Unchanged
from pairwright.perturbers.rewrites.unchanged_copy import UnchangedCopy
from pairwright.pipelines.distilabel_steps.comparison_steps import CompareRewrites
from pairwright.pipelines.distilabel_steps.gate_steps import GateQueries
from pairwright.pipelines.distilabel_steps.improvement_steps import ImproveAnswers
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates, PerturbRewrites
from pairwright.testing import factories

ROW = {
    "language": "en",
    "history": [{"role": role, "content": text} for role, text in factories.HISTORY["en"]],
    "query": factories.QUERY["en"],
    "rewrite": factories.REWRITE["en"],
    "rewrites": ["When was the author born?", factories.REWRITE["en"]],
}
STEPS: dict[str, Callable[[Any], Any]] = {
    "judges": lambda one: JudgeCandidates(judges=[one]),
    "perturbers": lambda one: PerturbRewrites(perturbers=[one]),
    "gate": lambda one: GateQueries(gate=one),
    "improver": lambda one: ImproveAnswers(improver=one, judges=[]),
    "comparison": lambda one: CompareRewrites(comparison=one, endpoints={}, ledger="unused.sqlite"),
}


@pytest.mark.parametrize("key", STEPS)
def test_a_component_of_another_kind_or_without_a_name_is_refused(key: str) -> None:
    wrong: Component = UnchangedCopy() if key == "judges" else Unchanged()
    with pytest.raises(
        ValidationError, match=rf"{type(wrong).__name__} is a \w+, {key} takes an? \w+ \(a class with '"
    ):
        STEPS[key](wrong)
    with pytest.raises(ValidationError, match="own_components:Nameless has no name"):
        STEPS[key](Nameless())


@pytest.mark.parametrize("key", STEPS)
def test_ones_own_is_taken_and_named_when_it_fails(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for component in (Whole(), Exploding()):
        step = STEPS[key](component)
        step.load()
        try:
            if isinstance(component, Whole):
                assert len(next(step.process([dict(ROW)]))) == 1
                continue
            with pytest.raises(ComponentError, match=r"exploding \(own_components:Exploding, .*:\d+\) failed at row"):
                next(step.process([dict(ROW)]))
        finally:
            step.unload()
