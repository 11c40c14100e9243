"""The errors that a user can meet, as one tree.

    PairwrightError           exit 1: printed as one paragraph without a traceback
    ├── ConfigError           exit 2: the build file or a command's option; one ``path: message`` per problem
    ├── SourceError           exit 1: a source that cannot be opened, an empty file, too many bad rows
    ├── ModelError            exit 1: an endpoint that cannot be used at all (wrong key, wrong model, dead)
    │   ├── RequestFailed     one request that failed for good: caught at the stage and kept as a ``Failed`` row
    │   └── BudgetReached     exit 3: the budget of the build file would be passed; raise it and run again
    ├── JudgeError            exit 1: a judge that cannot work (not one bad answer: that is a ``Failed`` row)
    ├── ComponentError        exit 1: a component of somebody's own that raised, or did not keep to its protocol
    ├── BuildError            exit 1: no rows left, too many failures, a stage whose books do not balance
    ├── StorageError          exit 1: a locked folder, a full disk, a file in the way that we did not make
    ├── ExportError           exit 1: a data set that cannot be written in the asked form
    ├── PublishError          exit 1: the Hub refused or could not be reached
    ├── TrainingError         exit 1: a recipe that cannot run
    └── Interrupted           exit 130, 143, 129: Ctrl-C, SIGTERM, SIGHUP; whatever was paid for is kept

Trouble with one row is data, not an exception: it becomes a ``Failed`` row. Our bugs keep their traceback; those of
somebody's own component are reported by core/component_calls.py.
"""

from __future__ import annotations

from collections.abc import Sequence


class PairwrightError(Exception):
    """Base of every error meant for a user: what happened, and in ``hint`` what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows of it: what happened and what to do, without the frames of ours in between."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(PairwrightError):
    """A build file that cannot be used; ``problems`` holds every one found, each as ``path: message``."""

    exit_code = 2

    def __init__(self, problems: Sequence[str], hint: str = "") -> None:
        super().__init__("\n".join(problems), hint)
        self.problems = tuple(problems)


class SourceError(PairwrightError):
    """A source that cannot be read at all."""


class ModelError(PairwrightError):
    """An endpoint that cannot be used at all: wrong key, unknown model, no server."""


class RequestFailed(ModelError):
    """One request that got no usable answer after its retries.

    ``kind`` is a short slug that ends up as ``Failed.error``: ``timeout``, ``http_500``, ``rate_limited``,
    ``connection``, ``malformed_body``, ``not_json``, ``schema``, ``truncated``, ``refused``, ``empty``.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class BudgetReached(ModelError):
    """The next request would pass ``limits`` of the build file. Everything paid for so far is in the ledger."""

    exit_code = 3


class JudgeError(PairwrightError):
    """A judge that cannot work at all."""


class ComponentError(PairwrightError):
    """A component of somebody's own that failed: names it, the row and the line of its file; what it raised is the cause."""


class BuildError(PairwrightError):
    """A build that cannot go on: no rows left, too many failed rows."""


class StorageError(PairwrightError):
    """A folder or file that cannot be written or is in use."""


class ExportError(PairwrightError):
    """Rows that cannot be written in the form asked for."""


class PublishError(PairwrightError):
    """The Hub refused, or could not be reached."""


class TrainingError(PairwrightError):
    """A recipe that cannot run."""


class Stopped(KeyboardInterrupt):
    """Ctrl-C, or the stop button of a notebook, while a build runs from Python: whatever was paid for is kept."""

    def _render_traceback_(self) -> list[str]:
        return [f"Stopped: {self}"]


class Interrupted(PairwrightError):
    """Ctrl-C, or another ``signal`` that asks a process to end: the exit code is 128 and its number, as in a shell."""

    exit_code = 130

    def __init__(self, message: str, hint: str = "", signal: int = 2) -> None:
        super().__init__(message, hint)
        self.exit_code = 128 + signal
