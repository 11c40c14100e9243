"""Golden files: what must stay as it was read. ``make golden`` prints them anew; read the difference before it is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from places import GOLDEN_FILES

PROMPTS = GOLDEN_FILES / "prompts"
JUDGES = GOLDEN_FILES / "judges"
PERTURBERS = GOLDEN_FILES / "perturbers"

update = False  # set by ``pytest --update-golden``


def check_text(path: Path, text: str) -> None:
    """``text`` is what the file says, to the byte."""
    if update:
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_bytes().decode("utf-8"), f"{path.name}: if the change is meant, run: make golden"


def update_case(path: Path, number: int, **found: Any) -> dict[str, Any]:
    """The case in line ``number`` (from 1) of a file of cases with what was found written into it."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    case: dict[str, Any] = {**json.loads(lines[number - 1]), **found}
    lines[number - 1] = json.dumps(case, ensure_ascii=False) + "\n"
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return case
