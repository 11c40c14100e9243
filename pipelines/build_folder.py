"""The end of a build: exports, report and manifest are made in ``unfinished/`` and moved into place together."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from pairwright.core.bookkeeping import StageCount
from pairwright.core.component_calls import export_build
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import BuildError, StorageError
from pairwright.core.files.file_errors import storage_error
from pairwright.core.files.owned_folder import BUILD, Mark, changed_files, remove_empty, require_places, write_mark
from pairwright.core.files.storage import atomic_writer, manifest_of, sha256_of, write_json
from pairwright.core.identity import content_id
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.result import BuildResult
from pairwright.core.untrusted_json import read_json
from pairwright.pipelines.artefacts import DROPPED, FAILED
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.folder_claim import FILES, FOLDERS, MANIFEST, UNFINISHED, Claim, is_scratch
from pairwright.pipelines.reporting.report import write_report
from pairwright.pipelines.stage import Step, artefacts_of, stages_of


def scratch_of(steps: Sequence[Step]) -> frozenset[str]:
    """The names of all that a run with these steps makes in ``unfinished/``, unfinished files (``.partial``) aside."""
    files = [artefact.file for artefact in (DROPPED, FAILED, *artefacts_of(steps))]
    outlines = [str(Path(file).with_suffix(".outline.jsonl")) for file in files]
    cut_short = [f"{stage.name}.jsonl" for stage in stages_of(steps)]
    return frozenset([*files, *outlines, *cut_short, *FOLDERS, *FILES, "generation"])


def make_work_folder(output: Path, name: str, claim: Claim) -> Path:
    """``output/unfinished``, where everything is made, without what a broken run left there; the mark comes first.

    Files that no run made stay where they are.

    Raises:
        StorageError: the folder cannot be written.
    """
    work = output / UNFINISHED
    try:
        output.mkdir(parents=True, exist_ok=True)
        files = {path: tuple(digests) for path, digests in claim.files.items()}
        write_mark(output, Mark(kind=BUILD, name=name, scratch=tuple(sorted(claim.scratch)), files=files))
        _clear(work, claim.scratch)
        work.mkdir(exist_ok=True)
    except OSError as exc:
        raise storage_error(exc, work) from exc
    return work


def _clear(work: Path, scratch: Collection[str]) -> None:
    for path in list(work.iterdir()) if work.is_dir() else []:
        if is_scratch(path.name, scratch):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def finish_build(
    config: BuildConfig,
    counts: Sequence[StageCount],
    steps: Sequence[Step],
    output: Path,
    claim: Claim,
    replacing: bool = False,
) -> BuildResult:
    """Export, report, write the manifest, and put all of it in ``output`` in place of an older build.

    Raises:
        ExportError: an exporter cannot write the rows in its form; the older build stays as it was.
        StorageError: a file that is not the older build's is in the way; the older build stays as it was.
    """
    work = output / UNFINISHED
    rows = _keep_rows(steps, work, claim.scratch)
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
    files = [path for path in exports.rglob("*") if path.is_file()]
    made = manifest_of(work, [*files, *rows.iterdir()])
    manifest = {
        "build": build_id,
        "name": config.name,
        "prompts": dict(result.prompt_hashes),
        "stages": [count.model_dump(mode="json") for count in counts],
        "files": made,
    }
    write_json(work / "manifest.json", manifest)
    new = made | manifest_of(work, [work / name for name in FILES])
    _move_into_place(work, output, Mark(kind=BUILD, name=config.name), claim, new, replacing)
    return replace(result, rows=output / "rows")


def read_finished(folder: Path) -> BuildResult:
    """The finished build in ``folder``, as its exporters saw it; ``tellers`` are left out.

    Raises:
        BuildError: there is none, or it is one of another version.
    """
    try:
        manifest = read_json((folder / "manifest.json").read_bytes())
        counts = tuple(map(StageCount.model_validate, manifest["stages"]))
        config = read_build(folder / "build.yaml", CATALOGUES)
        return BuildResult(config, manifest["build"], folder / "rows", counts, manifest["prompts"])
    except FileNotFoundError:
        raise BuildError(f"{folder}: no finished build here", "Run the build first.") from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise BuildError(f"{folder / 'manifest.json'}: cannot be read: {exc}", "Run the build again.") from exc


def _keep_rows(steps: Sequence[Step], work: Path, scratch: Collection[str]) -> Path:
    """Move what is kept of the artefacts to ``rows/``; the steps in between go."""
    rows = work / "rows"
    rows.mkdir()
    for artefact in (DROPPED, FAILED, *artefacts_of(steps)):
        if artefact.kept_as and artefact.path(work).exists():
            os.replace(artefact.path(work), rows / artefact.kept_as)
    _clear(work, set(scratch) - {rows.name})
    return rows


def _move_into_place(
    work: Path, output: Path, mark: Mark, claim: Claim, new: Mapping[str, str], replacing: bool
) -> None:
    """Replace the older build. Its manifest goes first and the new one comes last: without one there is no build.

    Until then the mark names the files of both, so that whatever a killed run leaves is known to be ours.
    """
    require_places(output, new)
    foreign = [name for name in new if (output / name).exists() and name not in claim.files]
    # Once more: a build takes long, and somebody may have edited a file meanwhile.
    changed = [] if replacing else changed_files(output, claim.files)
    if foreign or changed:
        raise StorageError(
            f"{output}: in the way of the new build: {', '.join(sorted([*foreign, *changed])[:5])}",
            "Move these files elsewhere, then run the same command again: nothing paid for is lost, "
            "and the older build stays as it was.",
        )
    both = {name: tuple(claim.files.get(name, ())) for name in {*claim.files, *new}}
    for name, digest in new.items():
        # No digest stands for any: that of a file of an older version, whose content was not written down.
        both[name] = (*both[name], digest) if both[name] or name not in claim.files else ()
    gone = [name for name in claim.files if name not in new]
    try:
        write_mark(output, mark.model_copy(update={"files": both}))
        (output / MANIFEST).unlink(missing_ok=True)
        for name in gone:
            (output / name).unlink(missing_ok=True)
        remove_empty(output, gone)
        for name in (*(name for name in new if name != MANIFEST), MANIFEST):
            (output / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(work / name, output / name)
        write_mark(output, mark.model_copy(update={"files": {name: (digest,) for name, digest in new.items()}}))
        _clear(work, claim.scratch)
        if not any(work.iterdir()):
            work.rmdir()
    except OSError as exc:
        raise storage_error(exc, output) from exc
