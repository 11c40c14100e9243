"""Checkpoints of an unfinished training: the last one that is whole, and those that a kill left in pieces."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

_NAME = re.compile(r"checkpoint-(\d+)")
_WEIGHTS = ("*.safetensors", "*.bin")


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint below ``folder`` that training can go on from; None when it has to begin."""
    whole = [path for path in _checkpoints(folder) if _is_whole(path)]
    return whole[-1] if whole else None


def remove_broken(folder: Path) -> None:
    """Remove checkpoints that cannot be gone on from: trainers would take the newest, whole or not."""
    for path in _checkpoints(folder):
        if not _is_whole(path):
            shutil.rmtree(path)


def step_of(checkpoint: Path) -> int:
    """How many optimiser steps a checkpoint stands for."""
    return int(checkpoint.name.removeprefix("checkpoint-"))


def _checkpoints(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=step_of)


def _is_whole(checkpoint: Path) -> bool:
    """The trainer's state is written last; without an optimiser (``save_only_model``) nothing can go on."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    weights = any(True for pattern in _WEIGHTS for _ in checkpoint.glob(pattern))
    # DeepSpeed keeps weights and optimiser together, in a folder per step.
    return any(checkpoint.glob("global_step*")) or (weights and (checkpoint / "optimizer.pt").is_file())
