"""What the reject stage must know of all answers before it handles the first one, gathered in one pass over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pairwright.core.component_calls import know_corpus
from pairwright.core.components import CorpusReader, Perturber
from pairwright.core.records import JudgedCandidate, SftRow
from pairwright.pipelines.pairing.rejection_sampling import SampledQuality, TargetQuality


class CorpusFacts(NamedTuple):
    """What a rejected sample should be like, and the perturbers with what they learnt of the build."""

    target: TargetQuality
    perturbers: Sequence[Perturber]


def learn_corpus(
    read: Callable[[], Iterator[SftRow]],
    judged: Iterable[JudgedCandidate] | None,
    perturbers: Sequence[Perturber],
) -> CorpusFacts:
    """Read the answers once (once more for each further perturber that reads them all); not at all where nobody wants to.

    ``judged`` are all candidates with their verdicts, None where no model was sampled.
    """
    quality = SampledQuality(judged) if judged is not None else None
    ready: list[Perturber] = []
    unread = quality is not None
    for perturber in perturbers:
        if isinstance(perturber, CorpusReader):
            perturber = know_corpus(perturber, quality.seen(read()) if quality and unread else read())
            unread = False
        ready.append(perturber)
    if quality and unread:
        for _ in quality.seen(read()):
            pass
    return CorpusFacts(quality.target() if quality else {}, ready)
