"""The ends of a pipeline as distilabel steps: one row per pair, per answer to imitate, and per thing that was left out.

Every column but ``prompt`` is text, so that distilabel's writer finds the same types in every batch. Importing this module
imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Iterator

from distilabel.steps import Step, StepInput

from pairwright.core.bookkeeping import Dropped
from pairwright.core.records import PreferencePair, SftRow, Task, Turn
from pairwright.core.tool_calls import calls_text
from pairwright.pipelines.distilabel_steps.choosing_steps import answer_of
from pairwright.pipelines.distilabel_steps.task_rows import LeftOut, Record, books_of, goes_on, rows_of

_OF_TASK = ("task_id", "dialogue", "language", "source", "licence", "system", "tools", "prompt", "query")


class ListPairs(Step):  # type: ignore[misc]
    """One row per preference pair.

    Input columns:
        - pairs, kept: see ``pairing_steps``.

    Output columns:
        - id, task_id, dialogue, language, source, licence (`str`): what the pair is and where it comes from.
        - system, tools (`str`): what an assistant that answers was told; empty for a rewrite.
        - prompt (`List[Dict[str, str]]`): the turns with role and content, the query and the calls since then at the end.
        - query, chosen, rejected (`str`): the texts.
        - defect, maker (`str`): what is wrong with the rejected one, and who made it.
        - split (`str`): `train`, `validation` or `test`.
        - pair (`str`): JSON of all of it, see ``pairwright.core.records.PreferencePair``.
    """

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["pairs", "kept"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["id", *_OF_TASK, "chosen", "rejected", "defect", "maker", "split", "pair"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per pair, in order."""
        yield [_pair(pair) for row in inputs if goes_on(row) for pair in rows_of(row["pairs"], PreferencePair)]


def _pair(pair: PreferencePair) -> Record:
    return {
        "id": pair.id,
        **_told(pair.task),
        "chosen": pair.chosen.text,
        "rejected": pair.rejected.text,
        "defect": pair.rejected.defect,
        "maker": pair.rejected.rejected_by,
        "split": pair.split,
        "pair": pair.model_dump_json(),
    }


class ListAnswers(Step):  # type: ignore[misc]
    """One row per answer to imitate.

    Input columns:
        - answer, kept: see ``pairing_steps``.

    Output columns:
        - those of :class:`ListPairs` up to `query`.
        - chosen (`str`): the answer.
        - split (`str`): `train`, `validation` or `test`.
        - answer (`str`): JSON of all of it, see ``pairwright.core.records.SftRow``.
    """

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["answer", "kept"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["id", *_OF_TASK, "chosen", "split", "answer"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per answer, in order."""
        yield [_answer(answer_of(row)) for row in inputs if goes_on(row)]


def _answer(row: SftRow) -> Record:
    answer = {"chosen": row.chosen.text, "split": row.split, "answer": row.model_dump_json()}
    return {"id": row.id, **_told(row.task), **answer}


class ListLeftOut(Step):  # type: ignore[misc]
    """One row per thing that a step left out: what a build keeps in ``dropped.jsonl`` and ``failed.jsonl``.

    Input columns:
        - left_out: see ``reading_steps``.

    Output columns:
        - stage (`str`): what a build calls the stage.
        - row (`str`): the row's id or place.
        - failed (`bool`): whether it could not be worked on; else it was left out on purpose.
        - reason, detail (`str`): why.
    """

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["left_out"]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["stage", "row", "failed", "reason", "detail"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per thing left out, in order of the rows."""
        yield [_left_out(one) for row in inputs for one in books_of(row)]


def _left_out(one: LeftOut) -> Record:
    reason, detail = (one.reason, one.detail) if isinstance(one, Dropped) else (one.error, one.message)
    failed = not isinstance(one, Dropped)
    return {"stage": one.stage, "row": one.row, "failed": failed, "reason": reason, "detail": detail}


def _told(task: Task) -> Record:
    said = [*task.history, Turn(role="user", content=task.query), *task.steps]
    values = (
        task.id,
        task.dialogue,
        task.language,
        task.origin.source,
        task.origin.licence,
        task.system,
        task.tools,
        [{"role": one.role, "content": calls_text(one.calls) if one.calls else one.content} for one in said],
        task.query,
    )
    return dict(zip(_OF_TASK, values, strict=True))
