"""The base of all parts of a build file, and the parts that stand for themselves: few-shot examples, duplicates, splits."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from pairwright.core.components import require_number


class Section(BaseModel):
    """Base of every part of a build file."""

    # An error that somebody prints must not show a key that stands in the wrong place.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: object, info: ValidationInfo) -> object:
        return require_number(cls, value, info)


class DedupConfig(Section):
    """Near-duplicate removal over the queries with their context."""

    near: bool = Field(True, description="Also remove near duplicates; exact ones always go.")
    ngram: int = Field(2, ge=1, le=3, description="Characters per shingle.")
    threshold: float = Field(
        0.8, gt=0, le=1, description="Exact Jaccard similarity from which two texts are near duplicates."
    )
    permutations: int = Field(
        128,
        ge=16,
        description="MinHash permutations that find the candidates; every candidate pair is then verified exactly.",
    )
    per_template: int = Field(
        20,
        ge=1,
        description="Most rows that look alike but differ in an entity, a number or another word that decides.",
    )
    earlier: tuple[str, ...] = Field(
        (), description="Output folders of earlier builds: what one of them has is not built again."
    )


class DecontaminationConfig(Section):
    """What counts as a copy of a row of ``evaluations``, and what becomes of it."""

    action: Literal["drop", "flag"] = Field(
        "drop",
        description="'drop': copies do not become data. 'flag': they stay and are marked; 'publish' refuses a build that has any.",
    )
    most_edits: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="Edits per character up to which a short text is a copy; very short ones must be equal.",
    )
    passage: int | None = Field(
        13,
        ge=4,
        description="Words (Chinese: characters) in a row that make a copy of a text of any length; null: off.",
    )


class DiversityConfig(Section):
    """Keeps the rows that cover the data best. Needs the extra ``audit``, or ``embeddings`` for ``e5``."""

    keep: float = Field(0.9, gt=0, le=1, description="Share of the accepted rows to keep, of each language and domain.")
    embedding: Literal["characters", "e5"] = Field(
        "characters",
        description="What rows are compared by. 'characters': TF-IDF of character 2- and 3-grams, fast. 'e5': the packaged multilingual-e5-small, some 30 rows per second.",
    )


class ExamplesConfig(Section):
    """Few-shot examples for teacher, weak model and student."""

    path: str | None = Field(
        None,
        description="JSONL of examples (id, language, history, query, analysis, needs_rewrite, rewrite); default: the packaged ones.",
    )
    per_prompt: int = Field(
        3, ge=0, le=10, description="How many to show, the most relevant first. More than ten made small models worse."
    )


class AuditConfig(Section):
    """Measures whether chosen can be told from rejected without the dialogue. Needs the extra ``audit``."""

    folds: int = Field(5, ge=2, le=20, description="Folds of the cross-validation; no dialogue is in two of them.")
    sample: int = Field(5000, ge=100, description="Audit at most this many pairs, drawn by seed.")
    resamples: int = Field(1000, ge=100, description="Bootstrap samples of the dialogues, for the 95 % intervals.")


class SplitConfig(Section):
    """Shares of the splits; dialogues never cross. The train split gets the rest."""

    validation: float = Field(0.05, ge=0, lt=1, description="Share of dialogues.")
    test: float = Field(0.05, ge=0, lt=1, description="Share of dialogues.")

    @model_validator(mode="after")
    def _leave_a_train_split(self) -> SplitConfig:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test leave nothing for train")
        return self


class PriceConfig(Section):
    """What an endpoint costs, in any one currency per million tokens."""

    input: float = Field(0.0, ge=0, allow_inf_nan=False, description="Per million prompt tokens.")
    output: float = Field(0.0, ge=0, allow_inf_nan=False, description="Per million completion tokens.")

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6
