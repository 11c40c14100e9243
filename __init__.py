"""pairwright: dialogues, or nothing but a scenario, become preference data that makes a small model better.

The repository's root is this package: ``core``, ``pipelines`` and the other folders are ``pairwright.core``,
``pairwright.pipelines`` and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pairwright.core.errors import PairwrightError as PairwrightError
    from pairwright.core.prompts.student import Student as Student
    from pairwright.pipelines.api import Build as Build

__all__ = ["Build", "PairwrightError", "Student", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``Build`` and ``Student`` are loaded when they are asked for: the command line must not pay for them."""
    if name == "Build":
        from pairwright.pipelines.api import Build

        return Build
    if name == "PairwrightError":
        from pairwright.core.errors import PairwrightError

        return PairwrightError
    if name == "Student":
        from pairwright.core.prompts.student import Student

        return Student
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
