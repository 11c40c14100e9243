"""Whether the rows of a JSON Lines file make a table: ``datasets``, and with it TRL, loads them as one.

Every place in the rows (``tools.[].function.parameters.properties.city.enum.[]``) then has one type. ``datasets`` 4.0
reads a file in blocks of 10 MiB and takes the columns of the first one; what only later blocks have stops it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pairwright.core.errors import ExportError

_BLOCK = 10 * 1024 * 1024 - 1024 * 1024  # with a row of up to 1 MiB that begins in it
_REMEDY = "Set prompt.tools: text, which keeps definitions, arguments and results as text."


class Columns:
    """The types that were seen at each place; raises at the row that does not fit those before it."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._read = 0

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in one row.

        Raises:
            ExportError: it cannot stand in one table with the rows before it.
        """
        found: dict[str, str] = {}
        _collect(record, "", found)
        for place, kind in found.items():
            known = self._types.get(place)
            if known is None and self._read > _BLOCK:
                raise ExportError(f"trl: {place} first occurs after 10 MiB: datasets cannot load such a file", _REMEDY)
            # Integers beside numbers are no trouble: the column is one of numbers.
            if known is not None and known != kind and {known, kind} != {"integer", "number"}:
                raise ExportError(
                    f"trl: {place} is {known} in one row and {kind} in another: datasets cannot load such a column",
                    _REMEDY,
                )
        self._types |= found
        self._read += len(json.dumps(record, ensure_ascii=False).encode()) + 1


def _collect(value: Any, place: str, found: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        found[place] = "an object"
        for name, item in value.items():
            _collect(item, f"{place}.{name}" if place else name, found)
    elif isinstance(value, list):
        found[place] = "a list"
        for item in value:
            _same(item, f"{place}.[]", found)
    elif value is not None:
        found[place] = _KINDS[type(value)]


def _same(item: Any, place: str, found: dict[str, str]) -> None:
    """One item of a list, which must be of the type of those before it."""
    inner: dict[str, str] = {}
    _collect(item, place, inner)
    for name, kind in inner.items():
        if found.setdefault(name, kind) != kind and {found[name], kind} != {"integer", "number"}:
            raise ExportError(f"trl: {name} is both {found[name]} and {kind} in one list", _REMEDY)


_KINDS = {str: "text", bool: "true or false", int: "integer", float: "number"}
