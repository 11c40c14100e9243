"""The whole generation stage, pool and all: what distilabel's processes cost, and what a second run costs.

    python benchmarks/generation_throughput.py [--requests 1280] [--in-flight 64]

``generate_candidates()`` runs against a server that answers in 50 ms: for one request, which is the price of starting distilabel; for
many; for many of which 2 % are answered 2 s late; and once more for those, from the ledger alone. CPU is that of the build
and all its processes, the server's is not in it. ``client_throughput.py`` compares the step itself with stock distilabel.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from client_throughput import SLOW_SHARE, stub_server

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.records import Candidate, Example, Origin, Task, Turn
from pairwright.pipelines.generation.candidate_generation import generate_candidates, plan_generation

HISTORY = (Turn(role="user", content="I just read The Glass Orchard."), Turn(role="assistant", content="A fine book."))


def task(number: int) -> Task:
    examples = tuple(
        Example(
            id=str(place),
            language="en",
            history=HISTORY,
            query="Who wrote it?",
            analysis="It means the book.",
            needs_rewrite=True,
            rewrite="Who wrote The Glass Orchard?",
        )
        for place in range(3)
    )
    return Task.create(
        conversation=str(number),
        dialogue=str(number),
        language="en",
        history=HISTORY,
        query=f"And who wrote number {number} of the series?",
        tokens=32,
        examples=examples,
        origin=Origin(source="benchmark", file="", key=str(number), licence="CC0"),
    )


def config(url: str, folder: Path, in_flight: int) -> BuildConfig:
    settings: dict[str, Any] = {
        "name": "benchmark",
        "output": str(folder),
        "sources": [{"use": "pairwright.pipelines.ingest.sources:FileSource", "source": "s", "path": "unread.jsonl"}],
        "endpoints": {"teacher": {"base_url": url, "model": "m", "max_concurrency": in_flight}},
        "generation": [{"role": "teacher", "endpoint": "teacher", "reasks": 0}],
    }
    return BuildConfig.model_validate(settings)


def cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(url: str, folder: Path, requests: int, in_flight: int) -> tuple[float, float]:
    """(wall seconds, CPU seconds) of one run of the stage."""
    settings = config(url, folder, in_flight)
    rows = [task(number) for number in range(requests)]
    found = plan_generation(settings, lambda: rows)
    wall, cpu = time.perf_counter(), cpu_seconds()
    outcomes = list(generate_candidates(found, settings, folder / "ledger.sqlite", {}, folder))
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    assert sum(isinstance(outcome, Candidate) for outcome in outcomes) == requests
    return wall, cpu


def report(what: str, requests: int, measured: tuple[float, float], start: tuple[float, float] = (0.0, 0.0)) -> None:
    wall, cpu = measured
    each = (cpu - start[1]) / requests * 1000
    print(f"| {what} | {requests} | {wall:.1f} | {wall - start[0]:.1f} | {cpu:.1f} | {each:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1280)
    parser.add_argument("--in-flight", type=int, default=64)
    arguments = parser.parse_args()
    size = arguments.requests, arguments.in_flight
    print("| run | requests | s | s without start | CPU s | CPU ms per request without start |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        with stub_server(0.0) as url:
            start = measure(url, Path(folder) / "one", 1, arguments.in_flight)
            report("start of distilabel", 1, start)
            report("all answered in 50 ms", size[0], measure(url, Path(folder) / "many", *size), start)
        with stub_server(SLOW_SHARE) as url:
            report("2 % of them 2 s later", size[0], measure(url, Path(folder) / "slow", *size), start)
            report("the same again, from the ledger", size[0], measure(url, Path(folder) / "slow", *size))


if __name__ == "__main__":
    main()
