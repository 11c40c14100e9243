"""The record of a run, ``run.json``: what was run on what, how it went, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from pairwright.core.errors import TrainingError
from pairwright.core.files.storage import sha256_of, write_json
from pairwright.core.identity import Row, content_id
from pairwright.core.records import Scalar, Split
from pairwright.training_recipes.recipes.build_facts import BuildFacts
from pairwright.training_recipes.recipes.recipe_files import Kind, Recipe, Trainer
from pairwright.training_recipes.recipes.rendering import Stage
from pairwright.training_recipes.runs.guard import TrainingVerdict
from pairwright.training_recipes.runs.step_log import Metrics
from pairwright.training_recipes.runs.watchdog import Drift

RUN = "run.json"


class StageRecord(Row):
    """One stage. ``fingerprint`` names its settings and data: a stage that is done is skipped while it stays the same.

    ``metrics`` are the last logged figures, the last evaluation's and the summary; ``resumed`` the steps at which it was
    gone on with; ``seconds`` counts the last go only.
    """

    name: str
    trainer: Trainer
    kind: Kind
    fingerprint: str
    status: Literal["running", "done"]
    settings: Mapping[str, Any]
    output: str
    log: str
    started: str
    seconds: float | None = None
    steps: int = 0
    resumed: tuple[int, ...] = ()
    metrics: Metrics = Field(default_factory=dict)
    drift: Drift | None = None
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = Field(default_factory=dict)


class HeldOutRecord(Row):
    """Figures of every model on held-out rows, with 95 % intervals; the whole evaluation is in ``evaluate/``."""

    splits: tuple[Split, ...]
    rows: int
    dialogues: int
    sha256: str
    figures: Mapping[str, Mapping[str, tuple[float | None, float | None, float | None]]]


class RunRecord(Row):
    """One run of a recipe on a build. ``data`` has the SHA-256 of every exported file, ``data_hash`` names them all.

    ``recommended`` is the model to use, by name, as ``hf:FOLDER[+ADAPTER]``.
    """

    recipe: str
    recipe_hash: str
    build: str
    build_id: str
    data_hash: str
    data: Mapping[str, str]
    prompt_hashes: Mapping[str, str]
    overrides: Mapping[str, Scalar]
    command: tuple[str, ...]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    started: str
    finished: str | None = None
    stages: tuple[StageRecord, ...] = ()
    held_out: HeldOutRecord | None = None
    verdict: TrainingVerdict | None = None
    recommended: Mapping[str, str] = Field(default_factory=dict)
    pictures: tuple[str, ...] = ()

    def stage(self, name: str) -> StageRecord | None:
        """The record of one stage, None where it has not begun."""
        return next((one for one in self.stages if one.name == name), None)

    def with_stage(self, record: StageRecord) -> RunRecord:
        """The run with ``record`` in its place."""
        kept = [one for one in self.stages if one.name != record.name]
        return self.model_copy(update={"stages": (*kept, record)})


def now() -> str:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_record(record: RunRecord, output: Path) -> None:
    """Write ``run.json``.

    Raises:
        StorageError: it cannot be written.
    """
    write_json(output / RUN, record.model_dump(mode="json"))


def read_record(output: Path) -> RunRecord | None:
    """The record in ``output``; None where there is none.

    Raises:
        TrainingError: ``run.json`` is no record of this version.
    """
    path = output / RUN
    if not path.is_file():
        return None
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except ValidationError as exc:
        raise TrainingError(
            f"{path}: not a run record of this version of pairwright", "Give another --output, or --fresh."
        ) from exc


def data_of(facts: BuildFacts, trainers: Sequence[Trainer]) -> dict[str, str]:
    """SHA-256 of every exported file that these trainers may read, as it is on the disk now."""
    folders = [facts.exports[trainer].folder for trainer in trainers if trainer in facts.exports]
    files = [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in (".json", ".jsonl")]
    return {path.relative_to(facts.folder).as_posix(): sha256_of(path) for path in files}


def fingerprint(stage: Stage, data_hash: str) -> str:
    """Names what a stage does: its settings and the data."""
    return content_id([stage.trainer, stage.kind, dict(stage.settings), data_hash])


def recipe_hash(recipe: Recipe) -> str:
    """Names the text of the recipe."""
    return content_id(recipe.path.read_text(encoding="utf-8"))
