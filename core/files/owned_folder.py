"""Whose files lie in a folder that we write to: only what we made there is ever removed or overwritten.

Each command that keeps files in a folder leaves ``KIND.files.json`` there (``build``, ``run``, ``evaluation``, …): which
files it made, with the SHA-256 of each. A file that is not named there belongs to somebody else, and so does one that
was edited since. Links are nobody's: nothing is written through one, and none is replaced.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from pairwright.core.errors import PairwrightError, StorageError
from pairwright.core.files.file_errors import storage_error
from pairwright.core.files.storage import refuse_link, sha256_of, write_json
from pairwright.core.identity import Row

FORMAT = 1
BUILD = "build"
MOVE = "Move it elsewhere, or give another output folder, then run the same command again; nothing was touched."
Known = Mapping[str, Collection[str]]
"""Files by their path below a folder, each with the SHA-256 that it may have; any where there is none."""


class Mark(Row):
    """What one kind of command made in a folder.

    ``files`` are paths below the folder with the SHA-256 that they may have: one, two while an older file is replaced,
    none while it is written. ``scratch`` are names of files and folders that go with the run that made them.
    """

    format: int = FORMAT
    kind: str
    name: str = ""
    scratch: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] = {}


def mark_name(kind: str) -> str:
    """The file that holds the mark."""
    return f"{kind}.files.json"


def read_mark(folder: Path, kind: str) -> Mark | None:
    """The mark of ``kind`` in ``folder``; None where there is none.

    Raises:
        StorageError: a file of its name is something else, or of a later version.
    """
    path = folder / mark_name(kind)
    refuse_link(path)
    try:
        mark = Mark.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        mark = None
    if mark is None or mark.format != FORMAT or mark.kind != kind:
        raise StorageError(f"{path}: not a list of files of this version of pairwright", MOVE)
    return mark


def write_mark(folder: Path, mark: Mark) -> None:
    """Write the mark of its kind.

    Raises:
        StorageError: it cannot be written.
    """
    write_json(folder / mark_name(mark.kind), mark.model_dump(mode="json"))


def require_folder(folder: Path) -> None:
    """Check that ``folder`` is one, or can be made.

    Raises:
        StorageError: a file, or a link to nowhere, is in its place.
    """
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if os.path.lexists(place):
            what = "a link to nowhere" if place.is_symlink() else "not a folder"
            raise StorageError(f"{place}: {what}", "Give another output folder; nothing was touched.")


def kind_of(path: Path) -> str:
    """``file``, ``folder``, ``link``, ``other``, or nothing for what is not there. Links are not followed."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as exc:
        raise storage_error(exc, path) from exc
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return kinds.get(stat.S_IFMT(mode), "other")


def require_places(folder: Path, names: Iterable[str]) -> None:
    """Check that files can be put at ``names`` below ``folder``: real folders on the way, a file or nothing at the end.

    Raises:
        StorageError: a link, a file, or a folder that cannot be written or is another disk's, is in the way.
    """
    seen: set[Path] = set()
    device = folder.stat().st_dev if folder.is_dir() else None
    for name in names:
        parts = Path(name).parts
        for depth in range(1, len(parts) + 1):
            path = folder.joinpath(*parts[:depth])
            if path in seen:
                continue
            seen.add(path)
            found = kind_of(path)
            if found == "link":
                raise StorageError(f"{path}: a link, and pairwright neither follows nor replaces one here", MOVE)
            if found and found != ("file" if depth == len(parts) else "folder"):
                raise StorageError(f"{path}: a {found} in the place of a file or folder of pairwright", MOVE)
            if found == "folder" and (path.stat().st_dev != device or not os.access(path, os.W_OK | os.X_OK)):
                raise StorageError(f"{path}: cannot be written, or lies on another disk than {folder}", MOVE)


def changed_files(folder: Path, files: Known) -> list[str]:
    """Those of ``files`` that are there and have another content than was written."""
    found = []
    for name, digests in files.items():
        path = folder / name
        try:
            if digests and path.is_file() and sha256_of(path) not in digests:
                found.append(name)
        except OSError as exc:
            raise storage_error(exc, path) from exc
    return sorted(found)


def require_ours(folder: Path, names: Iterable[str], known: Known) -> None:
    """Check that what lies at ``names`` is known, and unchanged.

    Raises:
        StorageError: it names every file that is not.
    """
    names = list(names)
    require_places(folder, names)
    there = [name for name in names if (folder / name).exists()]
    if foreign := [name for name in there if name not in known]:
        raise StorageError(f"{_named(folder, foreign)}: not made by pairwright, and would be overwritten", MOVE)
    if changed := changed_files(folder, {name: known[name] for name in there}):
        raise StorageError(f"{_named(folder, changed)}: changed since pairwright wrote it", MOVE)


def _named(folder: Path, names: Collection[str]) -> str:
    shown = sorted(names)[:5]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{folder}: {', '.join(shown)}{more}"


def begin_files(folder: Path, kind: str, names: Collection[str], earlier: Callable[[Path], bool]) -> None:
    """Say that a command is about to write ``names``, and nothing but these, below ``folder``.

    ``earlier`` says whether a version without marks has left its files here; they are replaced as well.

    Raises:
        StorageError: one of them is there and is not ours, or was edited; nothing was written.
    """
    require_folder(folder)
    mark = read_mark(folder, kind)
    known: Known = mark.files if mark else dict.fromkeys(names, ()) if earlier(folder) else {}
    require_ours(folder, names, known)
    files = mark.files if mark else {}
    write_mark(folder, Mark(kind=kind, files={**files, **dict.fromkeys(names, ())}))


def end_files(folder: Path, kind: str) -> None:
    """Note what the files of ``kind`` are now, after they were written; where there are none, the note goes as well."""
    if mark := read_mark(folder, kind):
        there = [name for name in mark.files if (folder / name).is_file()]
        files = {name: (sha256_of(folder / name),) for name in there}
        if files or mark.scratch:
            write_mark(folder, mark.model_copy(update={"files": files}))
        else:
            remove_file(folder / mark_name(kind))


@contextmanager
def writing_files(folder: Path, kind: str, names: Collection[str], earlier: Callable[[Path], bool]) -> Iterator[None]:
    """:func:`begin_files` and :func:`end_files`; a command that fails before it wrote anything leaves nothing behind.

    Raises:
        StorageError: as these do.
    """
    made = not os.path.lexists(folder)
    begin_files(folder, kind, names, earlier)
    try:
        yield
    except BaseException:
        with suppress(PairwrightError, OSError):  # the first error is the one to tell
            end_files(folder, kind)
            if made:
                folder.rmdir()
        raise
    end_files(folder, kind)


def remove_file(path: Path) -> None:
    """Remove a file of ours; nothing happens where it is not there.

    Raises:
        StorageError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, path) from exc


def remove_empty(folder: Path, names: Iterable[str]) -> None:
    """Remove the folders that files at ``names`` lay in, as far as nothing is left in them."""
    places = {parent for name in names for parent in Path(name).parents if parent.parts}
    for place in sorted(places, key=lambda place: len(place.parts), reverse=True):
        path = folder / place
        if kind_of(path) == "folder" and not any(path.iterdir()):
            path.rmdir()


def files_below(folder: Path) -> Iterator[Path]:
    """Every file and link below ``folder``, sorted; links are not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(Path(place, name))]
        yield from (Path(place, name) for name in sorted([*files, *links]))
