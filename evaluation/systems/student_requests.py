"""How models are asked for rewrites: the student's own prompt over the same window of history, and how answers are read."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import Field

from pairwright.core.config.build_file import ContextConfig, ExamplesConfig, LimitsConfig, PromptConfig
from pairwright.core.errors import SourceError
from pairwright.core.identity import Row
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.prompts.few_shot import ExampleIndex, read_examples
from pairwright.core.prompts.history_window import window
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.rewriting import prompt_hash
from pairwright.core.records import Case
from pairwright.core.requests import ChatRequest
from pairwright.evaluation.gold_rows import GoldRow, GoldSet
from pairwright.evaluation.predictions import Prediction


class RequestOptions(Row):
    """What a model is shown and allowed. The defaults are those of a build file.

    ``examples`` is a bank of few-shot examples (default: the packaged one), ``per_prompt`` how many of it are shown;
    ``ledger`` keeps every answer, so that none is asked for twice. Sampling is greedy (temperature 0).
    """

    prompt: PromptConfig = Field(default_factory=PromptConfig)
    context: ContextConfig = Field(default_factory=ContextConfig)
    examples: str | None = None
    per_prompt: int = 3
    answer_tokens: int = 400
    api_key_env: str | None = None
    concurrency: int = 16
    ledger: Path = Path("evaluation.ledger.sqlite")
    limits: LimitsConfig = Field(default_factory=LimitsConfig)


def like_build(folder: Path, options: RequestOptions) -> RequestOptions:
    """``options`` with the prompt, window and examples of a finished build: the student is asked as it was trained.

    Raises:
        SourceError: the folder holds no finished build.
    """
    path = folder / "build.yaml"
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise SourceError(f"{folder}: no finished build (no build.yaml)", "Run the build first.") from exc
    examples = ExamplesConfig.model_validate(found["examples"])
    return options.model_copy(
        update={
            "prompt": PromptConfig.model_validate(found["prompt"]),
            "context": ContextConfig.model_validate(found["context"]),
            "examples": examples.path,
            "per_prompt": examples.per_prompt,
        }
    )


def with_examples(gold: GoldSet, options: RequestOptions) -> GoldSet:
    """The test set with the few-shot examples that its prompts show; rows that name their own keep them."""
    if not options.prompt.examples or options.per_prompt == 0:
        return gold
    index = ExampleIndex(read_examples(options.examples))
    return gold.model_copy(update={"rows": tuple(_with_examples(row, index, options) for row in gold.rows)})


def _with_examples(row: GoldRow, index: ExampleIndex, options: RequestOptions) -> GoldRow:
    if row.examples:
        return row
    chosen = index.choose(row.query, row.history, row.language, options.per_prompt, row.reference)
    return row.model_copy(update={"examples": chosen})


def case_of(row: GoldRow, options: RequestOptions) -> Case:
    """The case that a build would have made of this row."""
    context = options.context
    history, _, _ = window(row.history, context.turns, context.max_tokens, estimate_tokens(row.query))
    return Case(
        id=row.id,
        language=row.language,
        history=history,
        query=row.query,
        examples=row.examples,
    )


def request_for(row: GoldRow, options: RequestOptions) -> ChatRequest:
    """The request that asks for the rewrite of one row."""
    return KINDS["rewrite"].student_request(case_of(row, options), options.prompt, options.answer_tokens)


def prediction_from(row: GoldRow, text: str, options: RequestOptions, *, cut_off: bool = False) -> Prediction:
    """Read a model's answer. One that cannot be read is an empty rewrite with the reason: it is scored, not left out."""
    try:
        said = KINDS["rewrite"].read_student(text, options.prompt)
    except ValueError as exc:
        return Prediction(id=row.id, rewrite="", raw=text, error=str(exc))
    if cut_off:
        return Prediction(id=row.id, rewrite=said.text, raw=text, error=f"cut off after {options.answer_tokens} tokens")
    return Prediction(id=row.id, rewrite=said.text, analysis=said.analysis, raw=text)


def prompt_names(gold: GoldSet, options: RequestOptions) -> dict[str, str]:
    """Which prompt was used, for the report: its hash per language."""
    languages = sorted({row.language for row in gold.rows})
    return {f"prompt.{language}": prompt_hash(options.prompt, language) for language in languages}
