"""Runs hostile source files: through the command line in a process of its own, or through the reader alone."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import yaml
from hostile.source_case import FIELDS, ClearError, Kept, Outcome, Row
from hostile.source_case import Case as SourceCase

GIB = 1024**3
MEMORY = 4 * GIB
"""What a case may take beyond what an idle build takes."""
IDLE = 7 * GIB // 4
"""Address space of a build of three rows: measured, 1.7 GiB, nearly all of it mapped libraries."""
LONGEST_MESSAGE = 1500
IDLE_SECONDS = 15
"""A process that has used no CPU time for so long waits for something that does not come."""
BUSY = 10
"""A busy machine may take this many times as long as the CPU time that a case is given."""
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Result:
    """What happened, in a few words, and everything that should not have; ``wrong`` is empty where all is well."""

    said: str
    wrong: tuple[str, ...]
    seconds: float
    cpu: float
    peak_mib: int


def run_case(case: SourceCase, folder: Path) -> Result:
    """Build from the case's source with the real command line; ``folder`` is empty, and what is in it is the caller's."""
    data = folder / "data"
    data.mkdir()
    path = case.make(data)
    file = folder / "build.yaml"
    file.write_text(yaml.safe_dump(_build(path, folder / "build"), allow_unicode=True), encoding="utf-8")
    ended = _run([sys.executable, "-m", "pairwright", "build", "--quiet", str(file)], case, folder, data)
    stderr = (folder / "stderr").read_bytes()[: 1024**2]
    stdout = (folder / "stdout").read_bytes()[: 1024**2]
    wrong = [*_always(stderr, "stderr"), *_always(stdout, "stdout")]
    if ended.cpu > case.seconds:
        wrong.append(f"took {ended.cpu:.0f} s of CPU time, {case.seconds} allowed")
    if ended.killed:
        happened, said = None, f"hung: killed after {ended.seconds:.0f} s"
    elif ended.status == 0:
        books = _Books(folder / "build")
        happened, said = books.outcome(), str(books.outcome())
        wrong.extend(books.wrong(case))
    elif ended.status in (1, 2) and stderr.startswith(b"error: "):
        happened, said = ClearError(), "error"
        wrong.extend(_unclear(stderr.decode("utf-8", "replace"), case, path))
        if (folder / "build" / "manifest.json").exists():
            wrong.append("an error, and a manifest")
    else:
        last = stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
        happened, said = None, f"exit {ended.status}: {_shown(last[0])[:80]}"
    if not _expected(happened, case):
        wrong.append(f"expected {_either(case)}")
    return Result(said, tuple(wrong), ended.seconds, ended.cpu, ended.peak_mib)


def _build(path: str, output: Path) -> dict[str, Any]:
    return {
        "name": "hostile",
        "output": str(output),
        "sources": [{"use": "files", "source": "rows", "path": path, "licence": "MIT"}],
        "dedup": {"near": False},
        "perturbers": [{"use": "unchanged_copy"}],
        "exports": [{"use": "llamafactory"}],
        "pairing": {
            "max_defect_share": 1.0,
            "max_template_share": 1.0,
            "no_rewrite_share": [0, 1],
            "max_surface_auc": 1.0,
        },
        "limits": {"max_failure_rate": 1.0},
    }


@dataclass(frozen=True)
class _Ended:
    status: int
    killed: bool
    seconds: float
    cpu: float
    peak_mib: int


def _run(command: list[str], case: SourceCase, folder: Path, data: Path) -> _Ended:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (IDLE + MEMORY, IDLE + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (case.seconds + 2, case.seconds + 4))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    # Without bytecode every build would compile its libraries anew, which takes longer than all else.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    started = time.monotonic()
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env={**env, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "200"},
            start_new_session=True,
            preexec_fn=limit,
        )
    watching = _watch(case, process.pid, data)
    patience, killed = _Patience(process.pid, case.seconds), False
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        if not killed and patience.ended():
            os.killpg(process.pid, signal.SIGKILL)
            killed = True
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    if watching is not None:
        watching.join()
    used = ended[2]
    return _Ended(
        process.returncode,
        killed,
        time.monotonic() - started,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss // (1024 if sys.platform == "linux" else 1024**2),
    )


class _Patience:
    """Ends where a process works too long, or no longer works at all, however busy the machine is."""

    def __init__(self, process: int, seconds: int) -> None:
        self._stat = Path(f"/proc/{process}/stat")
        self._last = time.monotonic() + seconds * BUSY
        self._used, self._worked = self._ticks(), time.monotonic()
        self._most = self._used + (seconds + 5) * os.sysconf("SC_CLK_TCK")

    def ended(self) -> bool:
        now = time.monotonic()
        if (used := self._ticks()) != self._used:
            self._used, self._worked = used, now
        if used < 0:  # there is no /proc
            return now > self._last
        return now > self._last or now - self._worked > IDLE_SECONDS or used > self._most

    def _ticks(self) -> int:
        try:
            fields = self._stat.read_text().rpartition(")")[2].split()
        except OSError:
            return -1
        return int(fields[11]) + int(fields[12])


def _watch(case: SourceCase, process: int, data: Path) -> threading.Thread | None:
    if case.during is None:
        return None
    thread = threading.Thread(target=case.during, args=(process, data))
    thread.start()
    return thread


def _always(said: bytes, where: str) -> Iterator[str]:
    text = said.decode("utf-8", "surrogateescape")
    if "Traceback (most recent call last)" in text:
        yield f"traceback on {where}"
    if steering := _STEERING.search(text):
        yield f"{steering[0]!a} on {where}"


def _unclear(text: str, case: SourceCase, path: str) -> Iterator[str]:
    if len(text) > LONGEST_MESSAGE:
        yield f"an error of {len(text)} characters"
    named = case.named if case.named is not None else Path(path).name
    if named not in text.replace("\n", ""):
        yield f"the error does not name {_shown(named)}"


def _expected(happened: Outcome | None, case: SourceCase) -> bool:
    def fits(wanted: Outcome) -> bool:
        if isinstance(wanted, Kept) and isinstance(happened, Kept):
            same_lines = not wanted.lines or happened.lines == wanted.lines
            return (happened.kept, happened.failed) == (wanted.kept, wanted.failed) and same_lines
        return isinstance(wanted, ClearError) and isinstance(happened, ClearError)

    return any(map(fits, case.expected))


def _either(case: SourceCase) -> str:
    return " or ".join(
        f"{wanted} (line {', '.join(map(str, wanted.lines))})"
        if isinstance(wanted, Kept) and wanted.lines
        else str(wanted)
        for wanted in case.expected
    )


def _shown(text: str) -> str:
    return _STEERING.sub("\ufffd", text)


class _Books:
    """The manifest of a finished build, and the files that it speaks of."""

    def __init__(self, build: Path) -> None:
        self._build = build
        self._manifest: dict[str, Any] = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
        self._stages = {stage["stage"]: stage for stage in self._manifest["stages"]}
        self._failed = [row for row in self._rows("failed") if row["stage"] == "read"]

    def _rows(self, name: str) -> list[dict[str, Any]]:
        with (self._build / "rows" / f"{name}.jsonl").open(encoding="utf-8", newline="\n") as file:
            return [json.loads(line) for line in file]

    def outcome(self) -> Kept:
        read = self._stages["read"]
        return Kept(read["kept"], sum(read["failed"].values()), tuple(row["line"] for row in self._failed))

    def wrong(self, case: SourceCase) -> Iterator[str]:
        for stage in self._manifest["stages"]:
            out = stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values())
            if stage["rows_in"] != out:
                yield f"stage {stage['stage']}: {stage['rows_in']} in, {out} out"
        if Counter(row["error"] for row in self._failed) != self._stages["read"]["failed"]:
            yield "failed.jsonl and the manifest differ"
        yield from _wrong_failures(self._failed)
        for name, digest in self._manifest["files"].items():
            if hashlib.sha256((self._build / name).read_bytes()).hexdigest() != digest:
                yield f"{name} is not what the manifest says"
        yield from _missing(case.good, self._rows("tasks"))


def _wrong_failures(failed: list[dict[str, Any]]) -> Iterator[str]:
    for row in failed:
        if not row["file"] or not row["line"]:
            yield "a failed row without file or line"
        if not row["message"] or len(row["message"]) > LONGEST_MESSAGE:
            yield f"a failed row with a message of {len(row['message'])} characters"


def _missing(good: Any, tasks: list[dict[str, Any]]) -> Iterator[str]:
    """Good rows that are not among ``tasks`` as they were written."""
    found = {(tuple(turn["content"] for turn in task["history"]), task["query"], task["reference"]) for task in tasks}
    lost = [row for row in good if _words(row) not in found]
    if lost:
        yield f"{len(lost)} of {len(good)} good rows are not among the tasks"


def _words(row: Row) -> tuple[tuple[str, ...], str, str]:
    history, query, rewrite = (row[name] for name in FIELDS)
    return tuple(history), query, rewrite


class _Reader:
    """A process that reads one source after another, under a limit on memory; a new one where it hung or died."""

    def __init__(self) -> None:
        # Neither a fork, which would bring threads along, nor anew for each case, which would take most of the time.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()

    def read(self, path: str, case: SourceCase, folder: Path) -> Mapping[str, Any]:
        """What came of it: ``kept``, ``failed`` and ``tasks``, or ``error``, or ``bug``."""
        process = self.process.pid or 0
        self.connection.send(path)
        watching = _watch(case, process, folder)
        patience, told = _Patience(process, case.seconds), None
        while told is None:
            if self.connection.poll(0.2):
                try:
                    told = self.connection.recv()
                except (EOFError, ConnectionError):
                    told = {"bug": "the process died"}
            elif patience.ended():
                self.process.kill()
                self.process.join()
                told = {"bug": "hung"}
        if watching is not None:
            watching.join()
        return told


_READERS: list[_Reader] = []


def read_case(case: SourceCase, folder: Path) -> Result:
    """Read the case's source in another process; a source of which every row fails counts as a clear error there."""
    path = case.make(folder)
    if not _READERS or not _READERS[-1].process.is_alive():
        _READERS[:] = [_Reader()]
    started = time.monotonic()
    told = _READERS[-1].read(path, case, folder)
    happened: Outcome | None = None
    wrong: list[str] = []
    if "bug" in told:
        said = told["bug"]
    elif "error" in told:
        happened, said = ClearError(), "error"
        # The command line makes what it shows printable; that it does is the benchmark's to see.
        wrong.extend(_unclear(_shown(told["error"]), case, path))
    else:
        happened = Kept(told["kept"], len(told["failed"]), tuple(row["line"] for row in told["failed"]))
        said = str(happened)
        wrong.extend(_wrong_failures(told["failed"]))
        if happened.kept:
            wrong.extend(_missing(case.good, told["tasks"]))
        else:
            happened = ClearError()
    if not _expected(happened, case):
        wrong.append(f"expected {_either(case)}")
    return Result(said, tuple(wrong), time.monotonic() - started, 0.0, 0)


def _serve(connection: Connection) -> None:
    import_module("pairwright.pipelines.ingest.sources")  # not in the time of the first case
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + IDLE + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    connection.send("ready")
    while True:
        try:
            path = connection.recv()
        except EOFError:
            return
        connection.send(_read(path))


def _read(path: str) -> Mapping[str, Any]:
    """What a build's first stage does: read, and write down what comes."""
    from pairwright.core.bookkeeping import Failed
    from pairwright.core.errors import PairwrightError
    from pairwright.pipelines.ingest.sources import FileSource

    kept, failed, tasks = 0, [], []
    try:
        for row in FileSource(source="rows", path=path).read():
            written = json.loads(row.model_dump_json().encode())
            if isinstance(row, Failed):
                failed.append(written)
            else:
                kept += 1
                *history, query = written["turns"]
                tasks.append({"history": history, "query": query["content"], "reference": written["reference"]})
    except PairwrightError as exc:
        return {"error": f"error: {exc}"}
    except BaseException as exc:  # noqa: BLE001
        return {"bug": f"{type(exc).__name__}: {ascii(str(exc))[:200]}"}
    return {"kept": kept, "failed": failed, "tasks": tasks}
