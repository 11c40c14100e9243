"""Signals at ten points of a build: is anything paid twice, lost or left behind?

    python benchmarks/reliability/signals.py [--seed 0] [--signals TERM,HUP,INT] [--points reading,judging] [--group]

Each case is a build against a server that answers within five seconds, with several requests on their way. It gets the
signal at a point that is seen by its progress (files, requests), then the same command runs again. ``--group`` sends the
signal to every process of the build, as a job scheduler does. Builds after generation begin with its answers
in the ledger. It ends with code 1 if a case is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from pairwright.testing.behaviours import always_five
from pairwright.testing.fault_server import Body, FaultServer, default_answer

DATA = Path(__file__).parents[2] / "examples" / "data"
CODES = {"INT": 130, "TERM": 143, "HUP": 129}
IN_FLIGHT = 8
SLOWEST = 5.0  # seconds
COLUMNS = (
    "signal",
    "point",
    "on their way",
    "paid twice",
    "exit code",
    "seconds",
    "same",
    "processes",
    "files",
    "said",
)


class Server(FaultServer):
    """Answers within :data:`SLOWEST` seconds while ``slow``, else at once."""

    def __init__(self, seed: int) -> None:
        self.slow = True
        self._draw = random.Random(seed)
        super().__init__(answer=said)

    @property
    def latency(self) -> float:  # type: ignore[override]
        """Of the next answer, in seconds."""
        return self._draw.uniform(0.3, 0.9 * SLOWEST) if self.slow else 0.0

    @latency.setter
    def latency(self, seconds: float) -> None:
        pass

    def asked(self, model: str) -> int:
        """Requests that arrived for one model."""
        return sum(body["model"] == model for body in tuple(self.bodies))

    def paid_twice(self) -> int:
        """Requests that arrived again."""
        return sum(count - 1 for count in Counter(json.dumps(body, sort_keys=True) for body in self.bodies).values())


def said(body: Body) -> Any:
    """What all models say: a rewrite, or full marks."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    return always_five(body) if "score" in schema.get("properties", {}) else default_answer(body)


def build_file(folder: Path, url: str) -> Path:
    """A build of Chinese and English rows with a teacher and a judge."""
    rows = []
    for name, count in (("zh_gold.jsonl", 8), ("cast19.en.jsonl", 6), ("gecor.en.jsonl", 6)):
        with (DATA / name).open(encoding="utf-8") as file:
            rows += [next(file) for _ in range(count)]
    data = folder.parent / "rows.jsonl"
    data.write_text("".join(rows), encoding="utf-8")
    endpoint = {"base_url": url, "max_concurrency": IN_FLIGHT, "timeout": 60}
    content = {
        "name": "signals",
        "output": str(folder / "build"),
        "seed": 3,
        "sources": [{"use": "files", "source": "rows", "path": str(data), "licence": "MIT"}],
        "endpoints": {"teacher": {**endpoint, "model": "teacher"}, "judge": {**endpoint, "model": "judge"}},
        "generation": [{"role": "teacher", "endpoint": "teacher", "temperatures": [0.7]}],
        "judges": [{"use": "rubric", "endpoint": "judge", "dimensions": ["correctness"]}],
        "perturbers": [{"use": "entity_deletion"}, {"use": "made_ambiguous"}, {"use": "leaked_example"}],
        "exports": [{"use": "llamafactory"}],
        "pairing": {
            "max_defect_share": 1.0,
            "max_template_share": 1.0,
            "no_rewrite_share": [0, 1],
            "max_surface_auc": 1.0,
        },
        "limits": {"max_failure_rate": 1.0},
    }
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


class Build:
    """One build in a folder of its own, with a temporary folder and a home of its own."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.work = folder / "build" / "unfinished"
        for name in ("tmp", "home"):
            (folder / name).mkdir(parents=True)
        self._command = [sys.executable, "-m", "pairwright", "build", str(build_file(folder, server.base_url))]
        self._environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home")}
        self._environment.pop("HF_HOME", None)

    def start(self) -> subprocess.Popen[str]:
        """The command, with SIGINT as a shell would leave it."""
        return subprocess.Popen(
            self._command,
            env=self._environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
        )

    def finish(self) -> Mapping[str, str]:
        """Run to the end; the hashes of all files."""
        self.server.slow = False
        process = self.start()
        _, errors = process.communicate()
        if process.returncode:
            raise SystemExit(f"the undisturbed run failed: {errors}")
        found: Mapping[str, str] = json.loads((self.folder / "build" / "manifest.json").read_bytes())["files"]
        return found

    def processes(self) -> list[int]:
        """All living processes of the build."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"TMPDIR={self.folder}/tmp" in (entry / "environ").read_text("utf-8"):
                    found.append(int(entry.name))
            except (OSError, UnicodeDecodeError):
                continue
        return found

    def left(self) -> list[Path]:
        """Files and folders in the temporary folder and, files only, in the home."""
        home = [path for path in (self.folder / "home").rglob("*") if path.is_file()]
        return [*(self.folder / "tmp").iterdir(), *home]

    def handles_signals(self, process: int) -> bool:
        """Whether the command has begun: until then signals do what they do to every program."""
        try:
            status = Path(f"/proc/{process}/status").read_text("utf-8")
        except OSError:
            return False
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught >> (signal.SIGHUP - 1) & 1)


