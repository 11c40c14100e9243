"""Near-duplicate removal beside its peers: CPU time, peak memory, recall at planted similarities, precision.

    python benchmarks/dedup.py [DATA.jsonl ...] [--texts 100000] [--peer-python VENV/bin/python] [--repeat 3]

DATA are JSONL files of dialogues (`conversation`) or rewriting rows (`query`, `rewrite`), in both languages; without any
they are the rewriting rows of `examples/data`. Texts are made by joining three pieces of their sentences; one in ten is a
copy of another one, edited at random places until the Jaccard similarity of the character bigrams falls to a value drawn
between 0.7 and 1. The peers run in an environment of
their own (`pip install distilabel==1.5.3 datasketch==1.6.5 rensa==0.5.0`), on the same texts, bigrams, threshold and
number of permutations. Every run is a process of its own with one thread: imports and a small warm-up come before the
clock starts, and the best of the repetitions counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from examples_data import EXAMPLES, gold_files

NGRAM, THRESHOLD, PERMUTATIONS = 2, 0.7, 128
BINS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.01)
SMALL = 10_000


def grams(text: str) -> set[str]:
    return {text[start : start + NGRAM] for start in range(len(text) - NGRAM + 1)} or {text}


def pairwright(texts: Sequence[str]) -> list[tuple[int, int]]:
    from pairwright.pipelines.similarity.near_duplicates import find_near_duplicates

    return [(left, right) for left, right, _ in find_near_duplicates(texts, NGRAM, THRESHOLD, PERMUTATIONS)]


def distilabel_step(texts: Sequence[str]) -> list[bool]:
    from distilabel.steps import MinHashDedup

    step = MinHashDedup(num_perm=PERMUTATIONS, tokenizer="ngrams", n=NGRAM, threshold=THRESHOLD)
    step.load()
    found = []
    for start in range(0, len(texts), 500):
        batch = next(step.process([{"text": text} for text in texts[start : start + 500]]))
        found += [not row["keep_row_after_minhash_filtering"] for row in batch]
    return found


def datasketch_bulk(texts: Sequence[str]) -> list[bool]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    found = []
    sets = ([gram.encode() for gram in grams(text)] for text in texts)
    for number, signature in enumerate(MinHash.bulk(sets, num_perm=PERMUTATIONS)):
        found.append(bool(index.query(signature)))
        index.insert(number, signature)
    return found


def rensa_deduplicator(texts: Sequence[str]) -> list[bool]:
    from rensa import RMinHashDeduplicator

    index = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
    return [not kept for kept in index.add_pairs((str(number), list(grams(text))) for number, text in enumerate(texts))]


METHODS: dict[str, Callable[[Sequence[str]], Sequence[object]]] = {
    "pairwright": pairwright,
    "distilabel MinHashDedup": distilabel_step,
    "datasketch bulk + LSH": datasketch_bulk,
    "rensa RMinHashDeduplicator": rensa_deduplicator,
}


def sentences(paths: Sequence[Path]) -> dict[str, list[str]]:
    """Distinct sentences of at least ten characters, by language."""
    found: dict[str, dict[str, None]] = {"zh": {}, "en": {}}
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            said = [turn["content"] for turn in row.get("conversation", ())] + [
                row.get("query", ""),
                row.get("rewrite", ""),
            ]
            for text in said:
                if len(text) >= 10:
                    found["zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en"][text[:80]] = (
                        None
                    )
    return {language: list(texts) for language, texts in found.items() if texts}


def make_texts(paths: Sequence[Path], count: int, seed: int) -> tuple[list[str], list[tuple[int, int, float]]]:
    """``count`` distinct texts, and the planted pairs with their exact similarity."""
    rng = random.Random(seed)
    pool = list(sentences(paths).values())
    texts: list[str] = []
    known: set[str] = set()
    planted = []
    while len(texts) < count:
        if len(texts) > 100 and rng.random() < 0.1:
            original = rng.randrange(len(texts))
            text, similarity = edited(texts[original], rng.uniform(0.7, 1), rng)
            if text not in known and similarity >= THRESHOLD:
                planted.append((original, len(texts), similarity))
        else:
            text, similarity = "".join(fragment(text, rng) for text in rng.choices(rng.choice(pool), k=3)), 1.0
        if text not in known and similarity >= THRESHOLD:
            known.add(text)
            texts.append(text)
    return texts, planted


def fragment(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text) - 5)
    return text[start : start + rng.randint(6, 18)]


def edited(text: str, goal: float, rng: random.Random) -> tuple[str, float]:
    before, best, similarity = grams(text), text, 1.0
    characters = list(text)
    while similarity > goal:
        place = rng.randrange(len(characters))
        characters[place] = rng.choice(("", rng.choice(text), characters[place] + rng.choice(text)))
        changed = "".join(characters)
        after = grams(changed)
        best, similarity = changed, len(before & after) / len(before | after)
    return best, similarity


def run_method(name: str, path: Path) -> None:
    """Run one method in this process and print what it took as JSON."""
    texts = json.loads(path.read_text(encoding="utf-8"))
    method = METHODS[name]
    method(texts[:500])
    started = time.process_time()
    found = method(texts)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"seconds": seconds, "peak_mb": peak, "found": found if name == "pairwright" else sum(map(bool, found))}
        )
    )


def measure(name: str, python: str, path: Path) -> dict[str, object]:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, __file__, "--method", name, "--input", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def recall_lines(planted: Sequence[tuple[int, int, float]], found: Sequence[Sequence[int]]) -> list[str]:
    pairs = {(left, right) for left, right in found}
    hits: dict[float, Counter[bool]] = defaultdict(Counter)
    for left, right, similarity in planted:
        bound = max(edge for edge in BINS if edge <= similarity)
        hits[bound][(left, right) in pairs] += 1
    return [
        f"  Jaccard from {bound:.2f}: {hit[True] / hit.total():.3f} of {hit.total()}"
        for bound, hit in sorted(hits.items())
    ]


def precision_line(texts: Sequence[str]) -> str:
    """Compare with all pairs, one by one, on a part of the texts."""
    sets = [grams(text) for text in texts]
    owners: dict[str, list[int]] = defaultdict(list)
    true = set()
    for right, shingles in enumerate(sets):
        shared = Counter(left for gram in shingles for left in owners[gram])
        true |= {
            (left, right)
            for left, both in shared.items()
            if both / (len(sets[left]) + len(shingles) - both) >= THRESHOLD
        }
        for gram in shingles:
            owners[gram].append(right)
    found = set(pairwright(texts))
    return f"all pairs of {len(texts)}: {len(true)} true, {len(found)} found, {len(found - true)} false, recall {len(found & true) / len(true):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="*", default=[*gold_files([EXAMPLES]).values()])
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--peer-python", help="Python of the peers' environment; only pairwright runs without it.")
    parser.add_argument("--only", nargs="*", choices=list(METHODS), help="Run only these.")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--method", choices=list(METHODS), help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.method:
        run_method(arguments.method, arguments.input)
        return
    texts, planted = make_texts(arguments.data, arguments.texts, seed=1)
    print(
        f"{len(texts)} texts, {sum(map(len, texts)) / len(texts):.1f} characters each, {len(planted)} planted near duplicates"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.json"
        path.write_text(json.dumps(texts), encoding="utf-8")
        names = [name for name in METHODS if name == "pairwright" or arguments.peer_python]
        names = [name for name in names if not arguments.only or name in arguments.only]
        pythons = {name: sys.executable if name == "pairwright" else arguments.peer_python for name in names}
        rounds = [{name: measure(name, pythons[name], path) for name in names} for _ in range(arguments.repeat)]
    print(f"{'method':<28}{'CPU s':>8}{'texts/s':>10}{'peak MB':>9}")
    for name in names:
        best = min((result[name] for result in rounds), key=lambda result: float(str(result["seconds"])))
        seconds = float(str(best["seconds"]))
        print(f"{name:<28}{seconds:>8.2f}{len(texts) / seconds:>10.0f}{float(str(best['peak_mb'])):>9.0f}")
    if "pairwright" in names:
        found = rounds[0]["pairwright"]["found"]
        assert isinstance(found, list)
        print(f"recall of planted pairs, threshold {THRESHOLD}:", *recall_lines(planted, found), sep="\n")
        print(precision_line(texts[:SMALL]))


if __name__ == "__main__":
    main()
