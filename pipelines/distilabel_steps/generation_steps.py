"""From tasks to candidates as distilabel steps: what is to be asked is planned, then each endpoint answers its own rows.

Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
from collections.abc import Iterator, Mapping
from typing import Any

from distilabel.steps import GlobalStep, StepInput

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.build_file import EndpointConfig, GeneratorConfig, LimitsConfig, PromptConfig
from pairwright.core.errors import PairwrightError
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import Candidate, Task
from pairwright.pipelines.distilabel_steps.component_slots import ComponentSlots
from pairwright.pipelines.distilabel_steps.failure_checks import require_few_failures
from pairwright.pipelines.distilabel_steps.ledger_llm import COLUMNS, LedgerLLM, Prompt
from pairwright.pipelines.distilabel_steps.rewrite_steps import RewriteQuery
from pairwright.pipelines.distilabel_steps.task_rows import (
    BLANKED,
    Record,
    blanked,
    books_of,
    failure,
    goes_on,
    leave_out,
    noted,
    task_of_row,
)
from pairwright.pipelines.judging.candidate_judging import list_candidates
from pairwright.pipelines.request_plan import Outcome, PlannedRequest, plan_generation

_NO_CANDIDATE: Record = {
    **dict.fromkeys(("candidate", "request", "asked", "error", "message"), ""),
    **dict.fromkeys(("rewrite", "analysis", "needs_rewrite")),
}


class PlanRequests(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Make one row of each candidate that a query has or is to get: of its reference or its gate, then of each model.

    A query that gets none keeps one row. Which requests there are, and with which seeds, does not depend on the order of the
    rows; see docs/generation.md.

    Input columns:
        - task, kept, left_out: see ``reading_steps``.
        - gate_error (`str`, optional): see ``gate_steps``.

    Output columns:
        - candidate (`str`): JSON, see ``pairwright.core.records.Candidate``; empty where a model is to be asked.
        - rewrite (`str`), analysis (`str`), needs_rewrite (`bool`): the same, to be read.
        - request (`str`), asked (`str`): what is to be asked, and the name of the endpoint; empty where nothing is.
        - error, message (`str`): empty.

    Attributes:
        generation, endpoints, prompt, seed: as in a build file.
        limits: as in a build file; of them only ``max_failure_rate``, which the gate must keep.

    Raises:
        BuildError: from ``process``: the gate failed too often.
    """

    generation: list[GeneratorConfig]
    endpoints: dict[str, EndpointConfig]
    prompt: PromptConfig = PromptConfig()
    seed: int = 0
    limits: LimitsConfig = LimitsConfig()

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        return {"task": True, "kept": True, "left_out": True, "gate_error": False}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return list(_NO_CANDIDATE)

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield the rows of all queries, in order."""
        rows = [_gated(row) for row in inputs]
        lost = [one for row in rows for one in books_of(row)]
        gated = sum(goes_on(row) for row in rows) + sum(one.stage == "gate" for one in lost)
        require_few_failures("gate", "queries", gated, lost, self.limits.max_failure_rate)
        tasks = {row["task_id"]: task_of_row(row) for row in rows if goes_on(row)}
        requests: dict[str, list[PlannedRequest]] = {name: [] for name in tasks}
        for planned in plan_generation(self, tasks.values):
            requests[planned.task.id].append(planned)
        yield [
            made
            for row in rows
            for made in (_candidates(row, tasks[row["task_id"]], requests[row["task_id"]]) if goes_on(row) else [row])
        ]


def _gated(row: Record) -> Record:
    row = {**row, **_NO_CANDIDATE}
    lost = failure("gate", row["task_id"], row.get("gate_error", ""))
    return leave_out(row, lost) if goes_on(row) and lost else row


def _candidates(row: Record, task: Task, requests: list[PlannedRequest]) -> list[Record]:
    own = [{**row, **columns_of_candidate(found)} for _, found in list_candidates([task], ())]
    asked = [
        {**row, "request": planned.model_dump_json(exclude={"task"}), "asked": planned.setting.endpoint}
        for planned in requests
    ]
    return [*own, *asked] or [row]


def columns_of_candidate(found: Candidate) -> Record:
    """The columns that stand for a candidate."""
    read = {"rewrite": found.text, "analysis": found.analysis, "needs_rewrite": found.needs_rewrite}
    return {"candidate": found.model_dump_json(), **read}


class GenerateCandidates(ComponentSlots, RewriteQuery):
    """Ask one endpoint what :class:`PlanRequests` planned for it; the other rows pass.

    Input and output columns:
        - request, asked, candidate, rewrite, analysis, needs_rewrite, error, message: see :class:`PlanRequests`.
        - task, kept, left_out: see ``reading_steps``; a request that failed is in `left_out`, its `rewrite` is `None`.

    Attributes:
        llm: a :class:`LedgerLLM` with the endpoint's name.

    A budget that is used up, or an endpoint that cannot be used at all, stands in `message` of all rows that are left, and
    ``CollectCandidates`` ends the pipeline.
    """

    llm: LedgerLLM

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, all required."""
        return dict.fromkeys(("task", "kept", "left_out", *_NO_CANDIDATE), True)

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        # distilabel empties the columns of a batch whose step raised: what other rows have must not be among them.
        return ["error", "message"]

    def _format_inputs(self, inputs: list[Record]) -> list[Any]:
        return [_prompt(_planned(row)) for row in inputs]

    def format_output(self, output: str | None, input: Record | None = None) -> Record:
        """The answer's parts, or what is wrong with it."""
        nothing = dict.fromkeys(Reply.model_fields)
        assert input is not None
        if output is None:
            return {**nothing, "error": "empty", "message": "the model gave no answer"}
        try:
            return {**KINDS[task_of_row(input).kind].read_teacher(output).model_dump(), "error": "", "message": ""}
        except ValueError as exc:
            return {**nothing, "error": "schema", "message": str(exc)}

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        own = [row for row in inputs if self._is_own(row)]
        try:
            answered = [row for rows in super().process(own) for row in rows] if own else []
        except PairwrightError as exc:  # raised again by the next step over all rows, which ends the pipeline
            stopped = {"error": BLANKED, "message": exc.message}
            yield [{**row, **stopped} if self._is_own(row) else row for row in inputs]
        else:
            found = iter(answered)
            yield [_answered(row, next(found)) if self._is_own(row) else row for row in inputs]

    def _is_own(self, row: Record) -> bool:
        return goes_on(row) and bool(row["asked"] == self.llm.name)


def _planned(row: Record) -> PlannedRequest:
    return PlannedRequest.model_validate({"task": task_of_row(row), **json.loads(row["request"])})


def _prompt(planned: PlannedRequest) -> Prompt:
    return Prompt(planned.request(), KINDS[planned.task.kind].read_teacher, planned.setting.reasks)


def _answered(row: Record, answer: Mapping[str, Any]) -> Record:
    columns = (*Reply.model_fields, *COLUMNS)
    found = _planned(row).result(Outcome(**{column: answer[column] for column in columns}))
    if isinstance(found, Failed):
        return {**row, "error": found.error, "message": found.message, "left_out": noted(row, [found])}
    return {**row, **columns_of_candidate(found)}


def unasked(row: Record) -> Failed | None:
    """The failure of a row whose request has no outcome: the step raised."""
    if row["asked"] and not row["candidate"] and not any(one.stage == "generate" for one in books_of(row)):
        return blanked("generate", _planned(row).name, row["message"])
    return None
