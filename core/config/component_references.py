"""What a build file names, wherever it stands: the endpoints (every key called ``endpoint``) and the components.

One place for the check that endpoints exist, the keys and servers that are needed, the forecasts, and the checks of
components that contain others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from pairwright.core.components import Component


def named_endpoints(part: object, path: str = "") -> Iterator[tuple[str, str]]:
    """``(path, name)`` of every endpoint that ``part`` names, in the order of its keys."""
    for key, value in _parts(part):
        here = f"{path}.{key}" if path else str(key)
        if key == "endpoint" and isinstance(value, str):
            yield here, value
        else:
            yield from named_endpoints(value, here)


def components_in(part: object, path: str = "") -> Iterator[tuple[str, Component]]:
    """``(path, component)`` of every component of ``part``, one that contains others before those."""
    if isinstance(part, Component):
        yield path, part
    for key, value in _parts(part):
        yield from components_in(value, f"{path}.{key}" if path else str(key))


def _parts(part: object) -> Iterator[tuple[object, object]]:
    if isinstance(part, BaseModel):
        yield from part
    elif isinstance(part, Mapping):
        yield from part.items()
    elif isinstance(part, tuple | list):
        yield from enumerate(part)
