"""Do to real builds what the world does to them, and see that nothing is lost, paid twice or left behind.

    python benchmarks/chaos.py --minutes 60 [--seed S] [--workers N]
    python benchmarks/chaos.py --round SEED        # replay one round

Each round draws from its seed a small build, how its server fails, and a schedule of trouble: kill -9, signals, a full
disk, a server that goes away, two builds at once. Then the build is run in peace until it is finished, and compared with one
that nobody disturbed. docs/reliability.md says what must hold. Ends with a table, and with 1 where anything was found.

The processes are real; only the models are made of rules. When exactly a signal arrives is up to the machine: a round that
is replayed does the same things at the same moments, but a race needs luck to be lost twice.
"""

from __future__ import annotations

import argparse
import random
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chaos_tools.plans import KINDS, Plan, draw
from chaos_tools.rounds import Played, Workshop, play
from chaos_tools.runs import crowd
from chaos_tools.shapes import SHAPES

SHRINK_SECONDS = 180.0
COLUMNS = (
    "lost",
    "paid twice",
    "hangs",
    "tracebacks",
    "exit codes",
    "bytes",
    "books",
    "leftovers",
    "key",
    "never finished",
)


def main() -> int:
    """Play rounds and print the table."""
    options = read_options()
    # Where the harness runs in the background these are ignored, and builds would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda sent, _: sys.exit(f"ended by {signal.Signals(sent).name}"))
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=options.folder))
    workshop = Workshop(folder, f"sk-chaos-{secrets.token_hex(16)}")
    print(f"seed {options.seed}, folder {folder}", flush=True)
    played: list[Played] = []
    try:
        if options.round is not None:
            played.append(play(planned(options.round, options), workshop))
            tell(played[-1], options)
        else:
            play_all(options, workshop, played)
    finally:
        print(table(played), flush=True)
    if any(one.findings for one in played):
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to begin new rounds")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the rounds; printed")
    parser.add_argument("--round", type=int, help="play this round only; failures print its seed")
    parser.add_argument("--troubles", type=int, nargs="*", help="with --round: only these of its schedule")
    parser.add_argument("--good-server", action="store_true", help="with --round: the server makes no faults")
    parser.add_argument("--workers", type=int, default=1, help="rounds side by side")
    parser.add_argument("--only", nargs="+", choices=KINDS, metavar="KIND", help="draw only these kinds of trouble")
    parser.add_argument("--without", nargs="+", choices=KINDS, default=[], metavar="KIND", help="draw none of these")
    parser.add_argument(
        "--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="BUILD", help="only these builds"
    )
    parser.add_argument("--stop-at-first", action="store_true", help="end with the first round that finds something")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for a shorter schedule that still fails")
    parser.add_argument("--folder", help="where to work (default: the folder for temporary files)")
    parser.epilog = (
        "KIND: " + "; ".join(f"{kind}: {what}" for kind, what in KINDS.items()) + f". BUILD: {', '.join(SHAPES)}."
    )
    return parser.parse_args()


def planned(seed: int, options: argparse.Namespace) -> Plan:
    """The round of a seed under the options that it is drawn, and cut, by."""
    kinds = [kind for kind in options.only or KINDS if kind not in options.without]
    plan = draw(seed, kinds, options.shapes)
    if options.troubles is not None:
        plan = plan.only(options.troubles)
    return plan._replace(faults={}) if options.good_server else plan


def command(plan: Plan, options: argparse.Namespace) -> str:
    """What replays a round, as it was played."""
    words = ["python", "benchmarks/chaos.py", "--round", str(plan.seed)]
    whole = draw(plan.seed, [kind for kind in options.only or KINDS if kind not in options.without], options.shapes)
    for name in ("only", "without"):
        if given := getattr(options, name):
            words += [f"--{name}", *given]
    if list(options.shapes) != list(SHAPES):
        words += ["--shapes", *options.shapes]
    if plan.kept != whole.kept:
        words += ["--troubles", *map(str, plan.kept)]
    if plan.faults != whole.faults:
        words.append("--good-server")
    return shlex.join(words)


def play_all(options: argparse.Namespace, workshop: Workshop, played: list[Played]) -> None:
    """Rounds until the time is up, ``--workers`` side by side."""
    until = time.monotonic() + options.minutes * 60
    rng = random.Random(options.seed)
    lock, stop = threading.Lock(), threading.Event()

    def work() -> None:
        while time.monotonic() < until and not stop.is_set():
            with lock:
                seed = rng.getrandbits(32)
            done = play(planned(seed, options), workshop)
            with lock:
                played.append(done)
                tell(done, options)
            if done.findings:
                if not options.no_shrink:
                    shrink(done, workshop, options)
                if options.stop_at_first:
                    stop.set()

    with ThreadPoolExecutor(options.workers) as pool:
        try:
            for job in [pool.submit(work) for _ in range(options.workers)]:
                job.result()
        finally:
            stop.set()


def tell(done: Played, options: argparse.Namespace) -> None:
    """One line per round, and all about one that found something."""
    plan = done.plan
    schedule = "; ".join(map(str, plan.troubles))
    print(
        f"round {plan.seed}: {plan.shape}, {done.seconds:.0f} s, {len(done.findings)} findings: {schedule}", flush=True
    )
    for finding in done.findings:
        print(f"  {finding.kind}: {finding.detail}")
    if done.findings:
        print(
            f"  server: {dict(plan.faults)}, {plan.latency} s; kept in {done.folder}\n  {command(plan, options)}",
            flush=True,
        )


def shrink(done: Played, workshop: Workshop, options: argparse.Namespace) -> None:
    """Leave the faults out, then one trouble after the other, while the same kind of finding stays; print what is left."""
    until = time.monotonic() + SHRINK_SECONDS * crowd()
    kinds = {finding.kind for finding in done.findings}
    smallest = done.plan

    def fails(plan: Plan) -> bool:
        if time.monotonic() > until:
            return False
        return bool(kinds & {finding.kind for finding in play(plan, workshop).findings})

    if smallest.faults and fails(smallest._replace(faults={})):
        smallest = smallest._replace(faults={})
    for place in done.plan.kept:
        shorter = smallest.only(set(smallest.kept) - {place})
        if shorter.troubles and fails(shorter):
            smallest = shorter
    what = "the smallest that still fails" if smallest != done.plan else "nothing shorter failed"
    print(f"  round {done.plan.seed}: {what}: {command(smallest, options)}", flush=True)


def table(played: list[Played]) -> str:
    """What was done and what was found, over all rounds."""
    counts = sum((one.counts for one in played), Counter())
    found = Counter(finding.kind for one in played for finding in one.findings)
    rows = [("rounds", len(played)), ("with findings", sum(bool(one.findings) for one in played))]
    rows += [(name, counts[name]) for name in ("runs", "requests")]
    rows += sorted((name, number) for name, number in counts.items() if name not in ("runs", "requests"))
    rows += [(f"found: {name}", found[name]) for name in COLUMNS]
    return "\n".join(["| what | number |", "|---|---|", *(f"| {name} | {number:,} |" for name, number in rows)])


if __name__ == "__main__":
    sys.exit(main())
