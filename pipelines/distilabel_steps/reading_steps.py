"""From sources to tasks as distilabel steps: read, window, without duplicates, without what copies a test set.

Every row has ``kept`` and ``left_out``: what is left out stays a row to the end, with the reason.
Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from distilabel.steps import GeneratorStep, GlobalStep, Step, StepInput
from pydantic import PrivateAttr

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import read_source
from pairwright.core.components import NamedSource
from pairwright.core.config.build_file import ContextConfig
from pairwright.core.config.sections import DecontaminationConfig, DedupConfig, ExamplesConfig
from pairwright.core.config.slots import SourceComponent
from pairwright.core.errors import SourceError
from pairwright.core.records import Conversation, Task, TaskKind
from pairwright.pipelines.dedup.deduplication import deduplicate
from pairwright.pipelines.distilabel_steps.component_slots import ComponentSlots
from pairwright.pipelines.distilabel_steps.task_rows import (
    TASK_COLUMNS,
    Record,
    blanked,
    columns_of_task,
    goes_on,
    json_of,
    leave_out,
    task_of_row,
)
from pairwright.pipelines.ingest.contexts import QueryPosition
from pairwright.pipelines.ingest.windows import WINDOWS

BOOKS = ("kept", "left_out")
"""The columns that every row has from the first step on."""


class ReadDialogues(ComponentSlots, GeneratorStep):  # type: ignore[misc]
    """Read the dialogues of some sources, in their order; a row that cannot be read is there, left out.

    Output columns:
        - conversation (`str`): JSON, see ``pairwright.core.records.Conversation``; empty for a row that cannot be read.
        - kept (`bool`): whether the row goes on.
        - left_out (`str`): JSON list of why it does not, see ``pairwright.core.bookkeeping``.

    Attributes:
        sources: components such as ``{"use": "files", "source": NAME, "path": FILE}``.
        kind: what is to become of the dialogues, `rewrite` or `answer`.
        max_rows: read at most so many rows of each source.

    Raises:
        SourceError, ComponentError: from ``process``.
    """

    sources: list[SourceComponent]
    kind: TaskKind = "rewrite"
    max_rows: int | None = None

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["conversation", *BOOKS]

    def process(self, offset: int = 0) -> Iterator[tuple[list[Record], bool]]:
        """Yield batches, and with each whether it is the last."""
        read = (one for source in self.sources for one in islice(read_source(source), self.max_rows))
        rows = map(_read_row, islice(WINDOWS[self.kind].check(read), offset, None))
        batch = list(islice(rows, self.batch_size))
        if not batch:
            raise SourceError(
                "the sources have no rows", "distilabel waits for ever for the first one: name other files."
            )
        while batch:
            following = list(islice(rows, self.batch_size))
            yield batch, not following
            batch = following


def _read_row(found: Conversation | Failed) -> Record:
    if isinstance(found, Failed):
        return {"conversation": "", "kept": False, "left_out": json_of([found])}
    return {"conversation": found.model_dump_json(), "kept": True, "left_out": "[]"}


class WindowQueries(ComponentSlots, Step):  # type: ignore[misc]
    """Make one task of each query of a dialogue, with the history and the examples that models will see.

    A dialogue gives as many rows as it has queries, and one that is left out where it has none.

    Input columns:
        - conversation, kept, left_out: see :class:`ReadDialogues`.

    Output columns:
        - task (`str`): JSON, see ``pairwright.core.records.Task``; empty for a row that is left out before it is one.
        - task_id, language, query (`str`), history (`List[Dict[str, str]]`): the same, to be read.
        - kept, left_out: brought up to date.

    Attributes:
        kind: `rewrite` or `answer`.
        context, examples: as in a build file.

    Raises:
        ConfigError: from ``load``: the examples cannot be read.
    """

    kind: TaskKind = "rewrite"
    context: ContextConfig = ContextConfig()
    examples: ExamplesConfig = ExamplesConfig()

    _window: Callable[[Iterable[QueryPosition]], Iterator[Task | Dropped]] | None = PrivateAttr(None)

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["conversation", *BOOKS]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        # Not BOOKS: distilabel empties the columns of a batch whose step raised.
        return list(TASK_COLUMNS)

    def load(self) -> None:
        """Read the examples."""
        super().load()
        self._window = WINDOWS[self.kind].windower(self)

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per query, in order."""
        yield [row for dialogue in inputs for row in self._queries(dialogue)]

    def _queries(self, row: Record) -> list[Record]:
        books = {name: row[name] for name in BOOKS}
        if not goes_on(row):
            return [{**columns_of_task(None), **books}]
        assert self._window is not None, "load() comes first"
        dialogue = Conversation.model_validate_json(row["conversation"])
        found = list(self._window(WINDOWS[self.kind].find([dialogue], self.context)))
        return [_task_row(one, books) for one in found] or [{**columns_of_task(None), **books, "kept": False}]


def _task_row(found: Task | Dropped, books: Record) -> Record:
    if isinstance(found, Dropped):
        return leave_out({**columns_of_task(None), **books}, found)
    return {**columns_of_task(found), **books}


class DeduplicateTasks(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Leave out exact and near duplicates, and what an earlier build has; see docs/dedup.md.

    Input and output columns:
        - task, kept, left_out: see :class:`WindowQueries`.

    Attributes:
        dedup: as in a build file.
    """

    dedup: DedupConfig = DedupConfig()

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["task", *BOOKS]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return list(BOOKS)

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        rows = [leave_out(row, blanked("window", "")) if row["task"] is None else row for row in inputs]
        yield decide_tasks(rows, lambda tasks: deduplicate(tasks, self.dedup))


class DecontaminateTasks(ComponentSlots, GlobalStep):  # type: ignore[misc]
    """Leave out, or flag, what copies a row of a test set; see docs/dedup.md.

    Input and output columns:
        - task, kept, left_out: see :class:`WindowQueries`.

    Attributes:
        evaluations: sources, as in a build file.
        decontamination: as in a build file.
        kind: `rewrite` or `answer`.
    """

    evaluations: list[SourceComponent]
    decontamination: DecontaminationConfig = DecontaminationConfig()
    kind: TaskKind = "rewrite"

    @property
    def inputs(self) -> list[str]:
        """The columns read."""
        return ["task", *BOOKS]

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["task", *BOOKS]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield all rows, in order."""
        from pairwright.pipelines.dedup.decontamination import decontaminate

        tests = {
            source.source if isinstance(source, NamedSource) else source.name: read_source(source)
            for source in self.evaluations
        }
        listed = {name: WINDOWS[self.kind].list_tests(rows) for name, rows in tests.items()}
        yield decide_tasks(inputs, lambda tasks: decontaminate(tasks, listed, self.decontamination, lambda _: None))


def decide_tasks(
    rows: Sequence[Record], decide: Callable[[Iterable[Task]], Iterator[Task | Dropped | Failed]]
) -> list[Record]:
    """The rows after ``decide``, which gives one outcome per task of those that go on, in order."""
    outcomes = decide(task_of_row(row) for row in rows if goes_on(row))
    return [_decided(row, next(outcomes)) if goes_on(row) else row for row in rows]


def _decided(row: Record, outcome: Task | Dropped | Failed) -> Record:
    return {**row, "task": outcome.model_dump_json()} if isinstance(outcome, Task) else leave_out(row, outcome)
