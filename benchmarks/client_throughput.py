"""The client beside stock distilabel: rows per second and CPU per request against a server that answers in 50 ms.

    python benchmarks/client_throughput.py [--rows 1280] [--in-flight 64] [--repeat 3]

Three contenders get the same rows and keep the same number of requests in flight: distilabel's ``TextGeneration`` with
its own ``OpenAILLM``, in batches of that size (it has no other limit); the same task with ``LedgerLLM`` in its place; and
``Client`` without distilabel. Ours write every request and answer to a ledger on disk. Once all calls take 50 ms, once 2 %
of them take 2 s longer. CPU is that of the client's process, from after a warm-up; the server runs in another one.
Each contender runs in a process of its own, in turns; shown is the median of the repetitions with their range.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER = ("-m", "pairwright.testing.fault_server")
LATENCY, SLOW_SHARE, SLOW_SECONDS = 0.05, 0.02, 2.0
INSTRUCTION = "You rewrite the last question of a dialogue so that it can be understood alone. " * 5
Run = Callable[[list[str]], int]


@contextmanager
def stub_server(slow_share: float) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    faults = json.dumps({"slow": slow_share})
    command = [sys.executable, *SERVER, "--latency", str(LATENCY), "--slow-seconds", str(SLOW_SECONDS)]
    with subprocess.Popen([*command, "--faults", faults], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@contextmanager
def stock_distilabel(url: str, in_flight: int, _: Path) -> Iterator[Run]:
    from distilabel.models import OpenAILLM

    llm = OpenAILLM(model="m", base_url=url, api_key="none", generation_kwargs={"max_new_tokens": 64})
    yield text_generation(llm, in_flight)


@contextmanager
def ledger_llm(url: str, in_flight: int, folder: Path) -> Iterator[Run]:
    from pairwright.core.config.build_file import EndpointConfig
    from pairwright.pipelines.distilabel_steps.rewrite_steps import LedgerLLM

    endpoint = EndpointConfig(base_url=url, model="m", max_concurrency=in_flight)
    llm = LedgerLLM(name="teacher", endpoint=endpoint, ledger=str(folder / "ledger.sqlite"))
    yield text_generation(llm, batch=10**9)
    llm.unload()


def text_generation(llm: Any, batch: int) -> Run:
    from distilabel.steps.tasks import TextGeneration

    task = TextGeneration(llm=llm, system_prompt=INSTRUCTION)
    task.load()

    def run(texts: list[str]) -> int:
        answered = 0
        for start in range(0, len(texts), batch):
            rows = [{"instruction": text} for text in texts[start : start + batch]]
            answered += sum(row["generation"] is not None for out in task.process(rows) for row in out)
        return answered

    return run


@contextmanager
def client_alone(url: str, in_flight: int, folder: Path) -> Iterator[Run]:
    from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
    from pairwright.core.execution.coroutines import CoroutineRunner
    from pairwright.core.llm.client import Client
    from pairwright.core.llm.ledger import Ledger
    from pairwright.core.requests import ChatRequest, Message

    endpoint = EndpointConfig(base_url=url, model="m", max_concurrency=in_flight)
    system = Message(role="system", content=INSTRUCTION)

    async def ask_all(client: Client, texts: list[str]) -> int:
        requests = [ChatRequest(messages=(system, Message(role="user", content=text)), max_tokens=64) for text in texts]
        return len(await asyncio.gather(*[client("t", request) for request in requests]))

    with Ledger(folder / "ledger.sqlite") as ledger, CoroutineRunner() as runner:
        client = Client({"t": endpoint}, ledger, LimitsConfig())
        yield lambda texts: runner.run(ask_all(client, texts))
        runner.run(client.__aexit__(None, None, None))


CONTENDERS = {
    "distilabel TextGeneration, OpenAILLM": stock_distilabel,
    "distilabel TextGeneration, LedgerLLM": ledger_llm,
    "Client": client_alone,
}


def measure(contender: str, url: str, rows: int, in_flight: int) -> tuple[float, float]:
    """(rows per second, CPU milliseconds per row) of one run in this process."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, CONTENDERS[contender](url, in_flight, Path(folder)) as run:
        run([f"warm up {number}" for number in range(in_flight)])
        wall, cpu = time.perf_counter(), time.process_time()
        answered = run([f"How long did that take, number {number}?" for number in range(rows)])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert answered == rows, f"{contender}: {answered} of {rows} rows answered"
    return rows / wall, cpu / rows * 1000


def in_own_process(contender: str, slow_share: float, rows: int, in_flight: int) -> tuple[float, float]:
    with stub_server(slow_share) as url:
        found = subprocess.run(
            [
                sys.executable,
                __file__,
                "--rows",
                str(rows),
                "--in-flight",
                str(in_flight),
                "--one",
                contender,
                "--url",
                url,
            ],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
            check=True,
        )
    speed, cpu = json.loads(found.stdout.splitlines()[-1])
    return speed, cpu


def table(slow_share: float, rows: int, in_flight: int, repeat: int) -> Iterator[str]:
    runs: dict[str, list[tuple[float, float]]] = {contender: [] for contender in CONTENDERS}
    for _ in range(repeat):
        for contender, measured in runs.items():
            measured.append(in_own_process(contender, slow_share, rows, in_flight))
    stock = statistics.median(speed for speed, _ in next(iter(runs.values())))
    yield "| asked by | rows/s | of stock | CPU ms per request |"
    yield "|---|---|---|---|"
    for contender, measured in runs.items():
        speeds, cpu = zip(*measured, strict=True)
        speed = statistics.median(speeds)
        yield (
            f"| {contender} | {speed:.0f} ({min(speeds):.0f} to {max(speeds):.0f}) | {speed / stock:.1f} x |"
            f" {statistics.median(cpu):.2f} ({min(cpu):.2f} to {max(cpu):.2f}) |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1280)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.url, arguments.rows, arguments.in_flight)))
        return
    for slow_share in (0.0, SLOW_SHARE):
        slow = f", {slow_share:.0%} of them {SLOW_SECONDS:g} s later" if slow_share else ""
        print(
            f"\n{arguments.rows} rows, {arguments.in_flight} in flight, answers after {LATENCY * 1000:.0f} ms{slow}:\n"
        )
        print("\n".join(table(slow_share, arguments.rows, arguments.in_flight, arguments.repeat)), flush=True)


if __name__ == "__main__":
    main()
