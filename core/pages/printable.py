"""Text that shows what it is: nothing in it steers a terminal, turns the writing around or hides between letters."""

from __future__ import annotations

import json
import re

_BREAK = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Escape sequences begin with these; lone surrogates and the last two are no characters, and XML allows none of them.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Takes no room: zero-width spaces, soft hyphens, marks and overrides of direction, tags. A joiner between two pictures
# makes one of them and is left.
_PICTURE = r"\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_HIDDEN = re.compile(
    r"[\u00ad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
    rf"|(?<![{_PICTURE}])\u200d|\u200d(?![{_PICTURE}])"
)
_UNSEEN = re.compile(f"{_BREAK.pattern}|{_CONTROL.pattern}|{_HIDDEN.pattern}")


def printable(text: str) -> str:
    """``text`` as it may be shown anywhere: control characters become U+FFFD, what takes no room is left out.

    Line breaks of every kind become ``\\n``; tabs stay. Doing it twice is doing it once.
    """
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("\ufffd", _HIDDEN.sub("", _BREAK.sub("\n", text)))


def spelled_out(json_text: str) -> str:
    """JSON that says the same and shows everything: what :func:`printable` would change is written as an escape."""
    return _UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], json_text)


def one_line(text: str) -> str:
    """The same in one line, without white space around it."""
    return re.sub(r"[\t\n]+", " ", printable(text)).strip()
