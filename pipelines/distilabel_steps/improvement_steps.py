"""Improvement as a distilabel step: each answer is judged, checked once more, and replaced where a better one was written.

step = ImproveAnswers(improver=Fine(endpoint="judge"), judges=[...], endpoints={"judge": ...}, ledger="paid.sqlite")
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Iterator

from distilabel.steps import StepInput

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.config.slots import ImproverComponent
from pairwright.core.improvement import Improvement
from pairwright.core.records import JudgedCandidate, SftRow
from pairwright.pipelines.distilabel_steps.rewrite_steps import JudgeCandidates, judgement
from pairwright.pipelines.distilabel_steps.task_rows import Record, goes_on, leave_out, noted
from pairwright.pipelines.judging.answer_improvement import (
    account_for_written,
    improve_answers,
    keep_answers,
    list_replaced,
    list_written,
)

COLUMNS = ("chosen", "route", "outcome", "replaced", "improve_error")


class ImproveAnswers(JudgeCandidates):
    """Judge each answer, let an improver check it and write a better one, and judge that one too.

    A row that fails, or that no route keeps, stays in its place: its `chosen` is `None`.

    Input columns:
        - see :class:`~pairwright.pipelines.distilabel_steps.rewrite_steps.JudgeCandidates`; `rewrite` is the answer.
        - answer (`str`, optional): the answer as rows of our own pipelines have it, JSON of ``pairwright.core.records.SftRow``.
          It is judged already, and what becomes of it stands there afterwards.

    Output columns:
        - those of :class:`~pairwright.pipelines.distilabel_steps.rewrite_steps.JudgeCandidates`, about the answer as it came.
        - chosen (`str`): the answer to imitate, improved or as it came; `None` where the row is not worth learning from.
        - route (`str`): why the improver kept the row, or why not.
        - outcome (`str`): `improved`, why the improved text was not used, or empty where none was written.
        - replaced (`str`): JSON of the answer as a rejected text, see ``pairwright.core.records.Rejected``; empty where
          it stayed.
        - improve_error (`str`): empty, or why the improver gave no answer.
        - improvement (`str`), where there was an `answer`: JSON of ``pairwright.core.improvement.Improvement``.

    Attributes:
        improver: a component such as those of ``pairwright.judges.IMPROVERS``.

    Raises:
        ValidationError: ``improver`` is no improver.
    """

    improver: ImproverComponent

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return [*super().outputs, *COLUMNS]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        rows = list(self.judged(inputs))
        found = improve_answers(
            (_original(one) for _, one in rows if isinstance(one, JudgedCandidate)),
            self.improver,
            self.judges,
            self.access(),
        )
        yield [_improved(row, one, next(found) if isinstance(one, JudgedCandidate) else None) for row, one in rows]

    def judged(self, inputs: list[Record]) -> Iterator[tuple[Record, JudgedCandidate | Failed | None]]:
        """Each row with what the judges say of it, or have said of its ``answer``."""
        waiting = super().judged([row for row in inputs if "answer" not in row])
        for row in inputs:
            yield (row, _judged_before(row)) if "answer" in row else next(waiting)


def _judged_before(row: Record) -> JudgedCandidate | None:
    if not goes_on(row):
        return None
    answer = SftRow.model_validate_json(row["answer"])
    return JudgedCandidate(task=answer.task, candidate=answer.chosen, verdicts=answer.verdicts)


def _improved(row: Record, judged: JudgedCandidate | Failed | None, found: Improvement | Failed | None) -> Record:
    told = {**row, **judgement(judged), **_columns(found)}
    if "answer" not in row:
        return told
    told["improvement"] = found.model_dump_json() if isinstance(found, Improvement) else ""
    if isinstance(found, Failed):
        return leave_out(told, found)
    if found is None:
        return told
    written = account_for_written(list_written([found]))
    told["left_out"] = noted(told, [one for one in written if isinstance(one, Dropped)])
    (kept,) = keep_answers([found])
    return leave_out(told, kept) if isinstance(kept, Dropped) else {**told, "answer": kept.model_dump_json()}


def _original(judged: JudgedCandidate) -> SftRow:
    return SftRow.create(task=judged.task, chosen=judged.candidate, verdicts=judged.verdicts)


def _columns(found: Improvement | Failed | None) -> Record:
    if not isinstance(found, Improvement):
        error = "" if found is None else f"{found.error}: {found.message}"
        return dict(zip(COLUMNS, (None, "", "", "", error), strict=True))
    (row,), (original,) = keep_answers([found]), list_replaced([found])
    replaced = original.rejected.model_dump_json() if original.rejected else ""
    chosen = row.chosen.text if isinstance(row, SftRow) else None
    return dict(zip(COLUMNS, (chosen, found.review.route, found.outcome, replaced, ""), strict=True))
