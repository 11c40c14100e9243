"""The one tokenisation of the overlap metrics: runs of ASCII letters and digits, and single East Asian characters.

On English text it is rouge-score's own tokenisation without stemming; Chinese, which has no spaces, falls into
characters, as in the published figures on REWRITE and Restoration-200K. Full-width letters and digits count as ASCII.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_TOKEN = re.compile(r"[a-z0-9]+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]|[\U00020000-\U0003ffff]")
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}


@lru_cache(maxsize=65536)
def tokens(text: str) -> tuple[str, ...]:
    """The tokens of ``text``, lower case."""
    return tuple(_TOKEN.findall(text.translate(_FULL_WIDTH).lower()))


def ngrams(sequence: tuple[str, ...], order: int) -> Counter[tuple[str, ...]]:
    """How often each run of ``order`` tokens occurs."""
    return Counter(zip(*(sequence[start:] for start in range(order)), strict=False))
