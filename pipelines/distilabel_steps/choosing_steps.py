"""From judged candidates to the answer to imitate of every query, as distilabel steps.

Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Iterator, Sequence

from distilabel.steps import GlobalStep, Step, StepInput
from pydantic import TypeAdapter

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.config.sections import DiversityConfig
from pairwright.core.identity import Row
from pairwright.core.records import Candidate, JudgedCandidate, SftRow, Task, Verdict
from pairwright.pipelines.distilabel_steps.failure_checks import require_few_failures
from pairwright.pipelines.distilabel_steps.generation_steps import unasked
from pairwright.pipelines.distilabel_steps.task_rows import (
    TASK_COLUMNS,
    LeftOut,
    Record,
    blanked,
    books_of,
    by_task,
    candidate_of_row,
    failure,
    goes_on,
    json_of,
    leave_out,
    noted,
    only,
    rows_of,
    task_of_row,
)
from pairwright.pipelines.judging.answer_improvement import add_refused
from pairwright.pipelines.judging.candidate_judging import accept_candidates
from pairwright.pipelines.pairing.best_of_n import favourites_first
from pairwright.pipelines.pairing.preference_pairs import choose_answers

_VERDICTS: TypeAdapter[tuple[Verdict, ...]] = TypeAdapter(tuple[Verdict, ...])
_QUERY = (*TASK_COLUMNS, "kept", "left_out")


class Sample(Row):
    """A judged candidate without its task, which the row has."""

    candidate: Candidate
    verdicts: tuple[Verdict, ...]


class CollectCandidates(GlobalStep):  # type: ignore[misc]
    """Make one row per query again, with all of its candidates and those that may be chosen.

    Input columns:
        - candidate, asked, verdicts, judge_error, kept, left_out: see ``generation_steps`` and ``rewrite_steps``; the rows of
          a query come one after the other.

    Output columns:
        - judged (`str`): JSON list of the candidates with their verdicts.
        - contenders (`str`): JSON list of those that may be chosen, the favourite first.
        - rewrites (`List[str]`): their texts, for ``CompareRewrites``.

    Attributes:
        with_refused: of a query without an accepted candidate the best refused one may be chosen; for an improver.
        compare: contenders are to be compared: they stand in the order of their scores, one of each text, and a
            reference stands alone.
        limits: as in a build file; of them only ``max_failure_rate``, which requests and judges must keep.

    Raises:
        BuildError: from ``process``: requests or judges failed too often.
    """

    with_refused: bool = False
    compare: bool = False
    limits: LimitsConfig = LimitsConfig()

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return [*_QUERY, "candidate", "asked", "verdicts", "judge_error"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["judged", "contenders", "rewrites"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per query, in order."""
        rows = [self._collected(rows) for rows in by_task(inputs)]
        lost = [one for row in rows for one in books_of(row)]
        asked = sum(bool(row["asked"]) for row in inputs if goes_on(row))
        judged = sum(bool(row["candidate"]) for row in inputs if goes_on(row))
        require_few_failures("generate", "requests", asked, lost, self.limits.max_failure_rate)
        require_few_failures("judge", "candidates", judged, lost, self.limits.max_failure_rate)
        yield rows

    def _collected(self, rows: list[Record]) -> Record:
        query = {**only(rows[0], _QUERY), "judged": "[]", "contenders": "[]", "rewrites": []}
        if not goes_on(rows[0]):
            return query
        task = task_of_row(rows[0])
        lost = [one for row in rows for one in _lost(row)]
        judged = [_judged(task, row) for row in rows if row["candidate"] and row["judge_error"] == ""]
        outcomes = list(accept_candidates(judged))
        accepted = [one for one in outcomes if isinstance(one, JudgedCandidate)]
        contenders = self._contenders(task, list(add_refused(accepted, judged)) if self.with_refused else accepted)
        return {
            **query,
            "left_out": json_of([*lost, *(one for one in outcomes if isinstance(one, Dropped))]),
            "judged": _samples(judged),
            "contenders": _samples(contenders),
            "rewrites": [one.candidate.text for one in contenders],
        }

    def _contenders(self, task: Task, accepted: Sequence[JudgedCandidate]) -> Sequence[JudgedCandidate]:
        if not (self.compare and accepted):
            return accepted
        _, ordered = favourites_first((task, accepted))
        return ordered[:1] if ordered[0].candidate.origin == "reference" else ordered


