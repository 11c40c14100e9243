"""What differs between two texts, word by word; in Chinese, character by character."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

_TOKENS = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)?|\s+|.", re.DOTALL)

_COMMON = 0.5  # share of the words in common below which marks would stand between nearly all of them


class Run(NamedTuple):
    """A part of a text; ``differs`` where the other text has something else in its place."""

    text: str
    differs: bool


def differences(first: str, second: str) -> tuple[list[Run], list[Run]]:
    """Both texts, cut where they begin and cease to differ."""
    left, right = _TOKENS.findall(first), _TOKENS.findall(second)
    runs: tuple[list[Run], list[Run]] = [], []
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, words in zip(runs, (left[i:j], right[k:m]), strict=True):
            if words:
                side.append(Run("".join(words), kind != "equal"))
    return runs


def marked_change(first: str, second: str) -> str:
    """What makes the second text of the first one: ``Who wrote [-Emma-]{+it+}?``

    Where they have little in common that is the second text as it stands.
    """
    left, right = _TOKENS.findall(first), _TOKENS.findall(second)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    if matcher.ratio() < _COMMON:
        return second
    parts = []
    for kind, i, j, k, m in matcher.get_opcodes():
        gone, come = "".join(left[i:j]), "".join(right[k:m])
        if kind == "equal":
            parts.append(gone)
        else:
            parts.append((f"[-{gone}-]" if gone else "") + (f"{{+{come}+}}" if come else ""))
    return "".join(parts)
