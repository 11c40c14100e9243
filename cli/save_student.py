"""``python -m pairwright.cli.save_student FOLDER``: the packaged SmolLM2-135M as a model that trainers load."""

from __future__ import annotations

import sys
from pathlib import Path

from pairwright.core.errors import PairwrightError
from pairwright.training_recipes.models.smollm import save_student

if __name__ == "__main__":
    try:
        print(save_student(Path(sys.argv[1])))
    except PairwrightError as exc:
        sys.exit(str(exc))
