"""What ``pairwright train --check`` prints: what the run needs, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pairwright.core.errors import ConfigError
from pairwright.core.pages.printable import printable
from pairwright.training_recipes.checks.device import Device, read_device
from pairwright.training_recipes.checks.hardware import this_device
from pairwright.training_recipes.checks.memory import estimate
from pairwright.training_recipes.checks.run_check import cases, check
from pairwright.training_recipes.checks.trainer_parsers import deep_check
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage


class Checking(NamedTuple):
    """How to check: against which named device, and whether to ask the trainers themselves."""

    device: str | None = None
    deep: bool = False


def wanted(check: bool, device: str | None, deep: bool) -> Checking | None:
    """What the options ask for; None where the recipe is to be run.

    Raises:
        ConfigError: options of a check without ``--check``.
    """
    if not check and (device or deep):
        raise ConfigError(["--device and --deep are for --check"], "Add --check, or leave them out.")
    return Checking(device, deep) if check else None


def check_command(name: str, stages: Sequence[Stage], build: Path, device: str | None, deep: bool) -> None:
    """Check ``stages`` against the build and the device; start nothing.

    ``device`` is a name that ``read_device`` knows; without it this machine's GPU is taken, or its CPU where the
    recipe is for one, else none: a recipe can be checked far from the machine that will run it.

    Raises:
        ConfigError: there are problems that would stop the run; all of them, with the warnings printed before.
    """
    chosen = read_device(device) if device else _here(stages)
    for case in cases(stages, build, chosen):
        needs = estimate(case) if case.stage.kind in ROWS else None
        if needs:
            print(f"{case.stage.name}: about {needs.total:.1f} GiB ({needs.spoken})")
    if chosen is None:
        print("no GPU here, so none was checked: --device 24gb says whether a card will do")
    found = [*check(stages, build, chosen), *(deep_check(stages) if deep else ())]
    for warning in (problem for problem in found if problem.warning):
        print(printable(str(warning)))
    if errors := [str(problem) for problem in found if not problem.warning]:
        raise ConfigError(errors, "Nothing was started. docs/training.md explains every problem.")
    print(f"{name}: fine on {build}{f' and {chosen.name}' if chosen else ''}")


def _here(stages: Sequence[Stage]) -> Device | None:
    here = this_device()
    return here if here.kind == "cuda" or any(stage.settings.get("use_cpu") for stage in stages) else None
