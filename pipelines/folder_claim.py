"""Whether a build may use a folder: looked at before anything is read, asked or written.

A folder is a build's when it holds ``build.files.json``, or what earlier versions left: their manifest, or the lock and
``unfinished/`` of a run that was killed. In another folder nothing may lie but what stands beside a build.
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import StorageError
from pairwright.core.files.owned_folder import (
    BUILD,
    Known,
    Mark,
    changed_files,
    files_below,
    kind_of,
    mark_name,
    read_mark,
    require_folder,
    require_places,
)

UNFINISHED = "unfinished"
FOLDERS = ("rows", "exports")
MANIFEST = "manifest.json"
BUILD_FILE = "build.yaml"
FILES = (BUILD_FILE, "report.md", MANIFEST)
_OTHER = "Give another output folder, or move these elsewhere; nothing was touched."
# What may lie in a folder before its first build, as a build touches none of it.
_BESIDE = re.compile(
    r"(build|run|sweep)\.lock|(?!build\.)[a-z]+\.files\.json|calibration|predictions|leaderboard\.(jsonl|md)"
    r"|(evaluation|comparison)\.(json|md|html)|((evaluation\.)?ledger\.sqlite)(-wal|-shm|-journal|-asking-[0-9a-f]{16})?"
    r"|\.DS_Store|\.gitkeep|\.gitignore"
)
# A folder with one of these is another command's.
_FOREIGN_MARKS = ("run.json", "sweep.json", "evaluation.json", "comparison.json", "calibration.json", MANIFEST)


class Claim(NamedTuple):
    """What lies in a folder that a build may use: the files of the build there, and what a run left in ``unfinished/``."""

    files: Known
    scratch: frozenset[str] = frozenset()


def look_at_folder(
    config: BuildConfig, scratch: Collection[str] = (), replace: bool = False, file: Path | None = None
) -> Claim:
    """Check that ``config.output`` may be built in; nothing is written.

    ``scratch`` are the names of what this run puts into ``unfinished/``, ``file`` is the build file. With ``replace`` a
    build of another name goes, and one whose files were edited.

    Raises:
        StorageError: something that is not this build's would be removed or overwritten.
    """
    output = Path(config.output)
    require_folder(output)
    _require_outside(output)
    names = [path.name for path in output.iterdir()] if output.is_dir() else []
    _require_inputs(config, output, file)
    if not names:
        return Claim({})
    require_places(output, [f"{folder}/x" for folder in (UNFINISHED, *FOLDERS)])
    require_places(output, [*FILES, "build.lock", mark_name(BUILD)])
    mark, manifest = read_mark(output, BUILD), _manifest(output)
    claim = Claim(_known(output, mark, manifest), frozenset([*scratch, *(mark.scratch if mark else ())]))
    if mark is None and manifest is None and not _killed(output, names):
        _require_empty(config, output, names)
        return claim
    owner = str(manifest["name"]) if manifest else mark.name if mark else ""
    if owner and owner != config.name and not replace:
        raise StorageError(
            f"{output}: holds the build {owner!r}, and this one is {config.name!r}",
            "Give another output folder; or --replace (replace=True from Python) to put this build in its place.",
        )
    _require_unedited(output, claim, replace)
    _require_scratch(output / UNFINISHED, claim.scratch)
    return claim


def _require_outside(output: Path) -> None:
    """A build in a folder of another's files would go with that build."""
    place = Path(os.path.realpath(output))
    for outer in place.parents:
        if place.relative_to(outer).parts[0] in (UNFINISHED, *FOLDERS) and kind_of(outer / mark_name(BUILD)):
            raise StorageError(
                f"{output}: belongs to the build in {outer}, which removes what lies there",
                "Give another output folder; nothing was touched.",
            )


def _manifest(output: Path) -> dict[str, Any] | None:
    """The manifest of a build; None for a file of that name that is no such thing."""
    return _read_manifest(output / MANIFEST)


