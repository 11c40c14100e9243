"""Small SVG drawings without text, so that they scale to any width; the numbers stand beside them in the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 300.0, 16.0


class Mark(NamedTuple):
    """A figure and its interval on the plot's axis; None draws nothing."""

    value: float | None
    low: float | None
    high: float | None


def axis(marks: Sequence[Mark], *, around_zero: bool = False) -> tuple[float, float]:
    """Limits that hold all marks: from 0 up to a round number, or the same on both sides of 0."""
    bounds = [bound for mark in marks for bound in mark if bound is not None]
    largest = max([abs(bound) for bound in bounds] or [1.0]) or 1.0
    if around_zero or min([*bounds, 0.0]) < 0:
        return -largest * 1.05, largest * 1.05
    # All shares have the same axis, so that the bars of different metrics can be compared.
    return 0.0, 1.0 if largest <= 1 else largest * 1.05


def bar(mark: Mark, limits: tuple[float, float], tone: str) -> str:
    """A point with its interval on a line; ``tone`` is a CSS class: ``plain``, ``good`` or ``bad``."""
    start, end = limits

    def place(value: float) -> float:
        return 4 + (WIDTH - 8) * (min(max(value, start), end) - start) / (end - start)

    middle = HEIGHT / 2
    drawn = [f'<line class="rule" x1="4" x2="{WIDTH - 4:.1f}" y1="{middle}" y2="{middle}"/>']
    if start < 0 < end:
        drawn.append(f'<line class="zero" x1="{place(0):.1f}" x2="{place(0):.1f}" y1="1" y2="{HEIGHT - 1}"/>')
    if mark.low is not None and mark.high is not None:
        drawn.append(
            f'<line class="span {tone}" x1="{place(mark.low):.1f}" x2="{place(mark.high):.1f}" y1="{middle}" y2="{middle}"/>'
        )
    if mark.value is not None:
        at = f"{place(mark.value):.1f}"
        drawn.append(f'<line class="dot {tone}" x1="{at}" x2="{at}" y1="{middle}" y2="{middle}"/>')
    return (
        f'<svg class="bar" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none" aria-hidden="true">'
        + "".join(drawn)
        + "</svg>"
    )
