"""Figures that say how diverse texts are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pairwright.core.result import DiversityFigures

_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_OPENING = {True: 4, False: 3}  # tokens: Chinese characters, or words
_TOP = 10


def measure_diversity(texts: Sequence[str], domains: Sequence[str], mean_cosine: float) -> DiversityFigures:
    """The figures of ``texts``. Distinct-n: Li et al., NAACL 2016; tokens are words, in Chinese characters."""
    grams: dict[int, Counter[tuple[str, ...]]] = {1: Counter(), 2: Counter()}
    openings: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        tokens = _TOKEN.findall(text)
        openings[tuple(tokens[: _OPENING[bool(tokens) and tokens[0] >= "\u3040"]])] += 1
        for size, counts in grams.items():
            counts.update(zip(*(tokens[start:] for start in range(size)), strict=False))
    return DiversityFigures(
        rows=len(texts),
        distinct_1=_share(len(grams[1]), grams[1].total()),
        distinct_2=_share(len(grams[2]), grams[2].total()),
        mean_cosine=round(mean_cosine, 4),
        top_openings=_share(sum(count for _, count in openings.most_common(_TOP)), len(texts)),
        domains=dict(sorted(Counter(domains).items())),
    )


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
