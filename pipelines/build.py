"""A build, from raw dialogues to files that trainers load. Read this file first: it is the whole flow, in order.

Rows stream through the stages of a flow as generators and end in its artefact. Each stage gives one outcome per row and
:class:`~pairwright.pipelines.books.Books` checks that none is lost. Nothing is cached between runs but the answers that
were paid for (the ledger): a build that is run again does the same work on the same inputs and leaves the same bytes.

A stage that is added to :data:`STEPS` is run, counted, planned for, checked before, told of in report and card, and named
by ``--until``: no other list knows the stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pairwright.core.bookkeeping import StageCount
from pairwright.core.calibration import apply_calibration
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.files.file_errors import file_errors
from pairwright.core.files.storage import lock_folder
from pairwright.core.llm.ledger import Ledger
from pairwright.core.result import BuildResult
from pairwright.pipelines.artefacts import (
    BALANCED,
    CANDIDATES,
    CHOSEN,
    DIVERSE,
    GATED,
    IMPROVED,
    JUDGED,
    REVIEWED,
    TASKS,
    VARIANTS,
)
from pairwright.pipelines.books import Books, Watcher
from pairwright.pipelines.build_folder import finish_build, make_work_folder, scratch_of
from pairwright.pipelines.folder_claim import Claim, look_at_folder
from pairwright.pipelines.preflight import require_all
from pairwright.pipelines.run import Run
from pairwright.pipelines.runner import require_stage, run_steps, wanted_stages
from pairwright.pipelines.stage import Flow, Step, stages_of
from pairwright.pipelines.stages.choosing import Accept, Choose
from pairwright.pipelines.stages.diversifying import Diversify
from pairwright.pipelines.stages.finishing import Audit, NoteCalibration, NoteJudging, Split
from pairwright.pipelines.stages.generating import Generate
from pairwright.pipelines.stages.improving import CompareImproved, Improve, Keep
from pairwright.pipelines.stages.judging import Gate, Judge
from pairwright.pipelines.stages.pairing import Balance, Pair, PlanPairs, Reject, Verify
from pairwright.pipelines.stages.reading import Decontaminate, Deduplicate, Read, Window

STEPS: tuple[Step, ...] = (
    Flow((Read(), Window(), Deduplicate(), Decontaminate()), TASKS),
    Flow((Gate(),), GATED),
    Flow((Generate(),), CANDIDATES),
    Flow((Judge(),), JUDGED),
    Flow((Accept(), Choose()), CHOSEN),
    Flow((Improve(),), REVIEWED),
    Flow((CompareImproved(),)),
    Flow((Keep(),), IMPROVED),
    Flow((Diversify(),), DIVERSE),
    Flow((Reject(),), VARIANTS),
    Flow((Verify(),)),
    PlanPairs(),
    Flow((Pair(), Balance()), BALANCED),
    NoteJudging(),
    NoteCalibration(),
    Split(),
    Audit(),
)


def run_build(
    config: BuildConfig,
    watch: Callable[[Ledger], Watcher],
    steps: Sequence[Step] = STEPS,
    *,
    replace: bool = False,
    file: Path | None = None,
) -> BuildResult:
    """Run all stages and put the result in ``config.output``.

    ``file`` is the build file, which must not be replaced. With ``replace`` a build of another name, or one whose files
    were edited, gives way.

    Raises:
        StorageError: the folder holds something else than this build, or is in use.
        PairwrightError: see core/errors.py; whatever was paid for is in the ledger, and running again goes on there.
    """
    scratch, output = scratch_of(steps), Path(config.output)
    look_at_folder(config, scratch, replace, file)
    config = prepare(config, steps)
    with file_errors(output), lock_folder(output):
        claim = look_at_folder(config, scratch, replace, file)
        counts = _run(config, watch, steps, claim)
        return finish_build(config, counts, steps, output, claim, replace)


def run_until(
    config: BuildConfig,
    stage: str,
    watch: Callable[[Ledger], Watcher],
    steps: Sequence[Step] = STEPS,
    *,
    replace: bool = False,
    file: Path | None = None,
) -> tuple[StageCount, ...]:
    """Run the stages as far as the one called ``stage``; what they wrote stays in ``config.output``/unfinished.

    A finished build in ``config.output`` stays as it is. The next run begins again, with all answers from the ledger.

    Raises:
        ConfigError: this build has no such stage.
        PairwrightError: see :func:`run_build`.
    """
    require_stage(stage, steps, config)
    scratch = scratch_of(steps)
    look_at_folder(config, scratch, replace, file)
    config = prepare(config, steps)
    with file_errors(Path(config.output)), lock_folder(Path(config.output)):
        return _run(config, watch, steps, look_at_folder(config, scratch, replace, file), stage)


def prepare(config: BuildConfig, steps: Sequence[Step] = STEPS) -> BuildConfig:
    """The build file with what its calibration measured, once every stage has found what it needs.

    Raises:
        ConfigError: something is missing.
    """
    config = apply_calibration(config)
    require_all(wanted_stages(steps, config), config)
    return config


def _run(
    config: BuildConfig,
    watch: Callable[[Ledger], Watcher],
    steps: Sequence[Step],
    claim: Claim,
    until: str | None = None,
) -> tuple[StageCount, ...]:
    work = make_work_folder(Path(config.output), config.name, claim)
    with Ledger(config.ledger_path) as ledger:
        judges = [(stage.name, one) for stage in stages_of(steps) for one in stage.judges(config)]
        with (
            Books(work, config.limits.max_failure_rate, watch(ledger)) as books,
            Run(config, work, books, ledger, judges) as run,
        ):
            run_steps(steps, run, until)
        return tuple(books.counts)
