"""JSON that others wrote: rows of sources, answers of servers and models, files that a user hands in.

``json.loads`` ends such texts with three kinds of error, one of which (``RecursionError``) is no ``ValueError``; here
there is one kind, with a message of one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

# Deeper than any data, and shallow enough for every recursive function behind the reader.
MAX_NESTING = 200  # lists and objects in one another
_TOO_DEEP = f"nested too deeply: more than {MAX_NESTING} lists and objects in one another"
_LONE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """A text that is no JSON, or none within the bounds; ``brief`` is the message for a text of one line."""

    def __init__(self, message: str, brief: str = "") -> None:
        super().__init__(message)
        self.brief = brief or message


class KeyTwice(NotJson):
    """An object that names one key twice, with different values: of two programs each may believe another."""


def unambiguous(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values; an ``object_pairs_hook`` of :mod:`json`.

    Raises:
        KeyTwice: a key has two values.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next((key for key, value in pairs if value != found[key]), None)
        if twice is not None:
            raise KeyTwice(f"the key {well_formed(twice)[:80]!r} stands twice in one object, with different values")
    return found


def read_json(text: str | bytes, pairs: Callable[[Sequence[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value of a JSON text; ``pairs`` makes the objects, see :func:`unambiguous`.

    Raises:
        NotJson: it is none, it is not UTF-8 (or UTF-16, UTF-32), more than ``MAX_NESTING`` lists and objects stand in one
            another, or a whole number is longer than Python converts.
    """
    try:
        found = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError) as exc:
        raise not_json(exc) from None
    check_nesting(found, text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else brackets(text))
    return found


def not_json(exc: ValueError | RecursionError) -> NotJson:
    """What the error of a JSON parser says, in one short line."""
    if isinstance(exc, NotJson):
        return exc
    if isinstance(exc, RecursionError):
        return NotJson(_TOO_DEEP)
    if isinstance(exc, UnicodeDecodeError):
        return NotJson(f"not UTF-8 at byte {exc.start + 1}")
    if isinstance(exc, json.JSONDecodeError):
        return NotJson(str(exc), f"{exc.msg} at column {exc.colno}")
    return NotJson("a whole number of thousands of digits")


def brackets(text: str, start: int = 0, end: int | None = None) -> int:
    """How many lists and objects may begin in ``text[start:end]``."""
    end = len(text) if end is None else end
    return text.count("[", start, end) + text.count("{", start, end)


def check_nesting(value: object, begun: int = MAX_NESTING + 1) -> None:
    """Refuse a value with more than ``MAX_NESTING`` lists and objects in one another; ``begun`` is how many it has at most.

    Raises:
        NotJson: it has.
    """
    if begun <= MAX_NESTING:
        return
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise NotJson(_TOO_DEEP)


def well_formed(text: str) -> str:
    """``text`` without lone surrogates, which UTF-8 cannot hold: pairs are joined, the others become U+FFFD."""
    if text.isascii() or not _LONE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def well_formed_value(value: Any) -> Any:
    """A value of JSON with all its texts, keys among them, :func:`well_formed`."""
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, dict):
        return {well_formed_value(key): well_formed_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [well_formed_value(item) for item in value]
    return value
