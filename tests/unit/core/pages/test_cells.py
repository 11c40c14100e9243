"""Figures as tables show them."""

from __future__ import annotations

import math

from pairwright.core.pages.cells import format_share, format_value, list_counts


def test_a_figure_that_is_not_there_is_a_dash() -> None:
    assert [format_value(value) for value in (0.456, 0, None, math.nan)] == ["0.46", "0.00", "–", "–"]
    assert format_value(0.456, "+.1f") == "+0.5"
    assert format_value(0.456, ".1%") == "45.6%"
    assert [format_share(value) for value in (0.456, None)] == ["45.6", "–"]


def test_counts_are_listed_in_their_order() -> None:
    assert list_counts({"leftover": 1200, "copy": 3}) == "leftover 1,200, copy 3"
    assert list_counts({}) == ""
