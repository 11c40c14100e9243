"""The models of a run on rows that none of them was trained on: generated in a process of its own, measured here.

All models are asked with the student's one prompt through their own chat templates, greedily, in batches padded on the
left; the same models on the same device give the same answers. Measuring is ``pairwright evaluate``'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.errors import ConfigError, ModelError
from pairwright.core.files.storage import write_json
from pairwright.core.identity import Row, content_id
from pairwright.core.records import Split
from pairwright.evaluation.gold_rows import GoldSet, gold_of_build
from pairwright.evaluation.predictions import System, read_predictions, write_predictions
from pairwright.evaluation.systems.student_requests import RequestOptions, like_build, with_examples
from pairwright.evaluation.systems.system_spec import SystemSpec, parse_system
from pairwright.training_recipes.runs.step_log import StepWriter

ANSWER_TOKENS = {True: 400, False: 128}
"""The longest answer that a student may give, with its analysis and without."""


class HeldOutJob(Row):
    """What to generate: ``systems`` by name on the rows of ``splits`` of the build in ``test``, into ``folder``."""

    test: str
    systems: Mapping[str, str]
    splits: tuple[Split, ...]
    answer_tokens: int | None = None
    folder: str

    def gold(self) -> GoldSet:
        """The rows, with the examples that their prompts show.

        Raises:
            SourceError: the build has no such rows.
        """
        return with_examples(gold_of_build(Path(self.test), self.splits), self.request_options())

    def request_options(self) -> RequestOptions:
        """How the models are asked: as the build's student is."""
        options = like_build(Path(self.test), RequestOptions())
        tokens = self.answer_tokens or ANSWER_TOKENS[options.student.prompt.analysis]
        return options.model_copy(update={"answer_tokens": tokens})

    def specs(self) -> list[SystemSpec]:
        """The systems, parsed.

        Raises:
            ConfigError: one of them is no local model.
        """
        found = [parse_system(system)._replace(name=name) for name, system in self.systems.items()]
        if wrong := [f"evaluate.{spec.name}: {spec.target}: not hf:FOLDER" for spec in found if spec.kind != "hf"]:
            raise ConfigError(wrong, "A run compares models on this machine: hf:FOLDER[+ADAPTER].")
        return found

    def predictions(self, name: str) -> Path:
        """Where the answers of a system are."""
        return Path(self.folder) / "predictions" / f"{name}.jsonl"

    def note(self, name: str) -> Path:
        """What says which answers those are: they are generated once."""
        return Path(self.folder) / "predictions" / f"{name}.json"


def generate(settings: Mapping[str, Any], steps: StepWriter) -> None:
    """Let every system answer every row; one that has answered before is not asked again. Runs in the launcher.

    Raises:
        ModelError: a model or an adapter cannot be loaded.
    """
    job = HeldOutJob.model_validate(settings)
    gold, options, specs = job.gold(), job.request_options(), job.specs()
    missing = [spec for spec in specs if not _answered(job, spec, gold)]
    steps.write("begin", step=0, total=len(missing) * len(gold.rows), facts={})
    done = [0]

    def tell(rows: int) -> None:
        done[0] += rows
        steps.write("step", step=done[0])

    for spec in missing:
        _generate(job, spec, gold, options, tell)


def _generate(job: HeldOutJob, spec: SystemSpec, gold: GoldSet, options: RequestOptions, tell: Any) -> None:
    from pairwright.evaluation.systems.transformers_model import from_transformers

    model, *adapters = spec.target.split("+")
    system = from_transformers(spec.name, _local(model), adapters, gold, options, tell)
    write_predictions(job.predictions(spec.name), system.predictions)
    write_json(job.note(spec.name), {"of": identity(job, spec, gold), "details": dict(system.details)})


def _local(model: str) -> str:
    """The folder of a model that training has brought here under its name on the Hub."""
    if Path(model).is_dir():
        return model
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return str(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as exc:
        raise ModelError(
            f"{model}: no such folder, and no model of that name in the Hub's cache",
            "Give the folder of the student with --model.",
        ) from exc


def _answered(job: HeldOutJob, spec: SystemSpec, gold: GoldSet) -> bool:
    note = job.note(spec.name)
    return note.is_file() and _read(note)["of"] == identity(job, spec, gold)


def identity(job: HeldOutJob, spec: SystemSpec, gold: GoldSet) -> str:
    """Names what a file of answers answers, and with what."""
    return content_id([spec.target, gold.sha256, job.splits, job.request_options().answer_tokens])


def _read(path: Path) -> Any:
    import json

    return json.loads(path.read_text(encoding="utf-8"))


def answered(job: HeldOutJob) -> tuple[GoldSet, list[System]]:
    """The rows and what every system answered.

    Raises:
        SourceError: the files of answers were changed.
    """
    gold = job.gold()
    systems: Sequence[System] = [
        System(
            name=name,
            kind="transformers",
            predictions=read_predictions(job.predictions(name), gold),
            details=_read(job.note(name))["details"],
        )
        for name in job.systems
    ]
    return gold, list(systems)
