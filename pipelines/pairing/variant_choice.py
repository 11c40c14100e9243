"""The choice within each query: which of its variants become pairs.

Queries are visited in a seeded order that does not depend on the order of the rows. Each takes up to ``max_per_task``
variants of different defects and texts: real samples first, then the variant that evens out most what was taken
before: the rarer defect and template, and the side on which length and punctuation lean less.

Where a judge confirms pairs (see ``verification``), what it confirmed stays picked and what it refused is never picked.
"""

from __future__ import annotations

from collections import Counter

from pairwright.pipelines.pairing.pair_features import PairFeatures

_DOUBT = 4
PICKED, SAME_ANSWER, SAME_DEFECT, SAME_TEXT, TOO_MANY, NOT_CONFIRMED = range(6)
PICK_REASONS = (
    *("", "same_answer_as_chosen", "defect_already_paired", "same_rejected_text", "max_per_task"),
    "not_confirmed_by_judge",
)
OPEN, CONFIRMED, REFUSED = range(3)  # what a judge said of a variant


def choose_variants(features: PairFeatures, max_per_task: int, judged: bytes | bytearray | None = None) -> bytearray:
    """One code of ``PICK_REASONS`` per variant; ``judged`` says of each whether it is open, confirmed or refused."""
    codes, judged = bytearray(len(features)), judged or bytes(len(features))
    taken = _Taken(features)
    for at, state in enumerate(judged):
        if state == CONFIRMED:
            taken.add(at)
    tasks = range(len(features.task_draw))
    for task in sorted(tasks, key=lambda task: (features.task_draw[task], task)):
        members = range(features.first[task], features.first[task + 1])
        _choose(features, members, max_per_task, taken, codes, judged)
    return codes


class _Taken:
    """What was taken so far: each defect and template, and in each cell how many more on side +1 than on side -1."""

    def __init__(self, features: PairFeatures) -> None:
        self._features = features
        self._total = 0
        self._defects: Counter[int] = Counter()
        self._templates: Counter[int] = Counter()
        self._lengths, self._marks = _Lean(), _Lean()

    def add(self, at: int) -> None:
        """Count one more."""
        features = self._features
        self._total += 1
        self._defects[features.defect[at]] += 1
        self._templates[features.template[at]] += 1
        self._lengths.add(features.length[at], features.length_side[at])
        self._marks.add(features.marks[at], features.marks_side[at])

    def burden(self, at: int) -> float:
        """How much the variant adds to what there is too much of already; from -2 to 4."""
        features = self._features
        often = self._defects[features.defect[at]] + self._templates[features.template[at]]
        return (
            often / max(self._total, 1)
            + self._lengths.of(features.length[at], features.length_side[at])
            + self._marks.of(features.marks[at], features.marks_side[at])
        )


class _Lean:
    """How far the pairs of each cell lean to one side."""

    def __init__(self) -> None:
        self._pairs: Counter[int] = Counter()
        self._lean: Counter[int] = Counter()

    def add(self, cell: int, side: int) -> None:
        self._pairs[cell] += 1
        self._lean[cell] += side

    def of(self, cell: int, side: int) -> float:
        """Above 0 where ``side`` is the fuller one already, at most 1; slow to trust a cell with few pairs."""
        return side * self._lean[cell] / (self._pairs[cell] + _DOUBT)


def _choose(
    features: PairFeatures, members: range, most: int, taken: _Taken, codes: bytearray, judged: bytes | bytearray
) -> None:
    picked = {at for at in members if judged[at] == CONFIRMED}
    defects = {features.defect[at] for at in picked}
    texts = {0, *(features.text[at] for at in picked)}

    def fits(at: int) -> bool:
        return features.defect[at] not in defects and features.text[at] not in texts

    def order(at: int) -> tuple[bool, float, float]:
        return not features.sampled[at], taken.burden(at), features.draw[at]

    left = [at for at in members if judged[at] == OPEN and fits(at)]
    while left and len(defects) < most:
        best = min(left, key=order)
        taken.add(best)
        picked.add(best)
        defects.add(features.defect[best])
        texts.add(features.text[best])
        left = [at for at in left if fits(at)]
    for at in members:
        codes[at] = NOT_CONFIRMED if judged[at] == REFUSED else _code(features, at, at in picked, defects, texts)


def _code(features: PairFeatures, at: int, picked: bool, defects: set[int], texts: set[int]) -> int:
    if picked:
        return PICKED
    if features.text[at] == 0:
        return SAME_ANSWER
    if features.defect[at] in defects:
        return SAME_DEFECT
    return SAME_TEXT if features.text[at] in texts else TOO_MANY
