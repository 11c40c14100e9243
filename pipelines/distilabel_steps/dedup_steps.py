"""Duplicate removal and decontamination as distilabel steps, usable in anybody's pipeline.

    step = MinHashDeduplicate(threshold=0.8)
    step.load()
    rows = next(step.process([{"text": "What is the best museum?"}, {"text": "what is the best museum"}]))

Both mark rows and drop none, so that the next step decides: distilabel loses track of batches that change their size.
Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Iterator, Sequence
from typing import Any

from distilabel.steps import GlobalStep, Step, StepInput
from pydantic import Field, PrivateAttr

from pairwright.core.config.sections import DedupConfig
from pairwright.core.language.canonical_form import canonical
from pairwright.core.language.text_analysis import detect_language
from pairwright.pipelines.dedup.deduplication import find_near_verdicts
from pairwright.pipelines.dedup.near_copies import find_near_copies
from pairwright.pipelines.dedup.same_request import essence


class MinHashDeduplicate(GlobalStep):  # type: ignore[misc]
    """Marks near duplicates of earlier rows; see :mod:`pairwright.pipelines.dedup.deduplication` for what a duplicate is.

    Input columns:
        - text (`str`): what is compared; a row with `None`, of which an earlier step made nothing, is no duplicate.

    Output columns:
        - keep_row_after_minhash_filtering (`bool`): False for what should go.
        - duplicate_of (`int | None`): number of the row that stays in its place.
        - duplicate_jaccard (`float | None`): how similar the two are, without courtesy and particles.
    """

    threshold: float = Field(default=0.8, gt=0, le=1)
    ngram: int = Field(default=2, ge=1, le=3)
    permutations: int = Field(default=128, ge=16)
    per_template: int = Field(default=1_000_000, ge=1)

    @property
    def inputs(self) -> list[str]:
        return ["text"]

    @property
    def outputs(self) -> list[str]:
        return ["keep_row_after_minhash_filtering", "duplicate_of", "duplicate_jaccard"]

    def process(self, inputs: StepInput) -> Iterator[list[dict[str, Any]]]:
        """Mark all rows; the first of several duplicates stays."""
        settings = self.model_dump(include={"threshold", "ngram", "permutations", "per_template"})
        texts = {number: row["text"] for number, row in enumerate(inputs) if row["text"] is not None}
        places = list(texts)
        verdicts = find_near_verdicts([essence(text) for text in texts.values()], DedupConfig(**settings))
        found = {places[at]: verdict for at, verdict in verdicts.items()}
        for number, row in enumerate(inputs):
            verdict = found.get(number)
            row["keep_row_after_minhash_filtering"] = verdict is None
            row["duplicate_of"] = places[verdict.because] if verdict else None
            row["duplicate_jaccard"] = verdict.jaccard if verdict else None
        yield inputs


class Decontaminate(Step):  # type: ignore[misc]
    """Marks texts that copy one of ``evaluation_texts``, with at most ``most_edits`` edits per character.

    Input columns:
        - text (`str`): what is compared; a row with `None` copies nothing.

    Output columns:
        - contaminated_by (`str | None`): the evaluation text that it copies.
    """

    evaluation_texts: list[str]
    most_edits: float = Field(default=0.25, ge=0, lt=1)

    _originals: dict[str, str] = PrivateAttr(default_factory=dict)

    def load(self) -> None:
        """Spell the evaluation texts alike."""
        super().load()
        self._originals = {canonical(text): text for text in self.evaluation_texts}

    @property
    def inputs(self) -> list[str]:
        return ["text"]

    @property
    def outputs(self) -> list[str]:
        return ["contaminated_by"]

    def process(self, inputs: StepInput) -> Iterator[list[dict[str, Any]]]:
        """Mark one batch."""
        found: dict[int, str] = {}
        for language, ngram in (("zh", 2), ("en", 3)):
            rows = [
                number for number, row in enumerate(inputs) if row["text"] and detect_language(row["text"]) == language
            ]
            found |= self._copied(rows, [canonical(inputs[number]["text"]) for number in rows], ngram)
        for number, row in enumerate(inputs):
            row["contaminated_by"] = found.get(number)
        yield inputs

    def _copied(self, rows: Sequence[int], texts: Sequence[str], ngram: int) -> dict[int, str]:
        spellings = list(self._originals)
        pairs = find_near_copies(texts, spellings, ngram, self.most_edits)
        places = zip(pairs.text.tolist(), pairs.original.tolist(), strict=True)
        return {rows[text]: self._originals[spellings[original]] for text, original in places}