def points(build: Build, needed: Mapping[str, int]) -> dict[str, Callable[[int], bool]]:
    """The ten points, each as what is to be seen of the process when it is reached."""
    server, work = build.server, build.work
    control = work / "generation" / "control"

    def asked(model: str, share: float) -> bool:
        return server.asked(model) >= share * needed[model] and server.in_flight >= 2

    return {
        "start-up": build.handles_signals,
        "reading": lambda _: work.exists(),
        "generation start": lambda _: any(control.glob("alive-*")),
        "generation 1/4": lambda _: asked("teacher", 0.25),
        "generation 1/2": lambda _: asked("teacher", 0.5),
        "generation 3/4": lambda _: asked("teacher", 0.75),
        "judging": lambda _: asked("judge", 0.5),
        "between stages": lambda _: (work / "judged.jsonl").exists() or server.asked("judge") >= needed["judge"],
        "exporting": lambda _: (work / "exports").exists(),
        "finishing": lambda _: (work / "manifest.json").exists() or (work.parent / "manifest.json").exists(),
    }


AFTER_GENERATION = ("judging", "between stages", "exporting", "finishing")


def case(
    folder: Path, name: str, point: str, seed: int, calm: Mapping[str, str], ledger: Path, needed: Mapping[str, int],
    group: bool,
) -> tuple[tuple[str, ...], bool]:  # fmt: skip
    """One signal at one point and the run after it: a line of the table, and whether all is well."""
    with Server(seed) as server:
        build = Build(folder, server)
        if point in AFTER_GENERATION:
            (folder / "build").mkdir()
            shutil.copy(ledger, folder / "build" / "ledger.sqlite")
        server.slow = point not in ("exporting", "finishing")
        reached = points(build, needed)[point]
        process = build.start()
        while not reached(process.pid) and process.poll() is None:
            time.sleep(0.0005)
        flying, sent = server.in_flight, time.monotonic()
        for victim in build.processes() if group else [process.pid]:
            with suppress(ProcessLookupError):  # it has ended: what it says is in the table
                os.kill(victim, getattr(signal, f"SIG{name}"))
        _, errors = process.communicate()
        seconds = time.monotonic() - sent
        left, files = build.processes(), build.left()
        same = build.finish() == calm
        code, twice = process.returncode, server.paid_twice()
        late = point == "finishing" and code == 0  # done before it heard of it
        good = (
            (code == CODES[name] or late)
            and not (twice or left or files or build.left())
            and same
            and seconds <= 12
            and "Traceback" not in errors
        )
        paragraph = "" if code == 0 else (errors.strip().splitlines() or [""])[-2:][0].removeprefix("error: ")
        row = (name, point, str(flying), str(twice), str(code), f"{seconds:.1f}", "yes" if same else "NO")
        row += (str(len(left)), str(len(files)), paragraph[:150] if "Traceback" not in errors else errors[-600:])
    shutil.rmtree(folder)
    return row, good


def undisturbed(folder: Path) -> tuple[Mapping[str, str], Path, Mapping[str, int]]:
    """Files, a ledger with the answers of generation alone, and how many requests each model gets."""
    with Server(0) as server:
        build = Build(folder / "calm", server)
        files = build.finish()
        needed = {model: server.asked(model) for model in ("teacher", "judge")}
        if build.left() or build.processes():
            print(f"left by an undisturbed build: {build.left()}, {build.processes()}")
    ledger = folder / "generated.sqlite"
    import sqlite3

    with sqlite3.connect(folder / "calm" / "build" / "ledger.sqlite") as source:
        source.execute("VACUUM INTO ?", (str(ledger),))
    with sqlite3.connect(ledger) as kept:
        kept.execute("DELETE FROM answers WHERE endpoint = 'judge'")
    return files, ledger, needed


def main() -> None:
    """Print a line per case as it ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signals", default="TERM,HUP,INT")
    parser.add_argument("--points", default="")
    parser.add_argument("--group", action="store_true")
    arguments = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="signals-") as place:
        folder = Path(place)
        calm, ledger, needed = undisturbed(folder)
        print(f"undisturbed: {needed['teacher']} + {needed['judge']} requests, {len(calm)} files", flush=True)
        print(" | ".join(COLUMNS), flush=True)
        with Server(0) as unasked:
            names = list(points(Build(folder / "names", unasked), needed))
        wanted = [point for point in names if not arguments.points or point in arguments.points.split(",")]
        seeds = random.Random(arguments.seed)
        for name in arguments.signals.split(","):
            for point in wanted:
                row, good = case(
                    folder / f"{name}-{names.index(point)}", name, point, seeds.getrandbits(31), calm, ledger, needed,
                    arguments.group,
                )  # fmt: skip
                bad += not good
                print(" | ".join(row) + ("" if good else "  <-- BAD"), flush=True)
    print(f"{bad} cases are not as they should be" if bad else "all as it should be")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
