"""Hostile source files through the command line: is every row kept or accounted for, or is there one clear error?

    python benchmarks/hostile/sources.py [NAME ...] [--half seen|unseen|all] [--kind KIND] [--jobs 2] [--markdown]

Each case of `tests/hostile/sources.py` is built in a process of its own, with limits on CPU time and memory: 20 s (30 s for
the heavy ones), and 4 GiB beyond what an idle build takes. A case is FAILED as well for a traceback, for control characters
on the terminal, for an error that does not name the file, and for books that do not fit the rows. Temporary files go to
TMPDIR: up to 0.3 GB. About three seconds of CPU time per case; heavy cases run one at a
time beside the `--jobs` others. Lines come in the order in which cases end.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from hostile.halves import half
from hostile.source_case import Case
from hostile.source_runs import Result, run_case
from hostile.sources import CASES


def run(case: Case) -> Result:
    """Run one case in a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-sources-"))
    try:
        return run_case(case, folder)
    finally:
        shutil.rmtree(folder)


def told(case: Case, result: Result) -> list[str]:
    """One line, as cells."""
    verdict = "FAILED: " + "; ".join(result.wrong) if result.wrong else "ok"
    expected = " or ".join(map(str, case.expected))
    times = f"{result.seconds:.1f} s", f"{result.cpu:.1f} s CPU", f"{result.peak_mib} MB"
    return [case.name, case.kind, half(case.name), expected, result.said, *times, verdict]


def main() -> None:
    """Run what is asked for; exit 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these cases")
    parser.add_argument("--half", choices=("seen", "unseen", "all"), default="all")
    parser.add_argument("--kind", help="only cases of this kind")
    parser.add_argument("--jobs", type=int, default=2, help="builds at a time")
    parser.add_argument("--markdown", action="store_true", help="print a table")
    args = parser.parse_args()
    cases = [
        case
        for case in CASES
        if args.half in ("all", half(case.name))
        and (not args.names or case.name in args.names)
        and args.kind in (None, case.kind)
    ]
    if args.markdown:
        print(
            "| case | kind | half | expected | what happened | time | CPU | memory | |\n|---|---|---|---|---|---|---|---|---|"
        )
    counts = {name: [0, 0] for name in ("seen", "unseen")}
    with ThreadPoolExecutor(args.jobs) as many, ThreadPoolExecutor(1) as one:
        running = {(one if case.heavy else many).submit(run, case): case for case in cases}
        for done in as_completed(running):
            case, result = running[done], done.result()
            cells = told(case, result)
            print("| " + " | ".join(cells) + " |" if args.markdown else "  ".join(cells), flush=True)
            counts[half(case.name)][bool(result.wrong)] += 1
    print(", ".join(f"{name}: {ok} of {ok + failed} ok" for name, (ok, failed) in counts.items() if ok + failed))
    sys.exit(any(failed for _, failed in counts.values()))


if __name__ == "__main__":
    main()
