"""Decontamination: what edited copies of test queries are found, what unrelated rows are flagged, and how fast.

    python benchmarks/decontamination.py EVALUATION.jsonl DATA.jsonl ... [--rows 100000] [--queries 20000]

All files are JSONL of rewriting rows (`query`, `rewrite`), in one language. The curve: the rewrites of EVALUATION are
edited at random places (a character replaced, doubled or deleted) and planted among the texts of DATA. The speed:
short texts are joined from three pieces of DATA and queries are copies of them with one edit in ten characters; long
ones are joined from ten pieces, and one query in fifty copies a passage. Beside the search for passages of 13 tokens
stand Python sets of the same 13-grams, which is the usual check.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from pairwright.core.language.canonical_form import canonical
from pairwright.core.language.text_analysis import detect_language
from pairwright.pipelines.dedup.near_copies import find_near_copies
from pairwright.pipelines.dedup.shared_passages import find_shared_passages

MOST_EDITS = 0.25  # deleting and doubling shift what is left, so that 2 edits in 10 characters may be 2.2 of 9
SHARES = (0.0, 0.1, 0.2, 0.3)
PASSAGE = 13
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
R = TypeVar("R")


def read(path: Path, keys: Sequence[str]) -> list[str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    said = [turn["content"] for row in rows for turn in row.get("conversation", ())]
    texts = dict.fromkeys(
        canonical(text) for text in [*said, *(row[key] for row in rows for key in keys if key in row)]
    )
    return [text for text in texts if len(text) >= 8]


def edited(text: str, share: float, rng: random.Random) -> str:
    characters = list(text)
    for _ in range(round(share * len(text))):
        place = rng.randrange(len(characters))
        characters[place] = rng.choice(("", rng.choice(text), characters[place] * 2))
    return "".join(characters)


def curve(originals: Sequence[str], unrelated: Sequence[str], ngram: int) -> None:
    print(f"{len(originals)} test texts planted into {len(unrelated)} unrelated ones")
    print(f"{'edits per character':<22}{'found':>8}{'false flags':>14}")
    for share in SHARES:
        rng = random.Random(1)
        planted = [edited(text, share, rng) for text in originals]
        found = find_near_copies([*planted, *unrelated], originals, ngram, MOST_EDITS)
        pairs = set(zip(found.text.tolist(), found.original.tolist(), strict=True))
        hits = sum((number, number) in pairs for number in range(len(originals)))
        flags = len({text for text, _ in pairs if text >= len(originals)})
        print(f"{share:<22}{hits / len(originals):>8.3f}{flags / len(unrelated):>13.2%}")


def speed(pool: Sequence[str], rows: int, queries: int, ngram: int) -> None:
    rng = random.Random(2)
    texts = joined(pool, 3, rows, rng)
    originals = [edited(text, 0.1, rng) for text in rng.sample(texts, queries)]
    print(f"{rows} rows of {sum(map(len, texts)) / rows:.0f} characters against {queries} queries")
    timed(
        "edited copies, verified by edit distance", lambda: find_near_copies(texts, originals, ngram, MOST_EDITS), rows
    )
    texts = joined(pool, 10, rows, rng)
    originals = [rng.choice(texts)[:90] if rng.random() < 0.02 else text for text in joined(pool, 3, queries, rng)]
    print(f"{rows} rows of {sum(map(len, texts)) / rows:.0f} characters against {queries} queries")
    ours, found = timed("passages of 13 tokens", lambda: find_shared_passages(texts, originals, PASSAGE), rows)
    sets, expected = timed("Python sets of 13-grams", lambda: shared(texts, originals, ngram == 2), rows)
    same = [passage.text for passage in found] == expected
    print(f"{sets / ours:.1f} times as fast; {len(expected)} rows found by both: {same}")


def timed(name: str, work: Callable[[], R], rows: int) -> tuple[float, R]:
    seconds = []
    for _ in range(3):
        started = time.process_time()
        result = work()
        seconds.append(time.process_time() - started)
    print(f"{name:<42}{min(seconds):>7.2f} CPU s{rows / min(seconds):>10.0f} rows/s")
    return min(seconds), result


def joined(pool: Sequence[str], pieces: int, count: int, rng: random.Random) -> list[str]:
    return [canonical(" ".join(piece(text, rng) for text in rng.choices(pool, k=pieces))) for _ in range(count)]


def piece(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text) - 5)
    return text[start : start + rng.randint(6, 18)]


def shared(texts: Sequence[str], originals: Sequence[str], characters: bool) -> list[int]:
    known = set().union(*(grams(text, characters) for text in originals))
    return [number for number, text in enumerate(texts) if not known.isdisjoint(grams(text, characters))]


def grams(text: str, characters: bool) -> set[str]:
    places = [found.span() for found in TOKEN.finditer(text)] if characters else []
    if characters:
        return {text[places[at][0] : places[at + PASSAGE - 1][1]] for at in range(len(places) - PASSAGE + 1)}
    words = text.split()
    return {" ".join(words[at : at + PASSAGE]) for at in range(len(words) - PASSAGE + 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=20_000)
    arguments = parser.parse_args()
    originals = read(arguments.evaluation, ("rewrite",)) or read(arguments.evaluation, ("query",))
    unrelated = [text for path in arguments.data for text in read(path, ("query", "rewrite"))]
    ngram = 2 if detect_language(" ".join(originals[:100])) == "zh" else 3
    curve(originals, unrelated, ngram)
    speed(unrelated, arguments.rows, arguments.queries, ngram)


if __name__ == "__main__":
    main()
