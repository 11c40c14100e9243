"""The cells of a table, whether it becomes Markdown, HTML or lines on a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

Table = Sequence[Sequence[object]]
"""Rows of cells; the first row is the header."""

NOTHING = "–"
"""Stands where there is no figure."""


def format_value(value: float | None, form: str = ".2f") -> str:
    """A figure in the ``form`` of a format string; a dash where there is none."""
    return NOTHING if value is None or math.isnan(value) else format(value, form)


def format_share(value: float | None) -> str:
    """A share in per cent, without the sign of it."""
    return format_value(None if value is None else 100 * value, ".1f")


def list_counts(numbers: Mapping[str, int]) -> str:
    """``leftover 1,200, unchanged 3``, in the order given; nothing where nothing was counted."""
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items())
