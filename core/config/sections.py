"""The base of all parts of a build file, and the parts that keep duplicates and test rows out."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

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