def _lost(row: Record) -> Iterator[LeftOut]:
    yield from books_of(row)
    if lost := unasked(row):
        yield lost
    elif row["candidate"] and row["judge_error"] is None:
        yield blanked("judge", candidate_of_row(row).id)


def _judged(task: Task, row: Record) -> JudgedCandidate:
    verdicts = _VERDICTS.validate_json(row["verdicts"])
    return JudgedCandidate(task=task, candidate=candidate_of_row(row), verdicts=verdicts)


def _samples(judged: Sequence[JudgedCandidate]) -> str:
    return json_of(Sample(candidate=one.candidate, verdicts=one.verdicts) for one in judged)


def judged_of(task: Task, column: str) -> list[JudgedCandidate]:
    """The judged candidates in a column that :class:`CollectCandidates` wrote."""
    samples = rows_of(column, Sample)
    return [JudgedCandidate(task=task, candidate=one.candidate, verdicts=one.verdicts) for one in samples]


class ChooseAnswers(Step):  # type: ignore[misc]
    """Choose the answer to imitate: the source's own, else the one that won the comparisons or has the best score.

    Input columns:
        - task, contenders, kept, left_out: see :class:`CollectCandidates`.
        - ranking, compare_error (optional): see ``comparison_steps``.

    Output columns:
        - answer (`str`): JSON, see ``pairwright.core.records.SftRow``; empty for a query that has none.
        - rewrite (`str`): its text.
    """

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        required = dict.fromkeys(("task", "kept", "left_out", "contenders"), True)
        return {**required, "ranking": False, "compare_error": False}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["answer", "rewrite"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        yield [_chosen(row) for row in inputs]


def _chosen(row: Record) -> Record:
    row = {**row, "answer": "", "rewrite": None}
    if not goes_on(row):
        return row
    task = task_of_row(row)
    if lost := failure("choose", task.id, row.get("compare_error", "")):
        return leave_out(row, lost)
    contenders = judged_of(task, row["contenders"])
    if row.get("ranking"):
        contenders = [contenders[row["ranking"][0]]]
    (found,) = choose_answers([(task, contenders)])
    if isinstance(found, Dropped):
        return leave_out(row, found)
    return {**row, "answer": found.model_dump_json(), "rewrite": found.chosen.text}


class SelectDiverse(GlobalStep):  # type: ignore[misc]
    """Keep the share of each language and domain that covers it best; see docs/diversity.md.

    Input and output columns:
        - answer, kept, left_out: see :class:`ChooseAnswers`.
        - improve_error (optional): see ``improvement_steps``.

    Attributes:
        diversity: as in a build file.
    """

    diversity: DiversityConfig

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        return {"answer": True, "kept": True, "left_out": True, "improve_error": False}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["kept", "left_out"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        from pairwright.pipelines.diversity.diverse_selection import select_diverse

        rows = [answered(row) for row in inputs]
        answers = [answer_of(row) for row in rows if goes_on(row)]
        outcomes = select_diverse(lambda: iter(answers), self.diversity).outcomes(answers)
        yield [_selected(row, next(outcomes)) if goes_on(row) else row for row in rows]


def _selected(row: Record, outcome: SftRow | Dropped) -> Record:
    return leave_out(row, outcome) if isinstance(outcome, Dropped) else row


def answered(row: Record) -> Record:
    """The row, left out where its improvement or the choice of its answer has no outcome because the step raised."""
    if not goes_on(row):
        return row
    if row["answer"] is None:
        return leave_out({**row, "answer": ""}, blanked("choose", row["task_id"]))
    return leave_out(row, blanked("improve", row["task_id"])) if row.get("improve_error", "") is None else row


def answer_of(row: Record) -> SftRow:
    """The answer that a row has."""
    return SftRow.model_validate_json(row["answer"])


def added(row: Record, found: Sequence[LeftOut]) -> Record:
    """The row, with more that was left out of it; it goes on."""
    return {**row, "left_out": noted(row, found)}
