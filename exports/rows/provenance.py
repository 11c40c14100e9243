"""Where a row came from, as strangers may know it: which file and line of a source, not where that lay on somebody's disk."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TypeVar

from pairwright.core.components import Configured, NamedSource
from pairwright.core.records import PreferencePair, SftRow

R = TypeVar("R", SftRow, PreferencePair)

_WILD = frozenset("*?[")
# Texts of the row cannot look like this: their quotation marks are escaped.
_ORIGIN = re.compile(r'"origin":\{"source":"(?P<source>[^"]*)","file":(?P<file>"(?:[^"\\]|\\.)*")')


def public_rows(sources: Iterable[Configured], rows: Iterable[R]) -> Iterator[R]:
    """``rows`` with what strangers may know of their files, given the sources of the build file."""
    given = _given(sources)
    for row in rows:
        origin = row.task.origin
        public = public_path(origin.file, given.get(origin.source, ""))
        if public != origin.file:
            task = row.task.model_copy(update={"origin": origin.model_copy(update={"file": public})})
            row = row.model_copy(update={"task": task})
        yield row


def public_lines(sources: Iterable[Configured]) -> Callable[[str], str]:
    """The same for rows that stand as JSON in one line each: such a line with its file called so."""
    given = _given(sources)

    def renamed(found: re.Match[str]) -> str:
        file = json.loads(found["file"])
        public = public_path(file, given.get(found["source"], ""))
        return found[0] if public == file else found[0][: -len(found["file"])] + json.dumps(public, ensure_ascii=False)

    return lambda line: _ORIGIN.sub(renamed, line, count=1)


def _given(sources: Iterable[Configured]) -> dict[str, str]:
    paths = ((source, source.model_dump(mode="json").get("path")) for source in sources)
    return {source.source: path for source, path in paths if isinstance(source, NamedSource) and isinstance(path, str)}


def public_path(file: str, given: str = "") -> str:
    """``file`` without the folders that only one machine has; a relative path inside the working folder stays as it is.

    ``given`` is the path or glob of the build file that ``file`` was found by: what its wildcards stood for is kept, so that
    files of the same name stay apart.
    """
    path = _pure(file)
    if not _local(path, file):
        return file
    root = _root(_pure(given)) if given else None
    if root is not None and type(root) is type(path) and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return path.name


def _pure(text: str) -> PurePath:
    windows = PureWindowsPath(text)
    # "\\server\share" and "C:\…"; on Windows itself a path of this machine is written with slashes as well.
    return windows if windows.drive else PurePosixPath(text)


def _local(path: PurePath, text: str) -> bool:
    return bool(path.anchor) or ".." in path.parts or text.startswith(("~", "file:"))


def _root(given: PurePath) -> PurePath:
    """The folder above the first wildcard, or above the file."""
    for at, part in enumerate(given.parts):
        if _WILD & set(part):
            return type(given)(*given.parts[:at])
    return given.parent
