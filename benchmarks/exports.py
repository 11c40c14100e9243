"""Speed and memory of every export beside ``datasets.Dataset.to_json`` of the same rows.

    pairwright build examples/demo.yaml
    python benchmarks/exports.py builds/demo --rows 100000
    python benchmarks/exports.py builds/demo --rows 1000000 --only jsonl

The pairs of the build are repeated, each copy with ids of its own. Every export runs twice, each time in a process of its
own, so that its memory can be told and its bytes compared. CPU seconds of an export begin with the rows on disk and hold
everything; those of ``to_json`` are for writing rows alone, which lie finished in memory-mapped Arrow.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.exporter import Exporter
from pairwright.core.files.storage import manifest_of, read_rows, write_rows
from pairwright.core.identity import content_id
from pairwright.core.records import PreferencePair
from pairwright.core.result import BuildResult
from pairwright.exports.forms.jsonl import JsonlExporter
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.openai import OpenAIExporter
from pairwright.exports.forms.parquet import ParquetExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.pipelines.ingest.sources import StdinSource

FORMS: dict[str, Exporter] = {
    "jsonl": JsonlExporter(),
    "alpaca": LlamaFactoryExporter(),
    "sharegpt": LlamaFactoryExporter(form="sharegpt"),
    "trl": TrlExporter(),
    "openai": OpenAIExporter(),
    "parquet": ParquetExporter(),
}


class Run(NamedTuple):
    """What one process used: CPU seconds and its peak memory in MB; and what it made."""

    cpu: float
    peak: float
    files: dict[str, str]
    size: int


def repeated(pairs: Sequence[PreferencePair]) -> Iterator[PreferencePair]:
    """The pairs again and again, all for training; no two have the same id or dialogue."""
    number = 0
    while True:
        for pair in pairs:
            number += 1
            ids = {"id": content_id([pair.task.id, number]), "dialogue": f"{pair.task.dialogue}#{number}"}
            task = pair.task.model_copy(update=ids)
            yield pair.model_copy(update={"id": content_id([pair.id, number]), "task": task, "split": "train"})


def export(form: str, folder: Path) -> Run:
    """Export the rows below ``folder``."""
    start = time.process_time()
    config = BuildConfig.model_validate(
        {"name": "bench", "output": str(folder), "sources": [StdinSource(source="bench")]}
    )
    exporter = FORMS[form]
    paths = exporter.export(BuildResult(config, "bench", folder / "rows", (), {}), folder / form)
    return _used(start, folder, paths)


def to_arrow(form: str, folder: Path) -> Run:
    """The same file as ``datasets`` holds it, for the peer."""
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    path = next((folder / form).rglob("*_train.jsonl"))
    load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))
    return _used(0, folder, ())


def to_json(_: str, folder: Path) -> Run:
    """The peer writes it."""
    from datasets import Dataset, concatenate_datasets, disable_progress_bars

    disable_progress_bars()
    rows = concatenate_datasets([Dataset.from_file(str(path)) for path in sorted((folder / "cache").rglob("*.arrow"))])
    start = time.process_time()
    rows.to_json(folder / "peer.jsonl", force_ascii=False)
    return _used(start, folder, [folder / "peer.jsonl"])


def _used(start: float, folder: Path, paths: Sequence[Path]) -> Run:
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Run(cpu, peak, manifest_of(folder, paths), sum(path.stat().st_size for path in paths))


def alone(work: Callable[[str, Path], Run], form: str, folder: Path) -> Run:
    """Do it in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, form, folder).result()


def measured(form: str, folder: Path, rows: int) -> str:
    """One line of the table."""
    ours = alone(export, form, folder)
    again = "the same" if alone(export, form, folder).files == ours.files else "DIFFERENT"
    told = (
        f"| `{form}` | {ours.cpu:.1f} | {rows / ours.cpu:,.0f} | {ours.size / 1e6:,.0f} | {ours.peak:.0f} | {again} |"
    )
    if form == "parquet":
        return f"{told} – | – | – |"
    alone(to_arrow, form, folder)
    shutil.rmtree(folder / form)
    peer = alone(to_json, form, folder)
    shutil.rmtree(folder / "cache")
    (folder / "peer.jsonl").unlink()
    return f"{told} {peer.cpu:.1f} | {peer.cpu / ours.cpu:.1f} | {peer.peak:.0f} |"


def main(build: Path, rows: int, forms: Sequence[str]) -> None:
    """Write the rows and print the table."""
    pairs = list(read_rows(build / "rows" / "pairs.jsonl", PreferencePair))
    print(f"{rows:,} preference pairs, copies of {len(pairs):,}\n")
    print(
        "| export | CPU s | rows per CPU s | MB | peak MB | second run | `to_json` CPU s | times ours | its peak MB |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_rows(folder / "rows" / "pairs.jsonl", islice(repeated(pairs), rows))
        write_rows(folder / "rows" / "sft.jsonl", ())
        for form in forms:
            print(measured(form, folder, rows), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Speed and memory of the exports.")
    parser.add_argument("build", type=Path, help="folder of a finished build")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--only", choices=FORMS, action="append", help="only this form; may be repeated")
    asked = parser.parse_args()
    main(asked.build, asked.rows, asked.only or list(FORMS))
