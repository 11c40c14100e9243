"""How long the choice and balance of pairs take, and how much memory.

    python benchmarks/pairing_scale.py [PAIRS]

Makes up PAIRS / 3 queries (default 1,000,000 pairs) with nine variants each of 14 defects and 60 templates, two thirds
of them shorter than the chosen answer, and prints the time and the memory of each step, and what each rule dropped.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator

from pairwright.core.config.build_file import PairingConfig, PromptConfig
from pairwright.core.records import Candidate, Origin, Rejected, SftRow, Task
from pairwright.pipelines.pairing.balance import BALANCE_REASONS, balance
from pairwright.pipelines.pairing.pair_features import extract_features
from pairwright.pipelines.pairing.variant_choice import PICK_REASONS, choose_variants

VARIANTS = 9
ORIGIN = Origin(source="made", file="made", key="1", licence="none")


def proposals(queries: int) -> Iterator[tuple[SftRow, Rejected]]:
    """Nine variants of each query, in the order of the queries."""
    for number in range(queries):
        rng = random.Random(number)
        query = f"what about number {number}?"
        task = Task(
            id=f"{number:016x}",
            conversation=str(number),
            dialogue=str(number // 4),
            language="en",
            history=(),
            query=query,
            tokens=8,
            origin=ORIGIN,
        )
        rewrite = query if rng.random() < 0.35 else f"What is the price of number {number}?"
        chosen = Candidate(id=task.id, task=task.id, origin="reference", text=rewrite)
        row = SftRow(id=task.id, task=task, chosen=chosen, verdicts=())
        for defect in rng.sample(range(14), VARIANTS):
            words = rewrite.split()
            at = rng.randrange(1, len(words))
            edited = [*words[:at], *words[at + 1 :]] if rng.random() < 0.67 else [*words[:at], "and", "so", *words[at:]]
            template = str(rng.randrange(60))
            yield row, Rejected(text=" ".join(edited), defect=f"defect {defect}", rejected_by="m", template=template)


def peak() -> str:
    """The most memory this process has used so far."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=int, nargs="?", default=1_000_000, metavar="PAIRS")
    pairs = parser.parse_args().pairs
    config = PairingConfig()
    print(f"before: {peak()}")
    started = time.process_time()
    features = extract_features(proposals(pairs // 3), PromptConfig(), 0)
    print(
        f"features of {len(features):,} variants (with making them up): {time.process_time() - started:.0f} CPU s, {peak()}"
    )
    started = time.process_time()
    picks = choose_variants(features, config.max_per_task)
    print(f"choose: {time.process_time() - started:.0f} CPU s, {peak()}")
    started = time.process_time()
    keeps = balance(features, picks, config)
    print(f"balance {len(keeps):,} pairs: {time.process_time() - started:.0f} CPU s, {peak()}")
    for reasons, codes in ((PICK_REASONS, picks), (BALANCE_REASONS, keeps)):
        print({reasons[code] or "kept": number for code, number in sorted(Counter(codes).items())})


if __name__ == "__main__":
    main()
