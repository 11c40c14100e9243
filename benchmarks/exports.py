"""Speed and memory of every export beside ``datasets.Dataset.to_json`` on the same rows.

    python benchmarks/exports.py ROWS FOLDER        (default: 20000 pairs in a temporary folder)

CPU seconds include reading the rows from disk. Each export runs in a process of its own, so that its memory can be told.
``datasets.to_json`` writes the rendered rows only, from memory-mapped Arrow; building them is not counted against it.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pairwright.core.components import Exporter
from pairwright.core.config import BuildConfig
from pairwright.core.records import Candidate, Example, Origin, PreferencePair, Rejected, RewriteTask, Turn, Verdict
from pairwright.core.result import BuildResult
from pairwright.core.storage import read_rows, write_rows
from pairwright.exports import EXPORTERS

BANK = Path(__file__).parents[1] / "core"
CHINESE, ENGLISH = "那{}号线的末班车呢？", "And when does line {} stop running?"


def pair(number: int, banks: dict[str, tuple[Example, ...]]) -> PreferencePair:
    """A preference pair of ordinary size, every other one Chinese."""
    language = ("zh", "en")[number % 2]
    query = (CHINESE, ENGLISH)[number % 2].format(number)
    turns = [Turn(role=role, content=f"{query} {turn}") for turn in range(2) for role in ("user", "assistant")]
    examples = banks[language][number % 10 : number % 10 + 3]
    origin = Origin(source="bench", file="bench.jsonl", line=number + 1, key=str(number), licence="MIT")
    common = {
        "conversation": str(number),
        "dialogue": str(number),
        "language": language,
        "tokens": 80,
        "origin": origin,
    }
    task = RewriteTask.create(history=tuple(turns), query=query, examples=examples, **common)
    chosen = Candidate.create(task=task.id, origin="reference", rewrite=f"{query} (central station)")
    rejected = Rejected(text=query, defect="entity_deleted", maker="entity_deletion", evidence="central station")
    verdicts = tuple(Verdict(judge=judge, passed=True) for judge in ("unchanged", "over_edited", "length_ratio"))
    return PreferencePair.create(task=task, chosen=chosen, verdicts=verdicts, rejected=rejected)


def export(name: str, folder: Path) -> int:
    """Export the rows below ``folder`` and return the bytes written."""
    source = {"use": "pairwright.exports.jsonl:JsonlExporter"}
    config = BuildConfig.model_validate({"name": "bench", "output": str(folder), "sources": [source]})
    exporter = EXPORTERS[name]()
    assert isinstance(exporter, Exporter)
    paths = exporter.export(BuildResult(config, "bench", folder / "rows", (), {}), folder / name)
    return sum(path.stat().st_size for path in paths)


def to_json(name: str, folder: Path) -> int:
    """The peer: the same files, read as Arrow beforehand, written by ``datasets``."""
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    path = next((folder / name).rglob("*_train.jsonl"))
    rows = load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))
    start = time.process_time()
    size = rows.to_json(folder / "peer.jsonl", force_ascii=False)
    print(f"  of these, to_json itself took {time.process_time() - start:.1f} CPU s", flush=True)
    return size


def measured(label: str, work: Callable[[str, Path], int], name: str, folder: Path, rows: int) -> None:
    """Run ``work`` in a fresh process and print one line of the table."""
    child = multiprocessing.get_context("spawn").Process(target=_timed, args=(label, work, name, folder, rows))
    child.start()
    child.join()


def _timed(label: str, work: Callable[[str, Path], int], name: str, folder: Path, rows: int) -> None:
    start = time.process_time()
    size = work(name, folder)
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {label} | {cpu:.1f} | {rows / cpu:,.0f} | {size / 1e6:.0f} | {peak:.0f} |", flush=True)


def main(rows: int, folder: Path) -> None:
    """Write the rows and print the table."""
    banks = {one: tuple(read_rows(BANK / f"examples.{one}.jsonl", Example)) for one in ("zh", "en")}
    write_rows(folder / "rows" / "pairs.jsonl", (pair(number, banks) for number in range(rows)))
    write_rows(folder / "rows" / "sft.jsonl", ())
    print(
        f"{rows:,} preference pairs\n\n| export | CPU s | rows per CPU s | MB written | peak MB |\n| --- | --- | --- | --- | --- |"
    )
    for name in ("jsonl", "llamafactory", "trl", "openai", "parquet"):
        measured(name, export, name, folder, rows)
    for name in ("llamafactory", "jsonl"):
        measured(f"datasets.to_json of the {name} file", to_json, name, folder, rows)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(count, Path(scratch))
