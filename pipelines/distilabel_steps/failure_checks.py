"""Too many failed rows end a pipeline of ours as they end a build, and so does every batch that distilabel blanked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pairwright.core.bookkeeping import Failed
from pairwright.core.errors import BuildError
from pairwright.pipelines.distilabel_steps.task_rows import BLANKED, LeftOut
from pairwright.pipelines.failure_limit import FailureLimit

_HINT = "Answers that came are in the ledger: run the same pipeline again once the cause is mended."


def require_few_failures(stage: str, unit: str, rows: int, found: Iterable[LeftOut], rate: float) -> None:
    """Look at what a stage with so many rows left out.

    Raises:
        BuildError: a step raised, or more rows failed than ``rate`` allows.
    """
    lost = [one for one in found if isinstance(one, Failed) and one.stage == stage]
    if stopped := [one for one in lost if one.error == BLANKED]:
        what = f"stage {stage}: the step raised, and {len(stopped)} {unit} have no outcome: {stopped[0].message}"
        raise BuildError(what, _HINT)
    limit = FailureLimit(stage=stage, unit=unit, rate=rate, rows=rows)
    if limit.passed(len(lost), rows - len(lost)):
        hint = f"The first: {lost[0].message}. {_HINT}"
        raise limit.error(Counter(one.error for one in lost), rows, "", hint)
