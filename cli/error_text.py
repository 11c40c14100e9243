"""An error as a person can read it, whatever it quotes."""

from __future__ import annotations

from pairwright.core.errors import PairwrightError
from pairwright.core.pages.printable import printable

MOST_LETTERS = 600  # of one line
MOST = 2500  # of all lines but the last; more is a wall that hides the first problem


def error_text(error: PairwrightError) -> str:
    """Message and hint, each line cut, and of very many problems the first; what is to be done stands in the last line."""
    lines = [
        line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]}…" for line in printable(str(error)).split("\n")
    ]
    *problems, last = lines
    kept, letters = 0, 0
    while kept < len(problems) and letters + len(problems[kept]) <= MOST:
        letters += len(problems[kept])
        kept += 1
    left = [f"… and {len(problems) - kept:,} more"] if kept < len(problems) else []
    return "\n".join([*problems[:kept], *left, last])
