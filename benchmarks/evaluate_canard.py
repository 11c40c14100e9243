"""Evaluate the baselines, and a local model on a sample, on CANARD dev; print the time it took and the table.

    python benchmarks/evaluate_canard.py canard.dev.jsonl [--gguf MODEL.gguf | --packaged] [--sample 200] [--out FOLDER]

The file is one of rewriting rows. Without a model only the systems that
need none are timed. ``--sample`` rows are drawn by seed for the model.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from pairwright.cli.evaluate_command import evaluate_command
from pairwright.core.identity import row_rng
from pairwright.evaluation.systems.student_requests import RequestOptions


def main() -> None:
    """Run the two evaluations and print their cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("test")
    parser.add_argument("--gguf", type=Path, help="weights of the local model")
    parser.add_argument("--packaged", action="store_true", help="use the packaged SmolLM2-135M-Instruct")
    parser.add_argument("--sample", type=int, default=200, help="rows that the model answers")
    parser.add_argument("--out", type=Path, default=Path("builds/evaluate_canard"))
    args = parser.parse_args()

    started, used = time.monotonic(), cpu_seconds()
    evaluate_command([], [args.test], args.out / "baselines")
    print(
        f"{time.monotonic() - started:.1f} s, {cpu_seconds() - used:.1f} CPU s for all rows and all metrics that need no model\n"
    )
    if args.gguf or args.packaged:
        sample = draw(args.test, args.sample, args.out)
        started = time.monotonic()
        system = "gguf" if args.packaged else f"gguf:{args.gguf}"
        options = RequestOptions(ledger=args.out / "ledger.sqlite", answer_tokens=100)
        evaluate_command([system], [str(sample)], args.out / "model", options=options)
        print(f"{time.monotonic() - started:.1f} s with the model")


def draw(test: str, count: int, folder: Path) -> Path:
    """Write ``count`` rows drawn by seed as a test file."""
    lines = Path(test).read_text(encoding="utf-8").splitlines()
    kept = sorted(row_rng(0, "evaluate_canard", Path(test).name).sample(range(len(lines)), min(count, len(lines))))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "canard_sample.jsonl"
    path.write_text("".join(lines[index] + "\n" for index in kept), encoding="utf-8")
    return path


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
