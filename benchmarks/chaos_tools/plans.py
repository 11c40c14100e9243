"""What a round does, drawn from its seed: a build, how its server fails, and a schedule of trouble."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import NamedTuple

from chaos_tools.server import FAULTS
from chaos_tools.shapes import SHAPES

KINDS = {
    "kill_main": "kill -9 of the build",
    "kill_child": "kill -9 of one of its processes",
    "kill_all": "kill -9 of the build and all its processes at once",
    "term": "SIGTERM",
    "hup": "SIGHUP",
    "int": "SIGINT, as Ctrl-C sends it",
    "stop_short": "SIGSTOP, SIGCONT soon",
    "stop_long": "SIGSTOP, SIGCONT after more than the time-out of requests",
    "disk_full": "the disk of the build folder is full, then grows",
    "few_files": "a low limit of open files",
    "server_away": "the server goes away and comes back on its port",
    "one_ledger": "a second build with the same ledger at the same time",
    "same_folder": "the same build twice at the same time",
    "read_only": "the build folder is mounted read-only",
    "edited": "the build file has another seed for one run",
    "torn": "files of unfinished/ cut off, overwritten or replaced after a kill -9",
    "gone": "unfinished/ removed after a kill -9",
}
"""Every kind of trouble."""
OFTEN = {
    "kill_main": 3,
    "kill_child": 3,
    "kill_all": 3,
    "term": 2,
    "hup": 2,
    "int": 2,
    "disk_full": 3,
    "server_away": 2,
    "one_ledger": 2,
}
"""Kinds that are drawn more often than others, and how much."""
NEED_ROOT = ("disk_full", "read_only")
NEED_SERVER = ("server_away", "one_ledger")
PLACES = ("generation/control", "rows", "exports", "manifest.json", "dropped.jsonl", "tasks.jsonl")


class Moment(NamedTuple):
    """When trouble begins: at a share of the ``time`` of the undisturbed build, or of the ``requests`` that are still to be asked; or when a ``path`` appears in ``unfinished/``."""

    what: str
    value: float | str


class Trouble(NamedTuple):
    """One trouble. ``amount``: seconds, KiB or open files, by its kind; ``luck`` decides what is left to chance."""

    kind: str
    moment: Moment
    amount: float
    luck: int

    def __str__(self) -> str:
        return f"{self.kind} at {self.moment.what} {self.moment.value} ({self.amount:g})"


class Plan(NamedTuple):
    """A round. ``kept`` are the places of ``troubles`` in the schedule as it was drawn."""

    seed: int
    shape: str
    faults: Mapping[str, float]
    latency: float
    ledger: str | None
    troubles: tuple[Trouble, ...]
    kept: tuple[int, ...]

    def only(self, kept: Collection[int]) -> Plan:
        """The same round with fewer troubles."""
        pairs = [(place, one) for place, one in zip(self.kept, self.troubles, strict=True) if place in kept]
        return self._replace(kept=tuple(place for place, _ in pairs), troubles=tuple(one for _, one in pairs))


def draw(seed: int, kinds: Collection[str] = tuple(KINDS), shapes: Collection[str] = tuple(SHAPES)) -> Plan:
    """The plan of a round: from its seed, and from what may be drawn at all."""
    rng = random.Random(f"chaos {seed}")
    name = rng.choice(sorted(shapes))
    shape = SHAPES[name]
    chosen = rng.sample(FAULTS, rng.choice((0, 1, 2, 3, 4, 6))) if shape.asks else []
    faults = {
        fault: round(rng.uniform(0.01, 0.03 if fault in ("hang", "huge", "deep") else 0.10), 3) for fault in chosen
    }
    may = [
        kind
        for kind in sorted(kinds)
        if (shape.generates or kind != "kill_child") and (shape.asks or kind not in NEED_SERVER)
    ]
    drawn = rng.choices(may, [OFTEN.get(kind, 1) for kind in may], k=rng.choice((1, 1, 2, 2, 3)))
    troubles = tuple(_trouble(rng, kind, shape.asks) for kind in drawn)
    ledger = rng.choice((None, "ledger.sqlite"))
    latency = round(rng.choice((0.01, 0.05, 0.2)), 3)
    return Plan(seed, name, faults, latency, ledger, troubles, tuple(range(len(troubles))))


def _trouble(rng: random.Random, kind: str, asks: bool) -> Trouble:
    ways = ("time", "path", "requests", "requests") if asks else ("time", "path")
    what = rng.choice(ways)
    value: float | str = rng.choice(PLACES)
    if what == "time":
        value = round(rng.uniform(0.0, 1.1), 2)
    elif what == "requests":
        value = round(rng.uniform(0.0, 1.0), 2)
    if kind == "kill_child":  # there are others only while rewrites are generated
        what, value = rng.choice((("path", "generation/control"), ("requests", round(rng.uniform(0.0, 0.3), 2))))
    amount = {
        "stop_short": rng.uniform(0.3, 2.0),
        "stop_long": rng.uniform(12.5, 14.0),
        "disk_full": rng.choice((0, 4, 16, 64, 200, 500, 1500)),
        "few_files": rng.randint(12, 64),
        "server_away": rng.uniform(0.1, 4.0),
    }.get(kind, 0)
    return Trouble(kind, Moment(what, value), round(amount, 2), rng.randrange(2**31))
