"""One wrong build file: what is written, how it is tried, and what a user should see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Expected = Literal["config error", "clear error", "refused", "stopped", "fine", "either"]
"""'config error': exit 2. 'clear error': exit 1. 'refused': one of them. 'stopped': exit 2 or 130, for what looks like
Ctrl-C. 'fine': exit 0. 'either': fine or refused, as long as nothing leaks, hangs, is changed or ends in a traceback."""

Content = str | bytes | Callable[[Path], str | bytes | None]
"""The build file, or what writes into the working folder and returns the build file, None where it is no file."""

BUILD_FILE = "build.yaml"
BASE: Mapping[str, str] = {
    "name": "small",
    "output": "build",
    "sources": "[{use: files, source: rows, path: rows.jsonl, licence: MIT}]",
    "perturbers": "[{use: unchanged_copy}]",
    "exports": "[{use: llamafactory}]",
    "pairing": "{max_defect_share: 1.0, max_template_share: 1.0, no_rewrite_share: [0, 1], max_surface_auc: 1.0}",
    "split": "{validation: 0.1, test: 0.1}",
}


def keys(extra: str = "", **changed: str | None) -> str:
    """A small right build file without a model, with some keys as given (raw YAML), left out, or added."""
    lines = {**BASE, **changed}
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None) + extra


def endpoint(settings: str, name: str = "teacher") -> str:
    """A build file whose only teacher is an endpoint with these settings (raw YAML, flow style)."""
    asked = f"[{{role: teacher, endpoint: {name}}}]"
    return keys(endpoints=f"\n  {name}: {settings}", generation=asked)


@dataclass(frozen=True)
class Case:
    """``says``: all of it must stand in the error. ``secret``: no six characters of it may be shown or written.

    ``absent``: files that must not be there afterwards. ``apart``: tried in a process of its own even in the tests.
    """

    name: str
    kind: str
    content: Content
    expected: Expected = "config error"
    says: tuple[str, ...] = (BUILD_FILE,)
    command: Literal["check", "build"] = "check"
    argument: str = BUILD_FILE
    env: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    absent: tuple[str, ...] = ()
    apart: bool = False

    def write(self, folder: Path) -> None:
        """Make the case's files in ``folder``; rows to read are there already."""
        content = self.content(folder) if callable(self.content) else self.content
        if content is not None:
            (folder / BUILD_FILE).write_bytes(content if isinstance(content, bytes) else content.encode())
