"""What ``pairwright gate`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.config.build_file import read_build
from pairwright.pipelines import gate_preview
from pairwright.pipelines.catalogues import CATALOGUES


def gate_command(text: str, history: Sequence[str], user_turns: bool, use: str, build: Path | None) -> None:
    """Print what a gate says of one query."""
    case = gate_preview.case_of(text, gate_preview.turns_of(history, user_only=user_turns))
    found = gate_preview.by_build(read_build(build, CATALOGUES), case) if build else gate_preview.by_name(use, case)
    print_table("Gate", gate_preview.decision_table(found))
