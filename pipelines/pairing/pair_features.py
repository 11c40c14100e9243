"""Pair features: what the choice of pairs needs to know of every variant, some 40 bytes each, in columns.

The choice looks at all variants of a build at once (shares are shares of the whole), while the rows themselves stay on
disk. A million pairs out of three million variants take about 150 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import normalise
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.rewriting import student_answer
from pairwright.core.records import WRITTEN, Language, Rejected, SftRow
from pairwright.core.tool_calls import calls_of
from pairwright.pipelines.pairing.surface import length_position, punctuation_position, punctuation_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

Proposal = tuple[SftRow, Rejected]


class Codes:
    """Numbers names from 0, in the order in which they come."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def of(self, name: object) -> int:
        """The number of ``name``."""
        return self._numbers.setdefault(name, len(self._numbers))


class PairFeatures:
    """Columns with one item per variant, in the order of the variants, and per task.

    ``first`` holds the place of each task's first variant and, at the end, the number of variants; ``draw`` and
    ``task_draw`` are seeded random numbers that depend on the row alone. ``text`` numbers the texts of one task, 0
    is the chosen one. ``template`` is -1 for what no template made. The cells and sides are those of ``surface``;
    ``marks_total`` is the side with more marks in all.
    """

    def __init__(self) -> None:
        self.first, self.task_draw = array("q"), array("d")
        self.draw = array("d")
        self.language, self.defect, self.template, self.text = array("b"), array("i"), array("i"), array("h")
        self.sampled, self.on_policy, self.no_rewrite = array("b"), array("b"), array("b")
        self.length, self.length_side = array("i"), array("b")
        self.marks, self.marks_side, self.marks_total = array("i"), array("b"), array("b")

    def __len__(self) -> int:
        return len(self.draw)


def extract_features(proposals: Iterable[Proposal], prompt: PromptConfig, seed: int) -> PairFeatures:
    """The features of all variants; those of one task must come one after the other."""
    features, codes = PairFeatures(), tuple(Codes() for _ in range(4))
    for key, group in groupby(proposals, key=lambda proposal: proposal[0].task.id):
        rng = row_rng(seed, "pair", key)
        features.first.append(len(features))
        features.task_draw.append(rng.random())
        texts = Codes()
        for row, worse in group:
            calls = KINDS[row.task.kind].calls_tools and bool(calls_of(row.chosen.text))
            texts.of(_said(row.chosen.text, student_answer(row.chosen, prompt), calls))
            features.draw.append(rng.random())
            features.text.append(texts.of(_said(worse.text, student_answer(worse, prompt), calls)))
            _add(features, codes, row, worse)
    features.first.append(len(features))
    return features


def _said(text: str, answer: str | None, calls: bool) -> str:
    """What two equal answers have in common. Every mark counts in a call: without one it is no JSON."""
    text = text if answer is None else answer
    return " ".join(text.split()) if calls else normalise(text)


def _add(features: PairFeatures, codes: tuple[Codes, ...], row: SftRow, worse: Rejected) -> None:
    language, chosen = row.task.language, row.chosen.text
    defects, templates, lengths, marks = codes
    from_template = worse.rejected_by not in WRITTEN and worse.template
    features.language.append(language_code(language))
    features.defect.append(defects.of(worse.defect))
    features.template.append(templates.of((worse.rejected_by, worse.template)) if from_template else -1)
    features.sampled.append(worse.rejected_by in WRITTEN)
    features.on_policy.append(worse.generation is not None and worse.generation.on_policy)
    features.no_rewrite.append(needs_no_rewrite(row))
    cell, side = length_position(language, chosen, worse.text)
    features.length.append(lengths.of(cell))
    features.length_side.append(side)
    cell, side = punctuation_position(language, chosen, worse.text)
    features.marks.append(marks.of(cell))
    features.marks_side.append(side)
    features.marks_total.append(punctuation_side(chosen, worse.text))


def needs_no_rewrite(row: SftRow) -> bool:
    """True when the query already stands alone: the answer to imitate repeats it."""
    return normalise(row.chosen.text) == normalise(row.task.query)


def language_code(language: Language) -> int:
    """0 for Chinese, 1 for English."""
    return ("zh", "en").index(language)


def column(values: array[int]) -> Ints:
    """A column as numbers to compute with."""
    return np.asarray(values, np.int64)
