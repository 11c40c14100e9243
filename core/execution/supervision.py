"""Processes that end with their build, and a build that notices when one of its processes has died.

distilabel runs in a process group of its own. Build and group talk through files in one folder, which survive any
death: ``stop`` (ask nothing more), ``fatal-PID.json`` (an error that ends the build), ``asking-PID`` (requests are on
their way), ``waits-PID.json`` (what became of them) and ``alive-PID`` (locked by every process of the group as long as it
lives). Signals that ask a process to end are for the build alone: the group ignores them, and ends with it. On a full disk
they can still talk: :meth:`Control.prepare` keeps room for the two that matter then.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from pairwright.core.awake import awake_steps
from pairwright.core.errors import BudgetReached, BuildError, ModelError, PairwrightError, StorageError
from pairwright.core.execution.processes import end_with_parent
from pairwright.core.files.file_errors import file_trouble, full_disk
from pairwright.core.files.storage import write_json
from pairwright.core.interruption import GRACE, INTERRUPTION, Wait

POLL_SECONDS = 0.1
# A little longer than GRACE, which the process itself gives its requests.
DRAIN_SECONDS = GRACE + 1.0
_STOP_ROOM, _FATAL_ROOM = "room-to-stop", "room-for-an-error"
_ROOM = 16 * 1024  # bytes
# Subclasses before their bases: report() takes the first that fits.
_ERRORS = {kind.__name__: kind for kind in (BudgetReached, ModelError, StorageError, BuildError)}


class Control:
    """The folder through which a build and its generation processes talk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._alive: list[IO[str]] = []

    def prepare(self) -> None:
        """Make the folder, with room for what must be said even when the disk is full.

        Raises:
            OSError: it cannot be made.
        """
        self.folder.mkdir()
        (self.folder / _STOP_ROOM).touch()
        (self.folder / _FATAL_ROOM).write_bytes(b" " * _ROOM)

    def stop(self) -> None:
        """Ask nothing more from now on."""
        try:
            (self.folder / "stop").touch()
        except OSError:
            os.rename(self.folder / _STOP_ROOM, self.folder / "stop")  # takes no space

    def stopped(self) -> bool:
        """Whether anyone has called :meth:`stop`."""
        return (self.folder / "stop").exists()

    def finish(self) -> None:
        """All rows are through: from now on processes may end."""
        (self.folder / "finished").touch()

    def report(self, error: PairwrightError) -> None:
        """Write down an error that ends the build."""
        kind = next(name for name, known in _ERRORS.items() if isinstance(error, known))
        content = {"kind": kind, "message": error.message, "hint": error.hint}
        try:
            write_json(self.folder / f"fatal-{os.getpid()}.json", content)
        except StorageError:
            self._report_in_place(content)

    def _report_in_place(self, content: dict[str, str]) -> None:
        """Write over what :meth:`prepare` wrote, in one piece: that takes no space. The first report stays."""
        short = {**content, "message": content["message"][: _ROOM // 8]}  # a character is four bytes at most
        short["hint"] = content["hint"][: _ROOM // 8]
        line = json.dumps(short, ensure_ascii=False).encode()
        with contextlib.suppress(OSError), (self.folder / _FATAL_ROOM).open("r+b", buffering=0) as file:
            if not file.read().strip() and len(line) <= _ROOM:
                os.pwrite(file.fileno(), line, 0)

    def fatal(self) -> PairwrightError | None:
        """An error that was reported: the same class, message and hint."""
        for path in sorted(self.folder.glob("fatal-*.json")):
            found = json.loads(path.read_text(encoding="utf-8"))
            return _ERRORS[found["kind"]](found["message"], found["hint"])
        with contextlib.suppress(FileNotFoundError):
            if said := (self.folder / _FATAL_ROOM).read_bytes().strip():
                found = json.loads(said)
                return _ERRORS[found["kind"]](found["message"], found["hint"])
        return None

    def note(self, waits: Iterable[Wait]) -> None:
        """Write down what became of the requests of this process that were on their way when it was told to stop."""
        write_json(self.folder / f"waits-{os.getpid()}.json", list(waits))

    def waits(self) -> Iterator[Wait]:
        """What the processes noted."""
        for path in sorted(self.folder.glob("waits-*.json")):
            yield from (Wait(*wait) for wait in json.loads(path.read_text(encoding="utf-8")))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Requests are on their way inside this block."""
        path = self.folder / f"asking-{os.getpid()}"
        path.touch()
        try:
            yield
        finally:
            path.unlink()

    def drain(self) -> None:
        """Stop, and give the requests on their way :data:`DRAIN_SECONDS` to be answered and recorded."""
        with contextlib.suppress(OSError):
            self.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.busy() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def busy(self) -> bool:
        """Whether requests are on their way in any living process."""
        gone = self._gone()
        return any(int(path.name.removeprefix("asking-")) not in gone for path in self.folder.glob("asking-*"))

    def join(self) -> None:
        """Be known as alive until this process ends, however it ends: the kernel gives the lock back."""
        # Locked under another name first: nobody may see the file before it is locked, and take the process for dead.
        path = self.folder / f"joining-{os.getpid()}"
        file = path.open("w", encoding="utf-8")
        fcntl.lockf(file, fcntl.LOCK_EX)
        os.rename(path, self.folder / f"alive-{os.getpid()}")
        self._alive.append(file)  # kept open: closing it gives the lock back

    def dead(self) -> int | None:
        """The id of a process that joined and ended before :meth:`finish`."""
        gone = self._gone()
        # Asked in this order: processes end all at once right after finish().
        return min(gone) if gone and not (self.folder / "finished").exists() else None

    def _gone(self) -> set[int]:
        return {int(path.name.removeprefix("alive-")) for path in self.folder.glob("alive-*") if _unlocked(path)}


def _unlocked(path: Path) -> bool:
    with path.open("r+", encoding="utf-8") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def supervise(command: Sequence[str], control: Control, log: Path, environment: Mapping[str, str]) -> None:
    """Run ``command`` in a process group of its own until it ends well; nothing of the group is left afterwards.

    On an error or a signal the requests on their way get :data:`DRAIN_SECONDS` to be answered and recorded.

    Raises:
        PairwrightError: what a process of the group reported, or BuildError when one of them died.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    try:
        while process.poll() is None:
            if (error := control.fatal()) is not None:
                raise error
            # Of the process itself the exit code says more, below.
            if (dead := control.dead()) is not None and dead != process.pid:
                raise crash(f"process {dead} of the generation stage was killed", log)
            time.sleep(POLL_SECONDS)
    finally:
        _end(process, control)
    if (error := control.fatal()) is not None:
        raise error
    if process.returncode:
        raise crash(f"the generation stage ended with exit code {process.returncode}", log)


def _end(process: subprocess.Popen[bytes], control: Control) -> None:
    try:
        control.stop()
        for _ in awake_steps(DRAIN_SECONDS, POLL_SECONDS):
            if process.poll() is not None or not control.busy():
                break
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        INTERRUPTION.note(control.waits())


def crash(what: str, log: Path) -> PairwrightError:
    """The error for a process that ended without a report: what its log ends with, or that the disk is full."""
    said = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = file_trouble(RuntimeError("\n".join(said[-200:])), log.parent) or full_disk(log.parent)
    if told is not None:
        return told
    return BuildError(
        f"{what}. {said[-1] if said else ''}".strip(),
        f"The whole log is {log}. Run the same command again: nothing paid for is lost. "
        "If the machine ran out of memory, lower max_concurrency or close other programs.",
    )


def leave_signals_to_build(control: Control) -> None:
    """Let signals that reach a whole process group or job (Slurm, ``timeout``) end the build only: this process ends with it.

    Processes that are forked from now on do the same.
    """

    def end_once_finished(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        # How multiprocessing ends its workers.
        if (control.folder / "finished").exists():
            os._exit(0)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end_once_finished)


def bind_forks(control: Control) -> None:
    """Every process forked from this one from now on joins ``control`` and ends with its parent."""
    # The last one is this process: in a fork of a fork it is the fork, not the build.
    parents = [os.getpid()]

    def after_fork() -> None:
        end_with_parent(parents[-1])
        parents.append(os.getpid())
        control.join()

    os.register_at_fork(after_in_child=after_fork)
