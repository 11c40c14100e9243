"""What does a user see of a wrong build file? Tries each hostile case with the real command line.

    python benchmarks/hostile/build_files.py [--half seen|unseen|all] [--only WORD] [--cold] [--markdown]

One line per case, then the counts per half (and per kind with --markdown). Exits with 1 where a case fails. Each runs in a
process of its own with 15 s of CPU and 4 GB, a copy of one that has the command loaded; with --cold as a shell starts it, which
takes three seconds more for each. ``tests/hostile/build_files`` has the cases.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from hostile.build_files import CASES
from hostile.build_files.running import try_case
from hostile.halves import half


def main() -> int:
    """Try the cases and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["seen", "unseen", "all"], default="all")
    parser.add_argument("--only", default="", help="only cases with this in their name or kind")
    parser.add_argument(
        "--apart", action="store_true", help="only cases that the tests do not try in their own process"
    )
    parser.add_argument("--cold", action="store_true", help="start Python anew for each case")
    parser.add_argument("--markdown", action="store_true", help="as tables")
    options = parser.parse_args()
    cases = [
        case
        for case in CASES
        if options.half in ("all", half(case.name))
        and (options.only in case.name or options.only in case.kind)
        and (case.apart or not options.apart)
    ]
    cell = " | " if options.markdown else "  "
    edge = ("| ", " |") if options.markdown else ("", "")

    def line(*cells: object) -> str:
        return f"{edge[0]}{cell.join(map(str, cells))}{edge[1]}"

    if options.markdown:
        print(
            line("case", "half", "expected", "what happened", "seconds", "peak MB", "result"),
            "|---|---|---|---|---:|---:|---|",
            sep="\n",
        )
    right: Counter[tuple[str, str]] = Counter()
    tried: Counter[tuple[str, str]] = Counter()
    for case in cases:
        found, problems = try_case(case, "cold" if options.cold else "forked")
        side = half(case.name)
        result = "ok" if not problems else f"FAILED: {'; '.join(problems)}"
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in result)
        print(
            line(case.name, side, case.expected, found.told(), f"{found.seconds:.1f}", f"{found.peak:.0f}", shown),
            flush=True,
        )
        for key in ((side, case.kind), (side, "")):
            tried[key] += 1
            right[key] += not problems
    if options.markdown:
        print("\n| kind | seen | unseen |\n|---|---:|---:|")
        for kind in dict.fromkeys(case.kind for case in cases):
            counts = (f"{right[side, kind]} of {tried[side, kind]}" for side in ("seen", "unseen"))
            print(f"| {kind} | {' | '.join(counts)} |")
        print()
    print("; ".join(f"{side}: {right[side, '']} of {tried[side, '']} ok" for side in ("seen", "unseen")))
    return 1 if right != tried else 0


if __name__ == "__main__":
    sys.exit(main())
