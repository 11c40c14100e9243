"""The gate as a distilabel step, usable in any distilabel pipeline and outside of one.

    step = GateQueries(gate=GATES["rules"]())
    step.load()
    rows = next(step.process([{"language": "en", "history": [...], "query": "What about in winter?"}]))

Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Iterator

from distilabel.steps import Step, StepInput

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.slots import GateComponent
from pairwright.core.records import KnownCase
from pairwright.pipelines.distilabel_steps.endpoint_slots import EndpointSlots
from pairwright.pipelines.distilabel_steps.task_rows import Record, case_of_row, goes_on, keeps_books, leave_out
from pairwright.pipelines.judging.gating import gate_queries


class GateQueries(EndpointSlots, Step):  # type: ignore[misc]
    """Decide of each query whether it is rewritten or passes unchanged; see docs/gate.md.

    Input columns:
        - language (`str`), history (`List[Dict[str, str]]`), query (`str`): as for a rewrite.
        - task, kept, left_out (optional): what rows of our own pipelines have, see docs/distilabel.md; a `task` then holds
          the decision.

    Output columns:
        - passes (`bool`): whether the query stays as it is; `None` where the gate gave no usable answer.
        - gate_needs_rewrite (`bool`), gate_missing_answer (`bool`): the two answers.
        - gate_score (`float`): how sure it needs a rewrite, 0 to 1; `None` where the gate gives none.
        - gate_evidence (`str`): what decided.
        - gate_error (`str`): empty, or why there is no decision.

    Attributes:
        gate: a component such as those of ``pairwright.judges.gates``.
        endpoints, ledger, limits: see :class:`~pairwright.pipelines.distilabel_steps.endpoint_slots.EndpointSlots`.

    Raises:
        ValidationError: ``gate`` is no gate.
        JudgeError: from ``load``: the gate asks an endpoint that was not given.
        BudgetReached, ModelError: from ``process``.
    """

    gate: GateComponent

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["language", "history", "query"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["passes", "gate_needs_rewrite", "gate_missing_answer", "gate_score", "gate_evidence", "gate_error"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        access = self.access()
        cases = map(case_of_row, filter(goes_on, inputs))
        outcomes = gate_queries(cases, self.gate, access.ask, access.width, access.runner)
        yield [_decided(row, next(outcomes)) if goes_on(row) else {**row, **_columns(None)} for row in inputs]


def _decided(row: Record, outcome: KnownCase | Failed) -> Record:
    row = {**row, **_columns(outcome)}
    if not keeps_books(row):
        return row
    return leave_out(row, outcome) if isinstance(outcome, Failed) else {**row, "task": outcome.model_dump_json()}


def _columns(outcome: KnownCase | Failed | None) -> Record:
    if outcome is None or isinstance(outcome, Failed):
        nothing = dict.fromkeys(("passes", "gate_needs_rewrite", "gate_missing_answer", "gate_score"))
        error = f"{outcome.error}: {outcome.message}" if outcome else ""
        return {**nothing, "gate_evidence": "", "gate_error": error}
    decision = outcome.gate
    assert decision is not None
    return {
        "passes": decision.passes,
        "gate_needs_rewrite": decision.needs_rewrite,
        "gate_missing_answer": decision.missing_answer,
        "gate_score": decision.score,
        "gate_evidence": decision.evidence,
        "gate_error": "",
    }
