"""Checks of a stage against the device it would run on."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.training_recipes.device import Device
from pairwright.training_recipes.problem import Case, Problem


def check_device(case: Case, device: Device) -> Iterator[Problem]:
    """Can the device do what the stage asks for?"""
    if case.get("bf16") and device.kind == "cpu":
        yield case.problem("bf16", f"{device.name} trains in float32", "Set 'bf16: false'.")
