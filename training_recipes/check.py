"""Finds what is wrong with a training run before it starts: all problems at once, no GPU and no trainer needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pairwright.training_recipes.check_data import check_data
from pairwright.training_recipes.check_device import check_device
from pairwright.training_recipes.device import Device
from pairwright.training_recipes.facts import read_facts
from pairwright.training_recipes.problem import Case, Problem
from pairwright.training_recipes.render import ROWS, Stage


def check(stages: Sequence[Stage], build: Path, device: Device | None = None) -> tuple[Problem, ...]:
    """Everything wrong with ``stages`` on ``build``, errors first; with ``device`` also what it cannot do.

    Raises:
        TrainingError: there is no finished build.
    """
    facts = read_facts(build)
    found = [
        problem
        for at, stage in enumerate(stages)
        for problem in _problems(Case(stage, facts, device, tuple(stages[:at])))
    ]
    return tuple(sorted(found, key=lambda problem: problem.warning))


def _problems(case: Case) -> Iterator[Problem]:
    if case.stage.kind in ROWS:
        yield from check_data(case)
        if case.device:
            yield from check_device(case, case.device)
