"""Texts that mean harm: what happens to each, in prompts, on terminals and in published files.

    python benchmarks/hostile/texts.py [--set prompt_tags|terminal|private|all] [--half seen|unseen|all] [--markdown]

One line per case: name, half, what is expected, what happened, seconds. The last lines count each half. Exits with 1 if
something else happened than expected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
SETS = ("prompt_tags", "terminal", "private")


def cases_of(name: str) -> tuple[tuple[Any, ...], Callable[[Any, Path], str]]:
    """The cases of a set, and what runs one in an empty folder and says what happened."""
    found = import_module(f"hostile.{name}")
    return found.CASES, getattr(found, "happened_in", None) or (lambda case, _: found.happened(case))


def measured(name: str, half: str) -> Iterator[tuple[str, str, str, str, float, bool]]:
    """One line per case: name, half, expected, happened, seconds, and whether the last two agree."""
    from hostile.halves import half as half_of

    cases, run = cases_of(name)
    for case in cases:
        where = half_of(case.name)
        if half in (where, "all"):
            started = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                what = run(case, Path(folder))
            yield case.name, where, case.expected, what, time.perf_counter() - started, what == case.expected


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=(*SETS, "all"), default="all", help="this set alone")
    parser.add_argument("--half", choices=("seen", "unseen", "all"), default="all", help="this half alone")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    arguments = parser.parse_args()
    counts: Counter[tuple[str, str, bool]] = Counter()
    if arguments.markdown:
        print("| case | half | expected | happened | seconds | |\n|---|---|---|---|---:|---|")
    for name in SETS if arguments.set == "all" else (arguments.set,):
        for case, half, expected, what, seconds, good in measured(name, arguments.half):
            counts[name, half, good] += 1
            cells = (case, half, expected, ascii(what)[1:-1], f"{seconds:.2f}", "ok" if good else "FAILED")
            print(
                f"| {' | '.join(one.replace('|', '¦') for one in cells)} |" if arguments.markdown else "\t".join(cells),
                flush=True,
            )
    for name, half in dict.fromkeys((name, half) for name, half, _ in counts):
        good, bad = counts[name, half, True], counts[name, half, False]
        print(f"{name} {half}: {good} of {good + bad} as expected")
    sys.exit(1 if any(not good for _, _, good in counts) else 0)


if __name__ == "__main__":
    main()
