"""The end of a build: exports, report and manifest are made in ``unfinished/`` and moved into place together."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from pairwright.core.bookkeeping import StageCount
from pairwright.core.component_calls import export_build
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import BuildError
from pairwright.core.identity import content_id
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.result import BuildResult
from pairwright.core.storage import atomic_writer, manifest_of, sha256_of, storage_error, write_json
from pairwright.pipelines.artefacts import DROPPED, FAILED
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.reporting.report import write_report
from pairwright.pipelines.stage import Step, artefacts_of, stages_of

UNFINISHED = "unfinished"


def make_work_folder(output: Path) -> Path:
    """An empty ``output/unfinished``, where everything is made; what a broken run left there goes."""
    work = output / UNFINISHED
    try:
        # Errors are not lost: where something stays, mkdir fails.
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    except OSError as exc:
        raise storage_error(exc, work) from exc
    return work


def finish_build(config: BuildConfig, counts: Sequence[StageCount], steps: Sequence[Step], output: Path) -> BuildResult:
    """Export, report, write the manifest, and put all of it in ``output`` in place of an older build.

    Raises:
        ExportError: an exporter cannot write the rows in its form; the older build stays as it was.
    """
    work = output / UNFINISHED
    rows = _keep_rows(steps, work)
    # What a build is does not depend on where it lies, how fast its servers may be asked, or at which address.
    resolved = config.model_dump(mode="json", exclude={"output", "ledger", "endpoints", "limits"})
    models = {name: endpoint.model for name, endpoint in config.endpoints.items()}
    build_id = content_id([resolved, models, {name: sha256_of(rows / f"{name}.jsonl") for name in ("sft", "pairs")}])
    prompts = KINDS[config.task].prompt_hashes(config.prompt)
    result = BuildResult(config, build_id, rows, tuple(counts), prompts, tuple(stages_of(steps)))
    exports = work / "exports"
    exports.mkdir()
    # The card tells of the files that the others wrote.
    for exporter in sorted(config.exports, key=lambda one: one.name == "card"):
        export_build(exporter, result, exports)
    with atomic_writer(work / "build.yaml") as file:
        yaml.safe_dump(config.model_dump(mode="json"), file, allow_unicode=True, sort_keys=False)
    write_report(result, work / "report.md")
    files = [path for path in sorted(exports.rglob("*")) if path.is_file()]
    manifest = {
        "build": build_id,
        "name": config.name,
        "prompts": dict(result.prompt_hashes),
        "stages": [count.model_dump(mode="json") for count in counts],
        "files": manifest_of(work, [*files, *sorted(rows.iterdir())]),
    }
    write_json(work / "manifest.json", manifest)
    _move_into_place(work, output)
    return replace(result, rows=output / "rows")


def read_finished(folder: Path) -> BuildResult:
    """The finished build in ``folder``, as its exporters saw it; ``tellers`` are left out.

    Raises:
        BuildError: there is none, or it is one of another version.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        counts = tuple(map(StageCount.model_validate, manifest["stages"]))
        config = read_build(folder / "build.yaml", CATALOGUES)
        return BuildResult(config, manifest["build"], folder / "rows", counts, manifest["prompts"])
    except FileNotFoundError:
        raise BuildError(f"{folder}: no finished build here", "Run the build first.") from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BuildError(f"{folder / 'manifest.json'}: cannot be read: {exc}", "Run the build again.") from exc


def _keep_rows(steps: Sequence[Step], work: Path) -> Path:
    """Move what is kept of the artefacts to ``rows/``; the steps in between go."""
    rows = work / "rows"
    rows.mkdir()
    for artefact in (DROPPED, FAILED, *artefacts_of(steps)):
        if artefact.kept_as and artefact.path(work).exists():
            os.replace(artefact.path(work), rows / artefact.kept_as)
    for path in work.iterdir():
        if path != rows:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return rows


def _move_into_place(work: Path, output: Path) -> None:
    """Replace the older build. Its manifest goes first and the new one comes last: without one there is no build."""
    try:
        (output / "manifest.json").unlink(missing_ok=True)
        for name in ("rows", "exports", "build.yaml", "report.md", "manifest.json"):
            if (output / name).is_dir():
                shutil.rmtree(output / name)
            os.replace(work / name, output / name)
        work.rmdir()
    except OSError as exc:
        raise storage_error(exc, output) from exc
