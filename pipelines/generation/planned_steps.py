"""The two distilabel steps that only the generation stage needs: planned requests in, their outcomes out."""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from distilabel.steps import GeneratorStep, StepInput

from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import TaskKind
from pairwright.pipelines.distilabel_steps.ledger_llm import COLUMNS, Prompt, Record
from pairwright.pipelines.distilabel_steps.rewrite_steps import RewriteQuery
from pairwright.pipelines.request_plan import PlannedRequest

REPLY = tuple(Reply.model_fields)


class ReadRequests(GeneratorStep):  # type: ignore[misc]
    """Read the planned requests of one endpoint, as they stand in a JSONL file, a batch at a time."""

    path: str

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["number", "request"]

    def process(self, offset: int = 0) -> Iterator[tuple[list[Record], bool]]:
        """Yield batches, and with each whether it is the last."""
        with open(self.path, encoding="utf-8") as file:
            rows = ({"number": number, "request": line} for number, line in enumerate(file))
            batch = list(islice(rows, offset, offset + self.batch_size))
            while batch:
                following = list(islice(rows, self.batch_size))
                yield batch, not following
                batch = following


class RewritePlanned(RewriteQuery):
    """A :class:`RewriteQuery` whose requests were planned and hashed already; for the child process.

    It reads and writes JSON in plain ASCII: distilabel passes each row through five queues, where a string is cheap and
    nested columns are not, and its writer fails on a column that is empty in one batch and text in the next.

    Attributes:
        kind: of all the tasks.
    """

    kind: TaskKind = "rewrite"

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, all required."""
        return {"number": True, "request": True}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["outcome"]

    def _format_inputs(self, inputs: list[Record]) -> list[Any]:
        plans = (PlannedRequest.model_validate_json(row["request"]) for row in inputs)
        return [Prompt(planned.request(), KINDS[self.kind].read_teacher, planned.setting.reasks) for planned in plans]

    def format_output(self, output: str | None, input: Record | None = None) -> Record:  # noqa: ARG002
        """The answer's parts, or what is wrong with it."""
        nothing = dict.fromkeys(REPLY)
        if output is None:
            return {**nothing, "error": "empty", "message": "the model gave no answer"}
        try:
            return {**KINDS[self.kind].read_teacher(output).model_dump(), "error": "", "message": ""}
        except ValueError as exc:
            return {**nothing, "error": "schema", "message": str(exc)}

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield the number and the outcome of each input, in order."""
        columns = (*REPLY, *COLUMNS)
        for rows in super().process(inputs):
            yield [
                {"number": row["number"], "outcome": json.dumps({column: row[column] for column in columns})}
                for row in rows
            ]
