"""What a training would run on: a GPU by its memory and generation, or the CPU."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from pairwright.core.config.problems import did_you_mean
from pairwright.core.errors import ConfigError

TURING = (7, 5)
AMPERE = (8, 0)


class Device(NamedTuple):
    """``memory`` is in GiB per GPU (of the machine for a CPU); ``capability`` is CUDA's (7.5 is Turing).

    ``here`` is False for a device that is only named: then nothing is known of what is installed beside it.
    """

    kind: Literal["cuda", "cpu"]
    name: str
    memory: float
    capability: tuple[int, int] = (0, 0)
    gpus: int = 1
    here: bool = True

    @property
    def has_bf16(self) -> bool:
        """True where bfloat16 is computed in hardware (Ampere and newer)."""
        return self.kind == "cuda" and self.capability >= AMPERE


_GPUS: Mapping[str, tuple[float, tuple[int, int]]] = {  # GiB, CUDA's capability
    "1080ti": (11, (6, 1)),
    "v100": (32, (7, 0)),
    "2080ti": (11, TURING),
    "t4": (15, TURING),
    "3060": (12, (8, 6)),
    "3090": (24, (8, 6)),
    "a10": (22, (8, 6)),
    "a100-40": (40, AMPERE),
    "a100": (80, AMPERE),
    "4060ti": (16, (8, 9)),
    "4090": (24, (8, 9)),
    "l4": (22, (8, 9)),
    "h100": (80, (9, 0)),
    "h200": (141, (9, 0)),
    "5090": (32, (12, 0)),
}
_NAMED = re.compile(r"(?:(\d+)x)?(?:(\d+)gb|([a-z0-9-]+))")


def read_device(text: str) -> Device:
    """A device by its name: ``2080ti``, ``4xa100``, ``24gb`` (an Ampere card of that size) or ``cpu``.

    Raises:
        ConfigError: no such device.
    """
    named = _NAMED.fullmatch(text.lower().replace(" ", ""))
    if named and named[3] == "cpu":
        return Device("cpu", "cpu", 0, here=False)
    if named and (named[2] or named[3] in _GPUS):
        memory, capability = (float(named[2]), AMPERE) if named[2] else _GPUS[named[3]]
        return Device("cuda", text, memory, capability, int(named[1] or 1), here=False)
    raise ConfigError(
        [f"--device {text}: no such device{did_you_mean(text.lower(), [*_GPUS, 'cpu'])}"],
        f"Take cpu, a card's memory such as 24gb, or one of {', '.join(_GPUS)}; 4x before it for four.",
    )
