"""Tells the step log what a ``transformers`` trainer does, and stops it when going on makes no sense."""

from __future__ import annotations

import math
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from transformers import TrainerCallback

from pairwright.core.errors import TrainingError
from pairwright.training_recipes.runs.step_log import Metrics, StepWriter
from pairwright.training_recipes.runs.watchdog import WatchSettings, drift_of

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "datasets",
    "llamafactory",
    "trl",
    "deepspeed",
    "bitsandbytes",
)
TELL_SECONDS = 0.5
NAN_LOGS = 3  # logged steps in a row


class StepCallback(TrainerCallback):
    """Writes every logged step, and each step at most twice a second; only the first process of a training writes."""

    def __init__(self, steps: StepWriter, watch: WatchSettings | None) -> None:
        self._steps = steps
        self._watch = watch
        self._told = 0.0
        self._logs: dict[int, Metrics] = {}
        self._broken: list[int] = []
        self._warned = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Say what trains where."""
        if state.is_world_process_zero:
            facts = {**device_facts(), "trainable": _trainable(others["model"]), "processes": args.world_size}
            self._steps.write("begin", step=state.global_step, total=state.max_steps, facts=facts)

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Say how far it is."""
        if state.is_world_process_zero and time.monotonic() - self._told > TELL_SECONDS:
            self._told = time.monotonic()
            self._steps.write("step", step=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Keep the figures; stop when they are no numbers, or when the watchdog is told to stop."""
        numbers = {name: float(value) for name, value in others["logs"].items() if isinstance(value, int | float)}
        self._refuse_nan(numbers, state.global_step)
        if "loss" in numbers:
            self._logs[state.global_step] = numbers
        if state.is_world_process_zero:
            self._steps.write("step", step=state.global_step)
            self._steps.write("log", step=state.global_step, metrics=_finite(numbers))
        self._look_after_chosen(state, control)

    def _refuse_nan(self, numbers: Metrics, step: int) -> None:
        """The trainer hides a loss that is no number, but the gradients show it; half precision may skip a few steps."""
        broken = any(math.isnan(numbers.get(name, 0.0)) for name in ("loss", "grad_norm"))
        self._broken = [*self._broken, step] if broken else []
        if len(self._broken) >= NAN_LOGS:
            raise TrainingError(
                f"loss or gradients are no number (NaN) since step {self._broken[0]}: the training has diverged",
                "Lower learning_rate (a tenth of it), add warmup_ratio: 0.1, and use bf16 rather than fp16.",
            )

    def _look_after_chosen(self, state: Any, control: Any) -> None:
        drift = drift_of(self._logs, self._watch) if self._watch else None
        if self._watch is None or drift is None or not drift.fallen or self._warned:
            return
        self._warned = True
        text = (
            f"step {state.global_step}: the chosen answers are {-drift.nats:.1f} nats less likely than at the start "
            f"(logps/chosen {drift.start:.1f} then)"
        )
        if self._watch.stop:
            control.should_training_stop = True
            text += "; stopped"
        if state.is_world_process_zero:
            self._steps.write("note", text=text)


def device_facts() -> dict[str, Any]:
    """What this process trains on, and with which versions."""
    gpus = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
    return {
        "gpus": [f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB" for gpu in gpus],
        "threads": torch.get_num_threads(),
        "versions": {package: found for package in PACKAGES if (found := _version(package))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _trainable(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _finite(numbers: Metrics) -> Metrics:
    return {name: value for name, value in numbers.items() if math.isfinite(value)}
