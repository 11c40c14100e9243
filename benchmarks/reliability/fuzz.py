"""Readers and parsers against damaged input, for as long as it is told: what raises anything but an error for users is a finding.

    python benchmarks/reliability/fuzz.py [--minutes 30] [--seed 0] [--only source.jsonl …]

Minutes are CPU minutes of this process, shared evenly between the targets of ``tests/hostile/fuzz_targets.py``. For each finding
the smallest input that hypothesis found is printed with its seed. Exits 1 when there is one.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback
import warnings
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from hostile.fuzz_targets import TARGETS, Target

BATCH = 200  # inputs between two looks at the clock


def fuzz(target: Target, seconds: float, first_seed: int) -> tuple[int, float, str]:
    """Inputs tried, CPU seconds used, and the first finding, if any."""
    tried, seed, started = 0, first_seed, time.process_time()
    while time.process_time() - started < seconds:

        @seeded(seed)
        @settings(
            max_examples=BATCH,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @given(target.inputs)
        def one_batch(data: object) -> None:
            nonlocal tried
            tried += 1
            target.read(data)

        try:
            one_batch()
        except Exception:  # noqa: BLE001 - whatever is raised here is what is looked for
            return tried, time.process_time() - started, f"seed {seed}\n{traceback.format_exc(limit=-6)}"
        seed += 1
    return tried, time.process_time() - started, ""


def main() -> int:
    """Run all targets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    targets = [target for target in TARGETS if not options.only or target.name in options.only]
    findings = []
    print(f"{'target':<18}{'inputs':>10}{'CPU s':>8}  findings", flush=True)
    for target in targets:
        tried, seconds, finding = fuzz(target, 60 * options.minutes / len(targets), options.seed)
        print(f"{target.name:<18}{tried:>10,}{seconds:>8.0f}  {'1' if finding else '0'}", flush=True)
        if finding:
            findings.append(f"--- {target.name}: {finding}")
    print(*findings, sep="\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
