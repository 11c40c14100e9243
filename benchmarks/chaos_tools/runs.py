"""Runs of the real command, in a folder of the round: how they are started, watched, hit, and what they left."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from chaos_tools.shapes import KEY

LIMIT = 150.0
"""Seconds after which a run hangs, on a machine that has nothing else to do; what it was stopped for comes on top."""
_LOOK = 0.004
_START = 0.5  # seconds, on an idle machine
_CLOCK = 0.02  # seconds that the clock of file systems may be behind


def crowd() -> float:
    """How many times longer everything takes because others use the machine too; 1 where it is idle."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Place:
    """The folder of a round: build files and rows, ``out`` and other builds, ``home``, what each run said, its ``tmp``."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder, self.key = folder, key
        self.mark = str(folder)
        self.runs: list[Run] = []
        for name in ("home", "said", "tmp"):
            (folder / name).mkdir(parents=True)

    def environment(self, tmp: Path) -> dict[str, str]:
        """What a run sees; ``CHAOS_ROUND`` is how its processes are found again, wherever they hide."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(tmp),
            "CHAOS_ROUND": self.mark,
            "PYTHONFAULTHANDLER": "1",
            KEY: self.key,
        }

    def start(self, file: str, *, files: int | None = None) -> Run:
        """Start ``pairwright build FILE``; ``files`` limits the number of open files."""
        run = Run(self, file, len(self.runs), files)
        self.runs.append(run)
        return run

    def processes(self) -> list[int]:
        """The processes that live because of this round."""
        mark = f"CHAOS_ROUND={self.mark}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def hit(self, processes: list[int], number: signal.Signals) -> None:
        """Send a signal to them, those that are gone excepted."""
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def settle(self, seconds: float = 20.0) -> list[str]:
        """Wait until no process is left; what is left then is told, and killed."""
        until = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.02)
        told = []
        for process in left:
            with contextlib.suppress(OSError):
                told.append(
                    Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
                )
        self.hit(left, signal.SIGKILL)
        return told


class Run:
    """One process of the command line. ``sent`` are the signals that it got, with their times (monotonic seconds)."""

    def __init__(self, place: Place, file: str, number: int, files: int | None) -> None:
        self.place, self.number, self.files = place, number, files
        self.tmp = place.folder / "tmp" / str(number)
        self.tmp.mkdir()
        self.out, self.err = (place.folder / "said" / f"{number}.{name}" for name in ("stdout", "stderr"))
        self.sent: list[tuple[str, float]] = []
        self.hung = False
        self.troubles: set[str] = set()
        """What was done to it: kinds of trouble."""
        self._paused = 0.0
        command = [str(Path(sys.executable).parent / "pairwright"), "build", file]
        if files is not None:
            command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
        self.began, self.began_at = time.monotonic(), time.time()
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=place.folder,
                env=place.environment(self.tmp),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """How it ended; None while it lives."""
        return self.process.poll()

    def made(self, path: Path) -> bool:
        """Whether a file or folder appeared since this run began; killed runs leave theirs behind."""
        try:
            return path.stat().st_ctime > self.began_at - _CLOCK
        except OSError:
            return False

    @property
    def young(self) -> bool:
        """Whether its first signal came while Python was still starting, as far as time can tell."""
        return bool(self.sent) and self.sent[0][1] - self.began < _START * crowd()

    def wait_for(self, ready: Callable[[], bool]) -> bool:
        """Wait until ``ready``; false if the run ended before, or hung."""
        while self.code is None:
            if ready():
                return True
            if time.monotonic() - self.began - self._paused > LIMIT * crowd():
                self._end_hung()
                return False
            time.sleep(_LOOK)
        return False

    def wait(self) -> int:
        """Wait until it has ended, or kill it when it hangs; its exit code."""
        self.wait_for(lambda: False)
        return self.process.wait()

    def _end_hung(self) -> None:
        self.hung = True
        # SIGABRT makes faulthandler write the stack of every thread to the run's standard error.
        self.place.hit(self.place.processes(), signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.place.hit(self.place.processes(), signal.SIGKILL)

    def hit(self, kind: str, number: signal.Signals, target: str = "main", luck: int = 0) -> None:
        """Send a signal to the build (``main``), to one of its processes (``child``) or to ``all`` of them."""
        main = self.process.pid
        others = sorted(process for process in self.place.processes() if process != main)
        chosen = [main]
        if target == "child" and others:
            chosen = [others[luck % len(others)]]
        elif target == "all":
            chosen = [main, *others]
        self.sent.append((kind, time.monotonic()))
        self.place.hit(chosen, number)

    def pause(self, kind: str, seconds: float) -> None:
        """Stop the build and all its processes for some time."""
        processes = self.place.processes()
        self.sent.append((kind, time.monotonic()))
        self.place.hit(processes, signal.SIGSTOP)
        time.sleep(seconds)
        self._paused += seconds
        self.place.hit(processes, signal.SIGCONT)
        self.sent.append((f"{kind} over", time.monotonic()))

    def said(self) -> tuple[str, str]:
        """Its standard output and standard error."""
        return self.out.read_text(encoding="utf-8", errors="replace"), self.err.read_text(
            encoding="utf-8", errors="replace"
        )
