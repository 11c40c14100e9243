"""Finds what is wrong with a training run before it starts: all problems at once, no GPU and no trainer needed.

Each ``check_*.py`` holds one kind of check; docs/training.md lists what they find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pairwright.training_recipes.checks.after_training import check_evaluate, check_merge
from pairwright.training_recipes.checks.device import Device
from pairwright.training_recipes.checks.device_fit import check_device
from pairwright.training_recipes.checks.key_values import check_keys
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.checks.run_settings import check_place, check_run
from pairwright.training_recipes.checks.starting_model import check_model, check_template
from pairwright.training_recipes.checks.training_data import check_data
from pairwright.training_recipes.checks.training_method import check_method
from pairwright.training_recipes.recipes.build_facts import read_facts
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage


def check(stages: Sequence[Stage], build: Path, device: Device | None = None) -> tuple[Problem, ...]:
    """Everything wrong with ``stages`` on ``build``, errors first; with ``device`` also what it cannot do.

    Raises:
        TrainingError: there is no finished build.
    """
    found = [problem for case in cases(stages, build, device) for problem in _problems(case)]
    return tuple(sorted(found, key=lambda problem: problem.warning))


def cases(stages: Sequence[Stage], build: Path, device: Device | None = None) -> tuple[CheckedStage, ...]:
    """Each stage with all that its checks look at.

    Raises:
        TrainingError: there is no finished build.
    """
    facts = read_facts(build)
    return tuple(CheckedStage(stage, facts, device, tuple(stages[:at])) for at, stage in enumerate(stages))


def _problems(case: CheckedStage) -> Iterator[Problem]:
    if case.stage.kind == "evaluate":
        yield from check_evaluate(case)
        return
    yield from check_keys(case)
    yield from check_model(case)
    yield from check_place(case)
    if case.stage.kind == "merge":
        yield from check_merge(case)
    if case.stage.kind in ROWS:
        yield from check_data(case)
        yield from check_method(case)
        yield from check_run(case)
        if case.device:
            yield from check_device(case, case.device)
    if case.stage.trainer == "llamafactory" or case.stage.kind in ROWS:
        yield from check_template(case)
