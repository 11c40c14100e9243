"""How models are asked for rewrites: as the student of a build is, and how their answers become predictions."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.errors import SourceError
from pairwright.core.identity import Row
from pairwright.core.prompts.student import Student
from pairwright.core.records import Case
from pairwright.core.requests import ChatRequest
from pairwright.evaluation.gold_rows import MEASURED, GoldRow, GoldSet
from pairwright.evaluation.predictions import Prediction


class RequestOptions(Row):
    """How models are asked, as ``student``, and what they are allowed. The default student is that of a build file.

    ``ledger`` keeps every answer, so that none is asked for twice. Sampling is greedy (temperature 0).
    """

    student: Student = Field(default_factory=Student)
    answer_tokens: int = 400
    api_key_env: str | None = None
    concurrency: int = 16
    ledger: Path = Path("evaluation.ledger.sqlite")
    limits: LimitsConfig = Field(default_factory=LimitsConfig)


def like_build(folder: Path, options: RequestOptions) -> RequestOptions:
    """``options`` with the student of a finished build: it is asked as it was trained.

    Raises:
        SourceError: the folder holds no finished build, or one whose student does not rewrite.
    """
    student = Student.from_build(folder)
    if student.kind not in MEASURED:
        raise SourceError(
            f"{folder}: its student learns to {student.kind}, and rewrites are measured here",
            "Name the build of a student that rewrites; evaluate-dialogues measures answers.",
        )
    return options.model_copy(update={"student": student})


def with_examples(gold: GoldSet, options: RequestOptions) -> GoldSet:
    """The test set with the few-shot examples that its prompts show; rows that name their own keep them."""
    if not options.student.shows_examples:
        return gold
    return gold.model_copy(update={"rows": tuple(_with_examples(row, options.student) for row in gold.rows)})


def _with_examples(row: GoldRow, student: Student) -> GoldRow:
    if row.examples:
        return row
    # By all of its history, not by its window: the answers in people's ledgers were asked for with these examples.
    chosen = student.choose_examples(row.query, row.history, row.language, row.reference)
    return row.model_copy(update={"examples": chosen})


def case_of(row: GoldRow, options: RequestOptions) -> Case:
    """The case that a build would have made of this row."""
    case = options.student.case(row.query, row.history, row.language, examples=row.examples)
    return case.model_copy(update={"id": row.id})


def request_for(row: GoldRow, options: RequestOptions) -> ChatRequest:
    """The request that asks for the rewrite of one row."""
    return options.student.request(case_of(row, options), options.answer_tokens)


def prediction_from(row: GoldRow, text: str, options: RequestOptions, *, cut_off: bool = False) -> Prediction:
    """Read a model's answer. One that cannot be read is an empty rewrite with the reason: it is scored, not left out."""
    try:
        said = options.student.read(text)
    except ValueError as exc:
        return Prediction(id=row.id, rewrite="", raw=text, error=str(exc))
    if cut_off:
        return Prediction(id=row.id, rewrite=said.text, raw=text, error=f"cut off after {options.answer_tokens} tokens")
    return Prediction(id=row.id, rewrite=said.text, analysis=said.analysis, raw=text)


def prompt_names(gold: GoldSet, options: RequestOptions) -> dict[str, str]:
    """Which prompt was used, for the report: its hash per language."""
    hashes = options.student.prompt_hashes()
    languages = sorted({row.language for row in gold.rows})
    return {f"prompt.{language}": hashes[f"student.{language}"] for language in languages}
