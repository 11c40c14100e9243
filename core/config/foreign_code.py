"""Code of others that a build file would run: what it names, and that it may be forbidden."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pairwright.core.components import Catalogues, Configured
from pairwright.core.plugins import installed_plugins

VARIABLE = "PAIRWRIGHT_NO_CODE"
"""Set to anything but ``0`` it forbids the code of others wherever a build file is read, also that of a finished build."""


def code_forbidden(*, code: bool) -> bool:
    """Whether only our own components may be used: by who reads the file, or by the environment."""
    return not code or os.environ.get(VARIABLE, "0") not in ("", "0")


def require_ours(reference: str, catalogue: Mapping[str, type[Configured]]) -> None:
    """Refuse ``use: reference`` if that would import code of others; nothing is imported to find out.

    Raises:
        ValueError: names the reference.
    """
    if told := _told(reference, catalogue):
        raise ValueError(
            f"use: {told} is code of others, which --no-code, code=False or {VARIABLE} forbids; nothing of it was imported"
        )


def foreign_code(content: object, catalogues: Catalogues) -> list[str]:
    """What a build file would import and run, each once, in its order; nothing is imported to find out."""
    return list(dict.fromkeys(_references(content, "", catalogues)))


def _references(part: object, kind: str, catalogues: Catalogues) -> Iterator[str]:
    if isinstance(part, Mapping):
        use: Any = part.get("use")
        if kind and isinstance(use, str) and (told := _told(use, catalogues.get(kind, {}))):
            yield told
        for key, value in part.items():
            if kind or key != "endpoints":
                yield from _references(value, kind or _KINDS.get(str(key), str(key)), catalogues)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _references(value, kind, catalogues)


_KINDS = {"evaluations": "sources", "gate": "gates"}


def _told(reference: str, catalogue: Mapping[str, type[Configured]]) -> str | None:
    if reference in catalogue:
        return None
    if ":" in reference:
        return reference
    plugin = next((one for one in installed_plugins() if one.name == reference), None)
    return None if plugin is None else f"{plugin.value} ({plugin})"
