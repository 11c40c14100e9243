"""One spelling for texts that people would call the same: exact duplicates are found by it."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_APOSTROPHES = re.compile(r"['’`´]")
# '.', ',', ':', '-' and '/' between digits are part of a number or a date; '#', '%', '&', '@' change a meaning (C#, 5%).
_SEPARATORS = re.compile(r"(?<!\d)[.,:/\-]|[.,:/\-](?!\d)|[^\w\s.,:/\-#%&@+$=<>*°℃€£¥^|]|[_~]")
_SPACES = re.compile(r"\s+")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LOOSE_SPACES = re.compile(rf"(?<=[{_CJK}]) | (?=[{_CJK}])")


@lru_cache(maxsize=4096)  # the windows of one dialogue repeat its turns
def canonical(text: str) -> str:
    """``text`` in NFKC and without case; punctuation and space go, except where they separate words or digits.

    ``canonical("Ｗhere's the　CAFÉ?") == canonical("wheres the café")``, but ``2.5 km`` is not ``25 km``. A text of
    nothing but punctuation or emoji keeps it.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    bare = _SEPARATORS.sub(" ", _APOSTROPHES.sub("", text))
    return _LOOSE_SPACES.sub("", _SPACES.sub(" ", bare).strip()) or text.strip()
