"""A build of many rows: sources → contexts → exact duplicates → export, with peak memory and rows per second.

    python benchmarks/many_rows.py [--rows 1000000] [--duplicates 0.1]

The rows are made up: rewriting rows with a history of two turns in both languages, a share of them exact duplicates of
earlier ones. The build runs in a process of its own; peak memory is that process's largest resident set.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

Row = dict[str, object]


def made_up(count: int, duplicates: float) -> Iterator[Row]:
    """``count`` rows, five of each dialogue; every ``1 / duplicates``-th repeats the one before it."""
    step = round(1 / duplicates) if duplicates else 0
    row: Row = {}
    for number in range(count):
        if not (step and number % step == step - 1):
            chinese = number % 2
            name = f"{'产品' if chinese else 'product '}{number:07d}"
            said = (
                (f"我想了解{name}。", f"{name}是去年发布的。")
                if chinese
                else (f"Tell me about {name}.", f"{name} came out last year.")
            )
            query, rewrite = (
                ("它多少钱？", f"{name}多少钱？") if chinese else ("How much is it?", f"How much is {name}?")
            )
            row = {
                "id": str(number),
                "dialogue": str(number // 5),
                "history": list(said),
                "query": query,
                "rewrite": rewrite,
            }
        yield row


def build_file(folder: Path, rows: Path) -> Path:
    """A build without models, judges and perturbers: what is measured is the streaming of rows."""
    config = {
        "name": "many",
        "output": str(folder / "build"),
        "sources": [
            {
                "use": "files",
                "source": "made-up",
                "path": str(rows),
                "licence": "CC0-1.0",
                "mapping": {"dialogue": "dialogue"},
            }
        ],
        "examples": {"per_prompt": 0},
        "dedup": {"near": False},
        "exports": [{"use": "llamafactory", "preference": False}],
    }
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def main() -> None:
    """Make the rows, build, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--duplicates", type=float, default=0.1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pairwright-bench-") as name:
        folder = Path(name)
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
            for row in made_up(arguments.rows, arguments.duplicates):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        command = [
            sys.executable,
            "-m",
            "pairwright",
            "build",
            str(build_file(folder, folder / "rows.jsonl")),
            "--quiet",
        ]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        stages = json.loads((folder / "build" / "manifest.json").read_text(encoding="utf-8"))["stages"]
        print("| stage | in | kept | dropped |\n|---|---|---|---|")
        for stage in stages:
            print(
                f"| {stage['stage']} | {stage['rows_in']:,} | {stage['kept']:,} | {sum(stage['dropped'].values()):,} |"
            )
        cpu = used.ru_utime + used.ru_stime
        print(
            f"\n{arguments.rows:,} rows in {seconds:.0f} s ({cpu:.0f} CPU s, {arguments.rows / cpu:,.0f} rows per CPU second), peak memory {used.ru_maxrss / 1024:.0f} MB"
        )


if __name__ == "__main__":
    main()
