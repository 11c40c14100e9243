"""A stage of a build, and a flow of stages: what ``pipelines/build.py`` lists.

A stage is a small object. It says what it reads and writes, what it counts, whom it asks, what that would take, and what
there is to tell of it. Everything that is done with stages loops over the list: running, ``plan``, ``check``, the
manifest, report and card, ``--until``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Configured
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.identity import Row
from pairwright.core.result import BuildResult, ReportSection
from pairwright.pipelines.artefacts import Artefact, Latest, Rows
from pairwright.pipelines.needs import Need, Outlook
from pairwright.pipelines.run import Run


class Stage:
    """What all stages have in common; a stage overrides what is not so with it.

    ``name`` is what books, reports and ``--until`` call it. ``reads`` are the artefacts that it reads, ``writes`` those that
    it writes itself, beside what its flow writes. ``per_row`` says that its outcome for a row depends on the row and the
    seed alone: any process may work on any part of the rows.
    """

    name: ClassVar[str]
    per_row: ClassVar[bool] = False
    reads: ClassVar[tuple[Artefact | Latest[Any], ...]] = ()
    writes: ClassVar[tuple[Artefact, ...]] = ()

    def wanted(self, config: BuildConfig) -> bool:  # noqa: ARG002
        """Whether this build has the stage at all."""
        return True

    def require(self, config: BuildConfig) -> None:
        """Look for all that the stage needs, before anything is read or paid for; ``check`` does only this.

        Raises:
            ConfigError: something is missing; it says what to do.
        """

    def judges(self, config: BuildConfig) -> tuple[Configured, ...]:  # noqa: ARG002
        """The components that judge in this stage, for the figures of what judging took."""
        return ()

    def asks(self, config: BuildConfig) -> bool:
        """Whether the stage asks an endpoint."""
        return any(judge.paid for judge in self.judges(config))

    def needs(self, outlook: Outlook) -> Iterator[Need]:  # noqa: ARG002
        """What the stage would ask at most, for ``plan``."""
        return iter(())

    def report(self, result: BuildResult) -> Iterator[ReportSection]:  # noqa: ARG002
        """What the build's report says of the stage."""
        return iter(())

    def card(self, result: BuildResult) -> Iterator[ReportSection]:  # noqa: ARG002
        """What the data card says of the stage."""
        return iter(())


class Work(NamedTuple):
    """A row stage at work: what comes in, and what makes exactly one outcome of each. See :class:`RowStage`."""

    inputs: Iterator[Any]
    outcomes: Callable[[Iterator[Any]], Iterator[Any]]
    total: int | None = None
    at_most: int | None = None


class RowStage(Stage):
    """A stage with one outcome per row; :class:`~pairwright.pipelines.books.Books` checks that. ``unit`` names what it counts.

    Most say what their inputs and their outcomes are. One whose outcomes need to know more than a row says both at once,
    in :meth:`begin`.
    """

    unit: ClassVar[str]

    def begin(self, run: Run, rows: Iterator[Any]) -> Work:
        """Get to work; ``rows`` is what the stage before it in the flow gives, nothing for the first one."""
        inputs = self.inputs(run, rows)
        return Work(inputs, partial(self.outcomes, run), self.total(run), self.at_most(run))

    def inputs(self, run: Run, rows: Iterator[Any]) -> Iterator[Any]:  # noqa: ARG002
        """What is counted as coming in."""
        return rows

    def outcomes(self, run: Run, rows: Iterator[Any]) -> Iterator[Any | Dropped | Failed]:
        """Exactly one outcome per input: what goes on, or why it does not."""
        raise NotImplementedError

    def packed(self, rows: Iterator[Any]) -> Iterator[Row]:
        """Kept rows in the form in which they are written, if the stage is the last of its flow."""
        return rows

    def total(self, run: Run) -> int | None:  # noqa: ARG002
        """How many rows will come in, where that is known before."""
        return None

    def at_most(self, run: Run) -> int | None:
        """More rows than so many will not come in, where that is known before: too many failures are seen at once."""
        return self.total(run)

    def without_rows(self, run: Run) -> BuildError | None:  # noqa: ARG002
        """The error that ends the build if nothing is kept; None where that may be."""
        return None


class SummaryStage(Stage):
    """A stage that looks at finished rows and writes something about all of them."""

    def make(self, run: Run) -> None:
        """Write the stage's artefacts."""
        raise NotImplementedError


@dataclass(frozen=True)
class Flow:
    """Row stages that stream into one artefact; ``into`` is None where they are only counted."""

    stages: tuple[RowStage, ...]
    into: Rows[Any] | None = None


Step = Flow | SummaryStage


def artefacts_of(steps: Iterable[Step]) -> Iterator[Artefact]:
    """Every artefact that the steps write, in order: each stage's own ones, then that of its flow."""
    for step in steps:
        for stage in stages_of([step]):
            yield from stage.writes
        if isinstance(step, Flow) and step.into is not None:
            yield step.into


def stages_of(steps: Iterable[Step]) -> Iterator[Stage]:
    """Every stage, in order."""
    for step in steps:
        yield from step.stages if isinstance(step, Flow) else (step,)