def _read_manifest(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    kinds = {"build": str, "name": str, "stages": list, "files": dict}
    if not isinstance(content, dict) or any(not isinstance(content.get(key), kind) for key, kind in kinds.items()):
        return None
    # Paths of ours alone: a manifest is a file that anybody can write.
    names = [Path(name) for name in content["files"]]
    inside = all(name.parts[:1] and name.parts[0] in FOLDERS and ".." not in name.parts for name in names)
    return content if inside else None


def _known(output: Path, mark: Mark | None, manifest: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    if mark is not None and mark.files:
        return {name: tuple(digests) for name, digests in mark.files.items() if _is_ours(name)}
    # Versions without marks: what was moved into place already when such a build was killed is in the new manifest.
    found = manifest or _read_manifest(output / UNFINISHED / MANIFEST)
    if found is None:
        return {}
    return {**dict.fromkeys(FILES, ()), **{name: (digest,) for name, digest in found["files"].items()}}


def _is_ours(name: str) -> bool:
    path = Path(name)
    return name in FILES or (path.parts[:1] != () and path.parts[0] in FOLDERS and ".." not in path.parts)


def _killed(output: Path, names: Collection[str]) -> bool:
    """Whether this is what a version without marks leaves when its first run is killed."""
    work = output / UNFINISHED
    if "build.lock" not in names or kind_of(work) != "folder":
        return False
    seen = any((work / name).is_file() for name in ("dropped.jsonl", "rows/dropped.jsonl", MANIFEST))
    known = {UNFINISHED, *FOLDERS, *FILES} | {name for name in names if _BESIDE.fullmatch(name)}
    return set(names) <= known and (seen or not any(work.iterdir()))


def _require_empty(config: BuildConfig, output: Path, names: Collection[str]) -> None:
    ledger = os.path.realpath(config.ledger_path)
    beside = re.compile(f"{re.escape(ledger)}(-wal|-shm|-journal|-asking-[0-9a-f]{{16}})?")
    foreign = [
        name
        for name in sorted(names)
        if not _BESIDE.fullmatch(name)
        and not beside.fullmatch(os.path.realpath(output / name))
        and not _is_other_commands(output / name)
    ]
    if foreign:
        more = f" and {len(foreign) - 5} more" if len(foreign) > 5 else ""
        raise StorageError(
            f"{output}: no folder of a build; in it lie {', '.join(foreign[:5])}{more}",
            "Give another output folder, one that is empty or not there yet; nothing was touched.",
        )


def _is_other_commands(path: Path) -> bool:
    """A folder that another command of pairwright made; a build touches none but its own."""
    if path.name in (UNFINISHED, *FOLDERS) or kind_of(path) != "folder":
        return False
    return any(_BESIDE.fullmatch(one.name) or one.name in _FOREIGN_MARKS for one in path.iterdir())


def _require_unedited(output: Path, claim: Claim, replace: bool) -> None:
    require_places(output, claim.files)
    if foreign := [name for name in FILES if kind_of(output / name) and name not in claim.files]:
        raise StorageError(f"{output}: {', '.join(foreign)}: not made by a build, and would be overwritten", _OTHER)
    if not replace and (changed := changed_files(output, claim.files)):
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        raise StorageError(
            f"{output}: {', '.join(changed[:5])}{more}: changed since the build, and would be replaced",
            "Copy what you changed elsewhere, then build with --replace (replace=True from Python).",
        )


def _require_scratch(work: Path, scratch: Collection[str]) -> None:
    """What a run left in ``unfinished/`` goes; links and folders in the place of its files were not made by one."""
    if not work.is_dir():
        return
    if kind_of(work / mark_name(BUILD)):
        raise StorageError(f"{work}: a build of its own, in the folder that this one works in", _OTHER)
    left = _read_manifest(work / MANIFEST)
    for path in sorted(work.iterdir()):
        if not is_scratch(path.name, scratch):
            continue
        wanted = "folder" if path.name in (*FOLDERS, "generation") else "file"
        if kind_of(path) != wanted:
            raise StorageError(f"{path}: a {kind_of(path)}, and a {wanted} of that name goes with the build", _OTHER)
        for inner in files_below(path) if wanted == "folder" else ():
            name = inner.relative_to(work).as_posix()
            if inner.name == mark_name(BUILD):
                raise StorageError(f"{inner.parent}: a build of its own, in the folder that this one works in", _OTHER)
            if left is not None and path.name in FOLDERS and name not in left["files"]:
                raise StorageError(f"{inner}: not made by the build, and the folder is removed", _OTHER)


def is_scratch(name: str, scratch: Collection[str]) -> bool:
    """Whether a run makes a file or folder of that name in ``unfinished/``."""
    return name.removesuffix(".partial") in scratch or name.endswith(".server.log")


def _require_inputs(config: BuildConfig, output: Path, file: Path | None) -> None:
    """What a build reads must not be what it replaces."""
    place = Path(os.path.realpath(output))
    if file is not None and file.exists():
        for name in (*FILES, mark_name(BUILD)):
            if (output / name).exists() and os.path.samefile(output / name, file):
                if name == BUILD_FILE and _is_written_here(output):
                    file = None  # what replaces it says the same
                    break
                raise StorageError(
                    f"{output / name}: the build would replace its own build file",
                    "Give another output folder, or build from a copy of the file that lies elsewhere.",
                )
    inputs = [("build file", file)] if file is not None else []
    inputs += [("input", path) for path in _inputs(config)]
    inputs += [("input", Path(folder) / MANIFEST) for folder in config.dedup.earlier]
    inputs += [("ledger", config.ledger_path)]
    for what, path in inputs:
        real = Path(os.path.realpath(path))  # Path.resolve raises where links go round in a circle
        if not real.is_relative_to(place):
            continue
        inner = real.relative_to(place)
        if inner.parts[:1] and (inner.parts[0] in (UNFINISHED, *FOLDERS) or _is_reserved(inner.as_posix())):
            raise StorageError(
                f"{path}: the {what} lies where the build puts its own files, which are replaced",
                "Copy it elsewhere and name the copy, or give another output folder.",
            )


def _is_written_here(output: Path) -> bool:
    """Whether the build file in ``output`` is the one that the build there wrote, to the last byte."""
    mark = read_mark(output, BUILD)
    written = mark.files.get(BUILD_FILE) if mark else None
    return bool(written) and not changed_files(output, {BUILD_FILE: written or ()})


def _is_reserved(name: str) -> bool:
    return name in (*FILES, mark_name(BUILD), "build.lock")


def _inputs(config: BuildConfig) -> Iterator[Path]:
    """Every file that the build file names, and every folder under a key ``path``."""
    for key, text in _strings(config.model_dump(mode="json", exclude={"output", "ledger"})):
        try:
            path = Path(text).expanduser()
            if path.is_file() or (key == "path" and path.is_dir()):
                yield path
            elif key == "path" and glob.has_magic(text):
                yield from map(Path, glob.iglob(str(path), recursive=True))
        except (OSError, ValueError, RuntimeError):
            continue  # text that is no path


def _strings(content: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield key, content
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _strings(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value, key)
