"""One round: trouble after trouble, then runs in peace until the build is finished, then everything is looked at."""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from chaos_tools import disks
from chaos_tools.invariants import (
    KILLS,
    Finding,
    Times,
    check_bytes,
    check_folder,
    check_key,
    check_ledger,
    check_payments,
    check_run,
    files_of,
    paid_twice,
    unlucky,
)
from chaos_tools.ledgers import NOTHING, read_ledger
from chaos_tools.plans import NEED_ROOT, Moment, Plan, Trouble
from chaos_tools.runs import Place, Run
from chaos_tools.server import ChaosServer
from chaos_tools.shapes import OTHER_SEED, SEED, SHAPES, write_build, write_rows

IN_PEACE = 4
"""Runs after the trouble that a build has to be finished in."""
_SIGNALS = {"term": signal.SIGTERM, "hup": signal.SIGHUP, "int": signal.SIGINT}


class Baseline(NamedTuple):
    """The undisturbed build: SHA-256 by file, how many requests it sent, and how long it took."""

    files: Mapping[str, str]
    requests: int
    seconds: float


class Played(NamedTuple):
    """What came of a round. ``counts`` are figures for the table."""

    plan: Plan
    findings: tuple[Finding, ...]
    counts: Counter[str]
    seconds: float
    folder: Path


