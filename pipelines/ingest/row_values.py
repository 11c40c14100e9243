"""What stands in a raw row: looked up, and read as the texts and turns that a conversation keeps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from pairwright.core.records import Role

TurnFields = dict[str, Any]

# Anything but spaces, marks of direction and what takes no room.
SEEN = re.compile(r"[^\s\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_TEXT_PARTS = ("text", "input_text", "output_text")
_OTHER_MEDIA = re.compile(r"(?<![a-z])(?:image|audio|video|file|document|media|thinking|reasoning)", re.IGNORECASE)
_RESULTS = ("result", "output")
_ASIDE = frozenset({"type", "id", "index", "cache_control"})


class RowError(Exception):
    """A row that is not usable; ``error`` is the slug that the funnel counts."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def turn_of(role: Role, content: object, name: str = "content") -> TurnFields:
    """A turn; one without text (a pure tool call, an answer still to come) is empty. ``name`` is what ``content`` is called.

    Raises:
        RowError: ``content`` is no text, and no list of parts.
    """
    if isinstance(content, str):
        return {"role": role, "content": clean(content)}
    if isinstance(content, list):
        parts = [text for part in content if (text := _part(part, name)) is not None]
        return {"role": role, "content": clean("\n".join(parts))}
    return {"role": role, "content": "" if content is None else text_of(content, name)}


def _part(part: object, name: str) -> str | None:
    """The text of one part of a content; None for an image and the like.

    Raises:
        RowError: it is neither.
    """
    if part is None or isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise RowError("wrong_type", f"a part of {name!r} must be text or an object, not {type(part).__name__}")
    text = part.get("text")
    if isinstance(text, Mapping):
        text = text.get("value")  # OpenAI's Assistants
    kind = str(part.get("type") or "")
    if text is None and _OTHER_MEDIA.search(kind or " ".join(map(str, part))):
        return None
    for key in ("content", "value", "refusal"):
        text = part.get(key) if text is None else text
    if isinstance(text, str):
        return text
    said = (value for key, value in part.items() if key not in _ASIDE and not isinstance(value, int | float))
    if text is None and (kind.lower() in _TEXT_PARTS or not any(map(is_filled, said))):
        return None
    raise RowError("wrong_type", f"a part of {name!r} is neither text nor an image or the like; it has: {few(part)}")


def result_of(item: Mapping[str, Any], content: object) -> object:
    """What a tool said: text, or parts of a content; other values become their JSON.

    Where ``content`` is nothing, ``result`` or ``output`` of the turn is what it said.

    Raises:
        RowError: it is no value of JSON.
    """
    if content in (None, "", []):
        content = next((item[key] for key in _RESULTS if item.get(key) is not None), content)
    if content is None or isinstance(content, str) or (isinstance(content, list) and all(map(_is_part, content))):
        return content
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError) as exc:
        raise RowError("wrong_type", f"what a tool said is no value of JSON: {exc}") from exc


def _is_part(value: object) -> bool:
    """Whether this is a part of a content, and no row of what a tool found."""
    if value is None or isinstance(value, str):
        return True
    if not isinstance(value, Mapping):
        return False
    kind = value.get("type")
    if kind is None:
        return value.keys() <= {"type", "text"}
    return isinstance(kind, str) and (kind.lower() in _TEXT_PARTS or bool(_OTHER_MEDIA.match(kind)))


def text_of(value: object, name: str) -> str:
    """The text that stands under the key ``name``, :func:`clean`.

    Raises:
        RowError: it is none.
    """
    if not isinstance(value, str):
        raise RowError("wrong_type", f"{name!r} must be text, not {type(value).__name__}")
    return clean(value)


def clean(text: str) -> str:
    """``text`` without control characters but line breaks and tabs, lone surrogates as U+FFFD, outer space removed."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _NOT_TEXT.search(text):
        text = _NOT_TEXT.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)
    return text.strip()


def optional_text(value: object) -> str | None:
    """A key or a name as text; None where there is nothing, or a list or an object."""
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, float):
        # Tables with gaps in them make floats of whole numbers, and NaN of the gaps.
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    return clean(str(value)) or None


def list_of(value: object, name: str) -> Sequence[Any]:
    """The list that stands under the key ``name``, also one that is kept as columns.

    Raises:
        RowError: it is none.
    """
    if isinstance(value, Mapping) and value and all(isinstance(column, list) for column in value.values()):
        # Some data sets keep a list of turns as columns: {"role": [...], "content": [...]}.
        if len({len(column) for column in value.values()}) > 1:
            lengths = ", ".join(f"{clean(str(key)[:40])} {len(column)}" for key, column in islice(value.items(), 8))
            raise RowError("wrong_type", f"{name!r} has columns of unequal length: {lengths}")
        return [dict(zip(value, item, strict=True)) for item in zip(*value.values(), strict=True)]
    if not isinstance(value, list):
        raise RowError("wrong_type", f"{name!r} must be a list, not {type(value).__name__}")
    return value


def at(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a key that itself contains dots is found as well; None where there is nothing."""
    if path in fields or "." not in path:
        return fields.get(path)
    value: Any = fields
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def has(fields: Mapping[str, Any], path: str) -> bool:
    """Whether there is such a key, be it without a value."""
    return path in fields or at(fields, path) is not None


def is_filled(value: object) -> bool:
    """Whether a value is more than nothing, an empty text or an empty list."""
    return value is not None and value not in ("", [], {})


def first_of(fields: Mapping[str, Any], paths: Sequence[str]) -> Any:
    """The value at the first of the paths that has one, or None."""
    return next((value for path in paths if (value := at(fields, path)) is not None), None)


def few(fields: Mapping[str, Any]) -> str:
    """The first keys of a row, for a message."""
    names = [clean(str(name)[:40]) for name in islice(fields, 9)]
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "") if names else "nothing"
