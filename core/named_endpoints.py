"""Which endpoints a build file names: every key called ``endpoint``, wherever it stands.

One place for the check that they exist, the keys and servers that are needed, and the forecasts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel


def named_endpoints(part: object, path: str = "") -> Iterator[tuple[str, str]]:
    """``(path, name)`` of every endpoint that ``part`` names, in the order of its keys."""
    for key, value in _parts(part):
        here = f"{path}.{key}" if path else str(key)
        if key == "endpoint" and isinstance(value, str):
            yield here, value
        else:
            yield from named_endpoints(value, here)


def _parts(part: object) -> Iterator[tuple[object, object]]:
    if isinstance(part, BaseModel):
        yield from part
    elif isinstance(part, Mapping):
        yield from part.items()
    elif isinstance(part, tuple | list):
        yield from enumerate(part)
