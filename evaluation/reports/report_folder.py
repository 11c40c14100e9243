"""Whose files lie in the folder of a report: evaluations and comparisons replace only files that one of them wrote."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path

from pairwright.core.files.owned_folder import begin_files, writing_files

KIND = "evaluation"
EVALUATION = ("evaluation.json", "evaluation.md", "evaluation.html")
COMPARISON = ("comparison.json", "comparison.md", "comparison.html")


def writing_report(folder: Path, names: Collection[str] = EVALUATION) -> AbstractContextManager[None]:
    """Say that files of these names are about to be written below ``folder``, before anybody is asked; at the end, note what they are.

    Raises:
        StorageError: one of them is there and no report of ours, or was edited; or the folder cannot be written.
    """
    return writing_files(folder, KIND, names, _is_report)


def add_to_report(folder: Path, names: Collection[str]) -> None:
    """Inside :func:`writing_report`: say that files of these names are about to be written as well.

    Raises:
        StorageError: as :func:`writing_report`.
    """
    begin_files(folder, KIND, names, _is_report)


def _is_report(folder: Path) -> bool:
    """Whether a version that made no note of its files left a report here."""
    for name, key in (("evaluation.json", "results"), ("comparison.json", "differences")):
        try:
            content = json.loads((folder / name).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and key in content and "metrics" in content:
            return True
    return False
