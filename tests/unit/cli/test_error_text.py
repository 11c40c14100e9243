"""Errors stay readable, whatever they quote."""

from __future__ import annotations

from pairwright.cli.error_text import error_text
from pairwright.core.errors import BuildError, ConfigError


def test_an_ordinary_error_is_told_whole() -> None:
    error = ConfigError([f"build.yaml: judges.{number}: unknown key" for number in range(20)], "Correct them.")
    assert error_text(error) == str(error)


def test_a_wall_of_problems_is_cut_and_counted_and_the_hint_stays() -> None:
    told = error_text(ConfigError([f"build.yaml: key {number}: unknown" for number in range(3000)], "Correct them."))
    assert len(told) < 3000
    assert told.startswith("build.yaml: key 0: unknown\n")
    *_, more, hint = told.split("\n")
    shown = told.count("unknown")
    assert (more, hint) == (f"… and {3000 - shown:,} more", "Correct them.")


def test_what_is_quoted_at_length_is_cut() -> None:
    told = error_text(BuildError("它" * 1_000_000, "Mend it."))
    assert told == "它" * 600 + "…\nMend it."
