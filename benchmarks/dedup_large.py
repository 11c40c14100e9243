"""Near duplicates among more texts than memory holds: CPU time, peak memory, recall of planted pairs, growth.

    python benchmarks/dedup_large.py [DATA.jsonl ...] [--texts 100000 1000000 10000000]

Texts are made as in `benchmarks/dedup.py`, but written to a file one by one; an edited copy is made of one of the last
thousand texts. Each size is searched in a process of its own with one thread, which reads that file: its peak memory is
that of the whole process. Temporary files go to TMPDIR: about 0.35 GB per million texts.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from dedup import NGRAM, PERMUTATIONS, THRESHOLD, edited, fragment, sentences
from examples_data import EXAMPLES, gold_files


def write_texts(paths: list[Path], count: int, target: Path) -> dict[int, int]:
    """One text per line; the planted pairs as ``{copy: original}``."""
    rng = random.Random(1)
    pool = list(sentences(paths).values())
    recent: deque[tuple[int, str]] = deque(maxlen=1000)
    planted = {}
    with target.open("w", encoding="utf-8", newline="\n") as file:
        number = 0
        while number < count:
            if recent and rng.random() < 0.1:
                original, before = recent[rng.randrange(len(recent))]
                text, similarity = edited(before, rng.uniform(0.75, 1), rng)
                if similarity < 0.75 or text == before:
                    continue
                planted[number] = original
            else:
                text = "".join(fragment(text, rng) for text in rng.choices(rng.choice(pool), k=3))
                recent.append((number, text))
            file.write(json.dumps(text, ensure_ascii=False) + "\n")
            number += 1
    return planted


def search(path: Path) -> None:
    """Find the pairs among the texts of ``path``; print what it took, and write the pairs beside it."""
    import numpy as np

    from pairwright.pipelines.similarity.disk_texts import DiskTexts, View
    from pairwright.pipelines.similarity.near_duplicates import find_similar, firsts_of

    find_similar([["warm", "worm"]], NGRAM, THRESHOLD, PERMUTATIONS)
    started = time.process_time()
    texts = DiskTexts()
    with path.open(encoding="utf-8") as file:
        for line in file:
            texts.append(json.loads(line))
    view = View(texts, np.arange(len(texts)))
    firsts = firsts_of(view)
    distinct = np.flatnonzero(firsts == np.arange(len(texts)))
    pairs = find_similar([View(texts, distinct)], NGRAM, THRESHOLD, PERMUTATIONS)
    took = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    np.save(path.with_suffix(".npy"), np.stack([distinct[pairs.left], distinct[pairs.right]]))
    print(json.dumps({"cpu_s": took, "peak_mb": peak, "equal": len(texts) - len(distinct), "pairs": len(pairs.left)}))


def recall(planted: dict[int, int], path: Path) -> float:
    import numpy as np

    left, right = np.load(path.with_suffix(".npy"))
    found = set((left << 32 | right).tolist())
    return sum(original << 32 | copy in found for copy, original in planted.items()) / len(planted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", default=[*gold_files([EXAMPLES]).values()])
    parser.add_argument("--texts", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.search:
        search(arguments.search)
        return
    print(
        "| texts | CPU s | texts/s | peak MB | similar pairs | planted pairs found |",
        "|---|---|---|---|---|---|",
        sep="\n",
    )
    for count in arguments.texts:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.jsonl"
            planted = write_texts(arguments.data, count, path)
            command = [sys.executable, __file__, "--search", str(path)]
            done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            found = recall(planted, path)
        speed = count / done["cpu_s"]
        print(
            f"| {count:,} | {done['cpu_s']:.1f} | {speed:,.0f} | {done['peak_mb']:,.0f} | {done['pairs']:,} | {found:.3f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
