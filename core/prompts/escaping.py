"""Dialogue text as data: what it says can neither open nor close a tag of a prompt."""

from __future__ import annotations

import re

TAGS = (
    *("task", "example", "history", "current_query", "answer", "user", "assistant", "system", "tool"),
    *("rewrite", "first_text", "second_text"),
)

_INVISIBLE = r"\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f"
_GAP = rf"[\s{_INVISIBLE}]*"
_SPELLED = "|".join(_GAP.join(re.escape(letter) for letter in tag) for tag in TAGS)
_TAG_LIKE = rf"(?={_GAP}[/／\\|｜!?]|[^\W\d_]|{_GAP}(?:{_SPELLED})\b)"
_OPENING = re.compile(rf"[<＜﹤]{_TAG_LIKE}", re.IGNORECASE)
_ESCAPED = re.compile(rf"&lt;{_TAG_LIKE}", re.IGNORECASE)
_SUSPECT = re.compile(r"[<＜﹤\r\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # most texts have none and are done
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def escape(text: str) -> str:
    """Dialogue text as data: it can neither open nor close a tag, nor write a chat template's control token.

    A ``<`` (also full-width) before anything tag-like becomes ``&lt;``: a letter, ``/``, ``|``, ``!``, ``?``, or, after
    spaces or invisible characters, a slash or one of our tag names. ``a < b`` and ``Tom & Jerry`` stay as they are.
    Control characters become spaces, lone surrogates U+FFFD. Escaping twice is escaping once.
    """
    if not _SUSPECT.search(text):
        return text
    return _OPENING.sub("&lt;", readable(text))


def readable(text: str) -> str:
    """``text`` with one kind of line end, spaces for control characters and U+FFFD for lone surrogates."""
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub(" ", text)


def unescape(text: str) -> str:
    """Undo :func:`escape` in an answer whose model copied ``&lt;`` from its prompt."""
    return _ESCAPED.sub("<", text)