class Workshop:
    """Where rounds are played; builds each undisturbed build once."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self._known: dict[tuple[str, int], Baseline] = {}
        self._locks: dict[tuple[str, int], threading.Lock] = {}
        self._guard = threading.Lock()
        self._number = 0

    def place(self) -> Place:
        """A new folder for a round; its path is short, as those of the sockets in it have to be."""
        with self._guard:
            self._number += 1
            return Place(self.folder / f"{self._number:04d}", self.key)

    def baseline(self, shape: str, seed: int) -> Baseline:
        """The undisturbed build of that shape with that seed."""
        with self._guard:
            lock = self._locks.setdefault((shape, seed), threading.Lock())
        with lock:
            if (shape, seed) not in self._known:
                self._known[shape, seed] = self._build(shape, seed)
            return self._known[shape, seed]

    def _build(self, shape: str, seed: int) -> Baseline:
        place = self.place()
        write_rows(SHAPES[shape], place.folder)
        with ChaosServer(0, self.key, {}, 0.005) as server:
            run = place.start(write_build(SHAPES[shape], place.folder, server.url, ledger=None, seed=seed))
            if run.wait() != 0 or unlucky(place.folder / "out"):
                raise SystemExit(f"the undisturbed build of {shape} failed: {run.said()[1]}")
            seconds = time.monotonic() - run.began
            found = Baseline(files_of(place.folder / "out"), server.arrived, seconds)
        shutil.rmtree(place.folder)
        return found


def play(plan: Plan, workshop: Workshop) -> Played:
    """Play a round. Its folder is kept where something was found."""
    started = time.monotonic()
    place = workshop.place()
    with ChaosServer(plan.seed, workshop.key, plan.faults, plan.latency) as server:
        game = Round(plan, place, server, workshop)
        try:
            game.play()
        finally:
            place.settle(0)
            game.end()
    if not game.findings:
        shutil.rmtree(place.folder)
    return Played(plan, tuple(game.findings), game.counts, time.monotonic() - started, place.folder)


class Round:
    """The state of a round while it is played."""

    def __init__(self, plan: Plan, place: Place, server: ChaosServer, workshop: Workshop) -> None:
        self.plan, self.place, self.server, self.workshop = plan, place, server, workshop
        self.shape = SHAPES[plan.shape]
        self.findings: list[Finding] = []
        self.counts: Counter[str] = Counter()
        self.out = place.folder / "out"
        self.ledger = place.folder / (plan.ledger or "out/ledger.sqlite")
        self._paid = NOTHING
        self._kills: list[float] = []
        self._stops: list[tuple[float, float]] = []
        self._full: list[tuple[float, float]] = []
        self._others: dict[str, int] = {}
        """Other builds with the same ledger: seed by name."""
        self._edited = False
        self._seen: set[int] = set()
        self._mounted = False
        self._started = 0
        """Requests that had arrived when the last run began."""
        self._precious = place.folder / "precious"

    def play(self) -> None:
        """Trouble, peace, checks."""
        self.baseline = self.workshop.baseline(self.plan.shape, SEED)
        write_rows(self.shape, self.place.folder)
        self.file = self._write("build", "out", SEED)
        self.out.mkdir()
        self._precious.mkdir()
        (self._precious / "letter.txt").write_text("not yours", encoding="utf-8")
        if any(one.kind in NEED_ROOT for one in self.plan.troubles) and disks.mountable(self.out):
            disks.mount(self.out)
            self._mounted = True
        for trouble in self.plan.troubles:
            if trouble.kind in NEED_ROOT and not self._mounted:
                self.counts["skipped: no disk can be mounted"] += 1
                continue
            self._make(trouble)
            self._look()
        self.server.calm()
        finished = self._in_peace(self.file, self.out)
        for name, seed in self._others.items():
            finished = self._in_peace(f"{name}.yaml", self.place.folder / name) and finished
            if finished:
                self.findings += check_bytes(
                    self.workshop.baseline(self.plan.shape, seed).files, self.place.folder / name
                )
        if finished:
            self.findings += check_bytes(self.baseline.files, self.out)
            times = Times(self._kills, self._stops, self._full)
            self.findings += check_payments(self.server.sent, times, self._paid, self._edited)
            for reason, number in paid_twice(self.server.sent, times).items():
                self.counts[f"paid twice: {reason}"] += number
        self.findings += check_key(self.place.key, self.place.folder)
        if [path.name for path in self._precious.iterdir()] != ["letter.txt"]:
            self.findings.append(Finding("lost", f"{self._precious} was touched"))
        if finished and (home := sorted(path.name for path in (self.place.folder / "home").rglob("*"))):
            self.counts["rounds with files in HOME"] += 1
            self.counts[f"in HOME: {home[0]}"] += 1

    def end(self) -> None:
        """Give back what the round took, and count what happened."""
        if self._mounted:
            if self.findings:
                shutil.copytree(self.out, self.place.folder / "out-as-it-was", symlinks=True, dirs_exist_ok=True)
            disks.unmount(self.out)
        self.counts["runs"] += len(self.place.runs)
        self.counts["requests"] += self.server.arrived
        for fault, number in self.server.met.items():
            if fault != "none":
                self.counts[f"fault: {fault}"] += number

    def _write(self, name: str, output: str, seed: int) -> str:
        # A second build has to be told of the ledger that the first has in its folder.
        ledger = self.plan.ledger if name == "build" else str(self.ledger.relative_to(self.place.folder))
        return write_build(
            self.shape, self.place.folder, self.server.url, name=name, output=output, ledger=ledger, seed=seed
        )

    def _start(self, file: str, *troubles: str, files: int | None = None) -> Run:
        self._started = self.server.arrived
        run = self.place.start(file, files=files)
        run.troubles |= set(troubles)
        if self.server.faults:
            run.troubles.add("faults")
        return run

    def _in_peace(self, file: str, output: Path) -> bool:
        for _ in range(IN_PEACE):
            run = self._start(file)
            done = run.wait() == 0
            self._look()
            if done and not unlucky(output):
                return True
        self.findings.append(Finding("never finished", f"{file}: not in {IN_PEACE} runs in peace"))
        return False

    def _look(self) -> None:
        """What must hold after every run."""
        if left := self.place.settle():
            self.findings.append(Finding("leftovers", f"{len(left)} processes went on: {left[0]}"))
        for run in self.place.runs:
            if run.number not in self._seen:
                self._seen.add(run.number)
                self.findings += check_run(run)
        for output in (self.out, *(self.place.folder / name for name in self._others)):
            self.findings += check_folder(output)
        now = read_ledger(self.ledger, self.place.folder / "spare")
        self.findings += check_ledger(self._paid, now, self.server.arrived)
        self._paid = now

    def _make(self, trouble: Trouble) -> None:
        makers: Mapping[str, Callable[[Trouble], None]] = {
            "stop_short": self._stop,
            "stop_long": self._stop,
            "disk_full": self._fill_disk,
            "few_files": self._few_files,
            "server_away": self._server_away,
            "one_ledger": self._one_ledger,
            "same_folder": self._same_folder,
            "read_only": self._read_only,
            "edited": self._edit,
            "torn": self._tear,
            "gone": self._remove,
        }
        makers.get(trouble.kind, self._signal)(trouble)

    def _happened(self, trouble: Trouble, did: bool) -> None:
        self.counts[f"{'trouble' if did else 'too late'}: {trouble.kind}"] += 1

    def _reached(self, moment: Moment, run: Run) -> Callable[[], bool]:
        if moment.what == "time":
            wait = float(moment.value) * self.baseline.seconds
            return lambda: time.monotonic() - run.began >= wait
        if moment.what == "path":
            path = self.out / "unfinished" / str(moment.value)
            return lambda: run.made(path)
        open_requests = self.baseline.requests - len(self._paid.answers)
        wanted = self._started + max(1, round(open_requests * float(moment.value)))
        return lambda: self.server.arrived >= wanted

    def _signal(self, trouble: Trouble, file: str = "") -> None:
        kind = trouble.kind if trouble.kind in (*KILLS, *_SIGNALS) else "kill_main"
        run = self._start(file or self.file, kind)
        did = run.wait_for(self._reached(trouble.moment, run))
        target = {"kill_child": "child", "kill_all": "all"}.get(kind, "main")
        if did and target == "child":
            did = run.wait_for(lambda: len(self.place.processes()) > 1)
        if did:
            run.hit(kind, _SIGNALS.get(kind, signal.SIGKILL), target, trouble.luck)
            if kind in KILLS:
                self._kills.append(time.monotonic())
        run.wait()
        self._happened(trouble, did)

    def _stop(self, trouble: Trouble) -> None:
        run = self._start(self.file)
        did = run.wait_for(self._reached(trouble.moment, run))
        if did:
            began = time.monotonic()
            run.pause(trouble.kind, trouble.amount)
            if trouble.kind == "stop_long":
                self._stops.append((began, time.monotonic()))
        run.wait()
        self._happened(trouble, did)

    def _fill_disk(self, trouble: Trouble) -> None:
        run = self._start(self.file, trouble.kind)
        did = run.wait_for(self._reached(trouble.moment, run))
        began = time.monotonic()
        if did:
            disks.leave(self.out, int(trouble.amount))
        run.wait()
        self.place.settle()
        disks.grow(self.out)
        self._full.append((began, time.monotonic()))
        self._happened(trouble, did)

    def _few_files(self, trouble: Trouble) -> None:
        self._start(self.file, trouble.kind, files=int(trouble.amount)).wait()
        self._happened(trouble, True)

    def _server_away(self, trouble: Trouble) -> None:
        run = self._start(self.file, trouble.kind)
        did = run.wait_for(self._reached(trouble.moment, run))
        if did:
            self.server.go_away()
            time.sleep(trouble.amount)
            self.server.come_back()
        run.wait()
        self._happened(trouble, did)

    def _one_ledger(self, trouble: Trouble) -> None:
        seed = OTHER_SEED if trouble.luck % 2 else SEED
        name = f"second-{seed}"
        self._others[name] = seed
        first = self._start(self.file)
        second = self._start(self._write(name, name, seed))
        if trouble.luck % 3 == 0:
            second.troubles.add("kill_main")
            if second.wait_for(self._reached(trouble.moment, second)):
                second.hit("kill_main", signal.SIGKILL)
                self._kills.append(time.monotonic())
        first.wait()
        second.wait()
        self._happened(trouble, True)

    def _same_folder(self, trouble: Trouble) -> None:
        first = self._start(self.file)
        lock = self.out / "build.lock"
        held = f"process {first.process.pid}\n"
        did = first.wait_for(lambda: lock.exists() and lock.read_text(encoding="utf-8") == held)
        second = self._start(self.file, "refused")
        second.wait()
        if first.code is None and (second.code == 0 or "another build is running here" not in second.said()[1]):
            self.findings.append(
                Finding("exit codes", f"run {second.number} was not refused: {second.said()[1][-300:]}")
            )
        first.wait()
        self._happened(trouble, did)

    def _read_only(self, trouble: Trouble) -> None:
        did = disks.protect(self.out)
        self._start(self.file, trouble.kind).wait()
        self.place.settle()
        disks.grow(self.out)
        self._happened(trouble, did)

    def _edit(self, trouble: Trouble) -> None:
        self._edited = True
        file = self._write("build", "out", OTHER_SEED)
        if trouble.luck % 2:
            self._signal(trouble, file)
        else:
            self._start(file).wait()
            self._happened(trouble, True)
        self._write("build", "out", SEED)

    def _remove(self, trouble: Trouble) -> None:
        self._signal(trouble)
        self.place.settle()
        shutil.rmtree(self.out / "unfinished", ignore_errors=True)

    def _tear(self, trouble: Trouble) -> None:
        self._signal(trouble)
        self.place.settle()
        tear(self.out / "unfinished", random.Random(trouble.luck))


def tear(folder: Path, rng: random.Random) -> None:
    """Do to the files of an unfinished folder what broken disks do. Files of others are another matter: they stay."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in rng.sample(files, min(len(files), 4)):
        size = path.stat().st_size
        what = rng.choice(("cut", "garble", "gone"))
        if what == "cut":
            with path.open("r+b") as file:
                file.truncate(rng.randrange(size + 1))
        elif what == "garble":
            path.write_bytes(rng.randbytes(max(size, 10)))
        else:
            path.unlink()
