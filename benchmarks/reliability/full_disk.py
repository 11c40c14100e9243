"""Builds on a disk that fills up at every size: does each end in one paragraph, and is nothing paid twice?

    python benchmarks/reliability/full_disk.py [--where all output ledger tmp home limit] [--sizes 8 64 512 …] [--rows 24]

A small build with a teacher and a judge (a scripted server on loopback) runs on a tmpfs of so many kB; then the disk gets
room and the same command runs again. ``all`` has output and ledger on the small disk, ``output`` and ``ledger`` one of
them, ``tmp`` TMPDIR, ``home`` HOME with the caches in it; ``limit`` is no small disk but RLIMIT_FSIZE. The table says
for every size how the first run ended, whether a traceback was printed, how many requests arrived and were answered, how
many answers were paid for twice in both runs together, what was left half-written, and whether the second run gave the
files of an undisturbed build. Needs the right to mount; ``unshare -rm python benchmarks/reliability/full_disk.py`` is enough.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from pairwright.testing.fault_server import Body, FaultServer

DATA = Path(__file__).parents[2] / "examples" / "data"
PLACES = ("all", "output", "ledger", "tmp", "home", "limit")
SIZES = (4, 8, 16, 24, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536)
SIZES += (2048, 3072, 4096, 6144)
ROOM = "64m"


class Run(NamedTuple):
    """How one run of the command line ended."""

    code: int
    said: str

    @property
    def first_line(self) -> str:
        """The error itself; lines about progress are left out by ``--quiet``."""
        return next(iter(self.said.splitlines()), "")


def answer(body: Body) -> str:
    """A rewrite that depends on the request, or a good grade."""
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
    name = hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest()[:8]
    said = {
        "rewrite": f"方案 {name} 的价格是多少？",
        "analysis": "它指的是方案。" * 20,
        "needs_rewrite": True,
        "score": 5,
        "better": "first",
    }
    return json.dumps({key: said.get(key, "so it seems") for key in schema.get("properties", said)}, ensure_ascii=False)


def build_file(folder: Path, rows: Path, base_url: str, output: Path, ledger: Path | None) -> Path:
    """A build that generates in a process of its own, judges in this one, and exports in every form."""
    content = {
        "name": "full",
        "output": str(output),
        "sources": [{"use": "files", "source": "rows", "path": str(rows), "licence": "MIT"}],
        "endpoints": {"teacher": {"base_url": base_url, "model": "stub", "max_concurrency": 8, "max_retries": 2}},
        "generation": [{"role": "teacher", "endpoint": "teacher", "temperatures": [0.7]}],
        "judges": [{"use": "unchanged"}, {"use": "rubric", "endpoint": "teacher"}],
        "perturbers": [{"use": "entity_deletion"}, {"use": "made_ambiguous"}],
        "exports": [{"use": use} for use in ("llamafactory", "trl", "jsonl", "parquet", "card")],
        "pairing": {"max_defect_share": 1.0, "max_template_share": 1.0, "no_rewrite_share": [0, 1], "max_surface_auc": 1.0},
        "limits": {"max_failure_rate": 1.0},
    }  # fmt: skip
    if ledger is not None:
        content["ledger"] = str(ledger)
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def example_rows(path: Path, count: int) -> Path:
    """So many rows, half of them Chinese."""
    names = {"zh_gold.jsonl": (count + 1) // 2, "cast19.en.jsonl": count // 2}
    with path.open("w", encoding="utf-8") as file:
        for name, some in names.items():
            with (DATA / name).open(encoding="utf-8") as lines:
                file.writelines(next(lines) for _ in range(some))
    return path


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A tmpfs of that size at ``folder``."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run(file: Path, env: dict[str, str], file_size: int | None = None) -> Run:
    """``pairwright build`` in a process of its own, with files of at most ``file_size`` bytes."""
    limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (file_size, file_size)) if file_size else None
    done = subprocess.run(
        [sys.executable, "-m", "pairwright", "build", str(file), "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **env},
        preexec_fn=limit,
    )
    return Run(done.returncode, done.stderr)


def files_of(output: Path) -> dict[str, str]:
    """The SHA-256 of every file of a finished build, as its manifest has them."""
    found: dict[str, str] = json.loads((output / "manifest.json").read_text(encoding="utf-8"))["files"]
    return found


def half_written(*folders: Path) -> list[str]:
    """What should not be there after a build that failed: unfinished files, JSON that is cut off."""
    found = []
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if path.suffix == ".partial":
            found.append(path.name)
        elif path.suffix == ".json" and "generation" not in path.parts:
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                found.append(path.name)
    return found


def one_size(folder: Path, rows: Path, where: str, kilobytes: int, expected: dict[str, str]) -> list[object]:
    """One line of the table."""
    roomy, disk = folder / "roomy", folder / "disk"
    size = ROOM if where == "limit" else f"{kilobytes}k"
    with contextlib.ExitStack() as stack:
        stack.enter_context(small_disk(roomy, ROOM))
        stack.enter_context(small_disk(disk, size))
        server = stack.enter_context(FaultServer(latency=0.05, answer=answer))
        output = (disk if where in ("all", "output", "limit") else roomy) / "build"
        ledger = {"output": roomy / "paid.sqlite", "ledger": disk / "paid.sqlite"}.get(where)
        env = {"TMPDIR": str(disk)} if where == "tmp" else {}
        if where == "home":
            env = {"HOME": str(disk), "XDG_CACHE_HOME": str(disk / ".cache"), "HF_HOME": str(disk / "hf")}
        file = build_file(folder, rows, server.base_url, output, ledger)
        first = run(file, env, kilobytes * 1024 if where == "limit" else None)
        requests, answered = server.requests, sum(server.answered.values())
        cut = half_written(roomy, disk)
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(disk)], check=True)
        second = run(file, env)
        same = "yes" if second.code == 0 and files_of(output) == expected else f"NO ({second.code})"
        traceback = "traceback" in (first.said + second.said).lower() or "Exception ignored" in first.said + second.said
        tell = [where, f"{kilobytes} kB", first.code, "YES" if traceback else "no", requests, answered]
        tell += [server.asked_twice, " ".join(cut) or "nothing", same, first.first_line[:150]]
        if traceback:
            Path(f"/tmp/full-disk-{where}-{kilobytes}.log").write_text(first.said + second.said, encoding="utf-8")
        return tell


def main() -> None:
    """Run all sizes, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--where", nargs="+", choices=PLACES, default=PLACES)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="kB")
    parser.add_argument("--rows", type=int, default=24)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pairwright-bench-") as name:
        folder = Path(name)
        rows = example_rows(folder / "rows.jsonl", arguments.rows)
        with FaultServer(latency=0.05, answer=answer) as server:
            output = folder / "undisturbed"
            done = run(build_file(folder, rows, server.base_url, output, None), {})
            assert done.code == 0, done.said
            expected, needed = files_of(output), server.requests
        print(f"An undisturbed build asks {needed} requests.\n")
        head = "where", "size", "exit code", "traceback", "requests", "answered", "paid twice", "half-written"
        print("|", " | ".join([*head, "second run the same", "first line of the error"]), "|")
        print("|" + "---|" * 10)
        for where in arguments.where:
            for size in arguments.sizes:
                print("|", " | ".join(map(str, one_size(folder, rows, where, size, expected))), "|", flush=True)


if __name__ == "__main__":
    main()
