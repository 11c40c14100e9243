"""What this machine has, found without importing PyTorch."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Any

from pairwright.training_recipes.checks.device import Device

_QUERY = ["nvidia-smi", "--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader,nounits"]


def this_device() -> Device:
    """The first GPU that is visible here and how many there are, or the CPU."""
    gpus = _visible(_gpus())
    if gpus:
        name, memory, capability = gpus[0]
        major, _, minor = capability.partition(".")
        return Device("cuda", name, round(float(memory) / 1024, 1), (int(major), int(minor)), len(gpus))
    return Device("cpu", _cpu_name(), _memory_gib())


def machine() -> dict[str, Any]:
    """What a run record says of the machine."""
    return {"cpu": _cpu_name(), "cores": os.cpu_count(), "memory_gib": _memory_gib(), "system": platform.platform()}


def _gpus() -> list[tuple[str, str, str]]:
    try:
        found = subprocess.run(_QUERY, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []  # no driver, no GPU
    lines = [tuple(part.strip() for part in line.split(",")) for line in found.splitlines()]
    return [(line[0], line[1], line[2]) for line in lines if len(line) == 3]


def _visible(gpus: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    wanted = os.environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return gpus
    names = [part.strip() for part in wanted.split(",")]
    return [
        # A GPU that is named by its id stands for the first one: ids are not looked up.
        gpus[int(name)] if name.isdigit() and int(name) < len(gpus) else gpus[0]
        for name in names
        if _names_gpu(name, gpus)
    ]


def _names_gpu(name: str, gpus: list[tuple[str, str, str]]) -> bool:
    return bool(gpus) and (name.startswith(("GPU-", "MIG-")) or (name.isdigit() and int(name) < len(gpus)))


def _cpu_name() -> str:
    return f"{os.cpu_count()} cores {platform.machine()}"


def _memory_gib() -> float:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
