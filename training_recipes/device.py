"""What a training would run on: a GPU by its memory and generation, or the CPU."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Device(NamedTuple):
    """``memory`` is in GiB per GPU (of the machine for a CPU); ``capability`` is CUDA's (7.5 is Turing)."""

    kind: Literal["cuda", "cpu"]
    name: str
    memory: float
    capability: tuple[int, int] = (0, 0)
    gpus: int = 1
