"""Which of a query's refused samples becomes its rejected text: the one nearest μ−2σ, not the worst.

A rejected text that is absurd teaches nothing, one that is nearly right may not be worse at all. The best ones lie
about two standard deviations below the mean (Xiao et al., "Finding the Sweet Spot", ACL 2025). There μ and σ are those
of many samples of one prompt; a build has few per prompt, so here they are taken over **all samples that the models of
this build gave to queries with a chosen answer, per language**, accepted or refused, the chosen answers left out.

Quality is the mean of the judges' scores where a judge scored the sample. Else it is the mean of two shares: of the
chosen answer's content words that the sample says, and of the shorter text's length in the longer one. Scored and
unscored samples have their own μ and σ.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from pairwright.core.language.text_analysis import content_words
from pairwright.core.records import JudgedCandidate, Language, SftRow

Measure = Literal["judges", "overlap"]
TargetQuality = Mapping[tuple[Measure, Language], float]

_SIGMAS = 2
_UNITS = 10**6  # sums of whole numbers do not depend on the order of the rows, sums of floats do


class SampleQuality(NamedTuple):
    """How good a sample is, from 0 to 1, and what says so."""

    measure: Measure
    value: float


def sample_quality(row: SftRow, sample: JudgedCandidate) -> SampleQuality:
    """See the module: the judges' scores, else how much of the chosen answer the sample says at its length."""
    if sample.score is not None:
        return SampleQuality("judges", sample.score)
    chosen, text, language = row.chosen.text, sample.candidate.text, row.task.language
    wanted = set(content_words(chosen, language))
    covered = len(wanted & set(content_words(text, language))) / len(wanted) if wanted else 1.0
    lengths = sorted((len(chosen), len(text)))
    return SampleQuality("overlap", (covered + lengths[0] / max(lengths[1], 1)) / 2)


def pair_with_samples(
    rows: Iterable[SftRow], judged: Iterable[JudgedCandidate]
) -> Iterator[tuple[SftRow, Sequence[JudgedCandidate]]]:
    """Each chosen row with what else the models said to its query; ``judged`` has the same queries and some more."""
    groups = groupby(judged, key=lambda row: row.task.id)
    for row in rows:
        others = next(list(group) for key, group in groups if key == row.task.id)
        models = [other for other in others if other.candidate.origin in ("teacher", "weak")]
        yield row, [other for other in models if other.candidate.id != row.chosen.id]


class SampledQuality:
    """How good the samples of a build are, measured while its chosen rows go by; ``judged`` has the same queries."""

    def __init__(self, judged: Iterable[JudgedCandidate]) -> None:
        self._judged = judged
        self._sums: dict[tuple[Measure, Language], list[int]] = {}

    def seen(self, rows: Iterable[SftRow]) -> Iterator[SftRow]:
        """The rows as they are; their samples are measured on the way."""
        for row, samples in pair_with_samples(rows, self._judged):
            for sample in samples:
                measure, value = sample_quality(row, sample)
                found = self._sums.setdefault((measure, row.task.language), [0, 0, 0])
                units = round(value * _UNITS)
                found[0] += 1
                found[1] += units
                found[2] += units * units
            yield row

    def target(self) -> TargetQuality:
        """μ−2σ of the samples' quality, by measure and language."""
        return {key: _target(*found) for key, found in self._sums.items()}


def target_quality(rows: Iterable[SftRow], judged: Iterable[JudgedCandidate]) -> TargetQuality:
    """μ−2σ of the samples' quality, by measure and language."""
    quality = SampledQuality(judged)
    for _ in quality.seen(rows):
        pass
    return quality.target()


def _target(count: int, total: int, squares: int) -> float:
    mean = total / count
    deviation = math.sqrt(max(count * squares - total * total, 0)) / count
    return (mean - _SIGMAS * deviation) / _UNITS


def nearest_to_target(row: SftRow, samples: Sequence[JudgedCandidate], target: TargetQuality) -> int:
    """The place of the sample whose quality is nearest to its target; the first on a tie."""

    def distance(at: int) -> float:
        measure, value = sample_quality(row, samples[at])
        # Rounded, so that a tie stays one whatever the last bits of the arithmetic are.
        return round(abs(value - target[measure, row.task.language]), 6)

    return min(range(len(samples)), key=distance)
