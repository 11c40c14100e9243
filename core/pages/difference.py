"""What differs between two texts, word by word; in Chinese, character by character."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

_TOKENS = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)?|\s+|.", re.DOTALL)


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


def marked(first: str, second: str) -> tuple[str, str]:
    """Both texts with what differs marked: ``[-only in the first-]``, ``{+only in the second+}``."""
    left, right = differences(first, second)
    return (
        "".join(f"[-{run.text}-]" if run.differs else run.text for run in left),
        "".join(f"{{+{run.text}+}}" if run.differs else run.text for run in right),
    )
