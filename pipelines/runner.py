"""Runs a list of steps, all of it or as far as one stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.core.identity import Row
from pairwright.pipelines.artefacts import Rows
from pairwright.pipelines.run import Run
from pairwright.pipelines.stage import Flow, RowStage, Stage, Step, SummaryStage, stages_of


def wanted_stages(steps: Sequence[Step], config: BuildConfig) -> list[Stage]:
    """The stages that a build has, in order."""
    return [stage for stage in stages_of(steps) if stage.wanted(config)]


def run_steps(steps: Sequence[Step], run: Run, until: str | None = None) -> None:
    """Run every stage that the build wants, in order, the one called ``until`` as the last one.

    What a flow that is cut short gives is in ``STAGE.jsonl``, after its last stage.

    Raises:
        PairwrightError: see core/errors.py.
    """
    for step in steps:
        if isinstance(step, SummaryStage):
            if step.wanted(run.config):
                step.make(run)
            if step.name == until:
                return
        elif _flow(step, run, until):
            return


def _flow(flow: Flow, run: Run, until: str | None) -> bool:
    """Run one flow; True if it is the last one."""
    stages = [stage for stage in flow.stages if stage.wanted(run.config)]
    names = [stage.name for stage in stages]
    last = until in names
    into = flow.into
    if until is not None and last and until != names[-1]:
        stages, into = stages[: names.index(until) + 1], Rows(f"{until}.jsonl", "", Row)
    if stages:
        _run(stages, into, run)
    elif into is not None and not into.optional:
        # Later stages read it, whether its flow had anything to do or not.
        run.write(into, ())
    return last


def _run(stages: Sequence[RowStage], into: Rows[Any] | None, run: Run) -> None:
    rows: Iterator[Any] = iter(())
    for stage in stages:
        work = stage.begin(run, rows)
        rows = run.books.stage(stage.name, stage.unit, work.inputs, work.outcomes, work.total, work.at_most)
    if into is None:
        for _ in rows:
            pass  # counted by the books, and written where the stage keeps what it finds
        return
    # Asked for behind the rows: it may say what became of them.
    if not run.write(into, stages[-1].packed(rows)) and (nothing := stages[-1].without_rows(run)) is not None:
        raise nothing


def require_stage(name: str, steps: Sequence[Step], config: BuildConfig) -> None:
    """Check that a build has the stage called ``name``.

    Raises:
        ConfigError: it has not; the message says which it has.
    """
    names = [stage.name for stage in wanted_stages(steps, config)]
    if name not in names:
        known = name in [stage.name for stage in stages_of(steps)]
        why = "the build file does not ask for this stage" if known else "no such stage"
        raise ConfigError([f"--until {name}: {why}"], f"The stages of this build: {', '.join(names)}.")
