"""Rewriting, judging and making worse as distilabel steps, usable in any distilabel pipeline and outside of one.

    llm = LedgerLLM(name="teacher", endpoint=EndpointConfig(base_url=..., model=...), ledger="paid.sqlite")
    task = RewriteQuery(llm=llm)
    task.load()
    rows = next(task.process([{"language": "en", "history": [...], "query": "When was she born?"}]))

Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
from collections.abc import Iterator
from typing import Any

from distilabel.steps import Step, StepInput
from distilabel.steps.tasks import Task as DistilabelTask
from pydantic import ValidationError

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import perturb, read_ahead
from pairwright.core.config.build_file import Style
from pairwright.core.config.slots import JudgeComponent, PerturberComponent
from pairwright.core.identity import row_rng
from pairwright.core.prompts.kinds import rewrite_request
from pairwright.core.prompts.rewriting import parse_answer, teacher_messages
from pairwright.core.records import JudgedCandidate, Rejected
from pairwright.pipelines.distilabel_steps.component_slots import ComponentSlots
from pairwright.pipelines.distilabel_steps.endpoint_slots import EndpointSlots
from pairwright.pipelines.distilabel_steps.ledger_llm import COLUMNS, LedgerLLM, Prompt, Unaskable
from pairwright.pipelines.distilabel_steps.task_rows import (
    SETTING,
    Record,
    candidate_of_row,
    case_of_row,
    goes_on,
    keeps_books,
    noted,
    task_of_row,
)
from pairwright.pipelines.judging.candidate_judging import judge_candidates

__all__ = ["JudgeCandidates", "LedgerLLM", "PerturbRewrites", "RewriteQuery"]


class RewriteQuery(DistilabelTask):  # type: ignore[misc]
    """Ask for a standalone rewrite of each query, with the XML-tagged prompt of the teacher.

    A row that fails keeps its place: its ``rewrite`` is ``None``, and ``error`` and ``message`` say why.

    Input columns:
        - language (`str`): `en` or `zh`.
        - history (`List[Dict[str, str]]`): turns with role and content, oldest first, without the query.
        - query (`str`): the query to rewrite.
        - examples (`List[Dict[str, Any]]`, optional): few-shot examples, see ``pairwright.core.records.Example``.
        - temperature, max_tokens, seed, reasks (optional): sampling of this row, with a :class:`LedgerLLM` only.

    Output columns:
        - analysis (`str`): why the query needs a rewrite or not.
        - needs_rewrite (`bool`): whether it does.
        - rewrite (`str`): the standalone query.
        - error, message (`str`): empty for a good row.
        - model, request_hash, prompt_hash, seed: how the rewrite was sampled, with a :class:`LedgerLLM` only.

    Attributes:
        style: what the rewrite aims for, `concise` or `informative`.
    """

    style: Style = "concise"
    add_raw_output: bool = False
    add_raw_input: bool = False

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        return {
            "language": True,
            "history": True,
            "query": True,
            **dict.fromkeys(("examples", "temperature", "max_tokens", "seed", "reasks"), False),
        }

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["analysis", "needs_rewrite", "rewrite", *COLUMNS]

    def format_input(self, input: Record) -> list[Record]:
        """The chat messages for one row."""
        return [message.model_dump() for message in teacher_messages(case_of_row(input), self.style)]

    def _format_inputs(self, inputs: list[Record]) -> list[Any]:
        if isinstance(self.llm, LedgerLLM):
            return [self._prompt(row, self.llm) for row in inputs]
        return [self.format_input(row) for row in inputs]

    def _prompt(self, row: Record, llm: LedgerLLM) -> Prompt | Unaskable:
        try:
            messages = teacher_messages(case_of_row(row), self.style)
        except ValidationError as exc:
            return Unaskable(str(exc))
        temperature, max_tokens = row.get("temperature", llm.temperature), row.get("max_tokens", llm.max_tokens)
        request = rewrite_request(messages, temperature, max_tokens, row.get("seed", 0))
        return Prompt(request, parse_answer, row.get("reasks", 1))

    def format_output(self, output: str | None, input: Record | None = None) -> Record:  # noqa: ARG002
        """The answer's parts, or what is wrong with it."""
        nothing = {"analysis": None, "needs_rewrite": None, "rewrite": None}
        if output is None:
            return {**nothing, "error": "empty", "message": "the model gave no answer"}
        try:
            return {**parse_answer(output).model_dump(), "error": "", "message": ""}
        except ValueError as exc:
            return {**nothing, "error": "schema", "message": str(exc)}

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input (and generation), in order."""
        prefix = f"llm_{self.name}_"
        for rows in super().process(inputs):
            for row in rows:
                for column in COLUMNS:
                    told = row.pop(prefix + column, None)
                    row[column] = row.get(column) if told is None else told
            yield rows


class JudgeCandidates(EndpointSlots, Step):  # type: ignore[misc]
    """Put each rewrite before the judges: the free ones first, those that ask an endpoint only on what is left.

    Input columns:
        - language, history, query, examples (optional): see :class:`RewriteQuery`.
        - rewrite (`str`): the rewrite or answer to judge; a row with `None` has failed before and is passed on.
        - kind, system, tools, steps (optional): see :class:`PerturbRewrites`.
        - analysis (`str`, optional), needs_rewrite (`bool`, optional): what the model said of it.
        - task, candidate, kept, left_out (optional): what rows of our own pipelines have, see docs/distilabel.md.

    Output columns:
        - accepted (`bool`): whether every judge passed it; `None` where that could not be found out.
        - score (`float`): mean of the scores given, 0 to 1; `None` where no judge gives one.
        - defects (`List[str]`): what the judges found.
        - verdicts (`str`): JSON list of all verdicts, see ``pairwright.core.records.Verdict``.
        - judge_error (`str`): empty, or why no verdict came.

    Attributes:
        judges: components such as those of ``pairwright.judges``.
        endpoints, ledger, limits: see :class:`~pairwright.pipelines.distilabel_steps.endpoint_slots.EndpointSlots`.

    Raises:
        ValidationError: one of ``judges`` is no judge.
        JudgeError: from ``load``: a judge asks an endpoint that was not given.
        BudgetReached, ModelError: from ``process``.
    """

    judges: list[JudgeComponent]

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        required = dict.fromkeys(("language", "history", "query", "rewrite"), True)
        return {**required, **dict.fromkeys(("analysis", "needs_rewrite", *SETTING), False)}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["accepted", "score", "defects", "verdicts", "judge_error"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        yield [{**row, **judgement(outcome), **_booked(row, outcome)} for row, outcome in self.judged(inputs)]

    def judged(self, inputs: list[Record]) -> Iterator[tuple[Record, JudgedCandidate | Failed | None]]:
        """Each row with what the judges say of it; None for a row without a rewrite, or that goes no further."""
        pairs = [(task_of_row(row), candidate_of_row(row)) for row in inputs if _to_judge(row)]
        outcomes = judge_candidates(pairs, self.judges, self.access())
        for row in inputs:
            yield row, next(outcomes) if _to_judge(row) else None


class PerturbRewrites(ComponentSlots, Step):  # type: ignore[misc]
    """Make each good rewrite or answer worse in named ways, each proven to have the defect that its name claims.

    Input columns:
        - language, history, query, examples (optional): see :class:`RewriteQuery`.
        - rewrite (`str`): a good rewrite, or a good answer; of a row with `None` nothing is made.
        - kind (`str`, optional): `rewrite`, or `answer` for a dialogue to answer. Perturbers for the other kind make nothing.
        - system (`str`), tools (`str`), steps (`List[Dict]`), all optional: what the assistant that answers was told, and
          its calls since the query with their results; see ``pairwright.core.records.Case``.
        - analysis (`str`, optional), needs_rewrite (`bool`, optional): what the model said of it.

    Output columns:
        - rejected (`str`): JSON list of the worse variants, see ``pairwright.core.records.Rejected``.
        - not_made (`str`): JSON list of variants that could not be made or proven, with their reasons.

    Attributes:
        perturbers: components such as those of ``pairwright.perturbers``.
        seed: with the row's content, the only source of randomness.

    Raises:
        ValidationError: one of ``perturbers`` is no perturber.
    """

    perturbers: list[PerturberComponent]
    seed: int = 0

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        required = dict.fromkeys(("language", "history", "query", "rewrite"), True)
        return {**required, **dict.fromkeys(("analysis", "needs_rewrite", *SETTING), False)}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["rejected", "not_made"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        read_ahead(self.perturbers, [case_of_row(row) for row in inputs if row["rewrite"] is not None])
        yield [{**row, **self._variants(row)} for row in inputs]

    def _variants(self, row: Record) -> Record:
        found: dict[type, list[Record]] = {Rejected: [], Dropped: []}
        for perturber in self.perturbers if row["rewrite"] is not None else ():
            case, chosen = case_of_row(row), candidate_of_row(row)
            if case.kind not in perturber.tasks:
                continue
            rng = row_rng(self.seed, f"perturb.{perturber.name}", case.id)
            for outcome in perturb(perturber, case, chosen, rng):
                found[type(outcome)].append(outcome.model_dump(mode="json"))
        return {
            "rejected": json.dumps(found[Rejected], ensure_ascii=False),
            "not_made": json.dumps(found[Dropped], ensure_ascii=False),
        }


def _to_judge(row: Record) -> bool:
    return goes_on(row) and row["rewrite"] is not None


def _booked(row: Record, outcome: JudgedCandidate | Failed | None) -> Record:
    return {"left_out": noted(row, [outcome])} if isinstance(outcome, Failed) and keeps_books(row) else {}


def judgement(outcome: JudgedCandidate | Failed | None) -> Record:
    """The columns that say what the judges found."""
    if not isinstance(outcome, JudgedCandidate):
        error = "" if outcome is None else f"{outcome.error}: {outcome.message}"
        return {"accepted": None, "score": None, "defects": [], "verdicts": "[]", "judge_error": error}
    verdicts = [verdict.model_dump(mode="json") for verdict in outcome.verdicts]
    return {
        "accepted": outcome.accepted,
        "score": outcome.score,
        "defects": [verdict["defect"] or verdict["judge"] for verdict in verdicts if not verdict["passed"]],
        "verdicts": json.dumps(verdicts, ensure_ascii=False),
        "judge_error": "",
    }
