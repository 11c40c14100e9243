"""How many rows of a stage may fail before it is not worth going on."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.errors import BuildError
from pairwright.core.identity import Row

HOPELESS = 200
"""When the first so many rows of a stage have all failed, the rest will."""


class FailureLimit(Row):
    """``limits.max_failure_rate`` of a build, for one stage. ``rows`` is how many come at most, where that is known.

    What is decided before the last row does not depend on the order of the rows, but for the hopeless case.
    """

    stage: str
    unit: str
    rate: float
    rows: int | None = None

    def passed(self, failed: int, others: int) -> bool:
        """Whether it is certain, after so many failures and so many other outcomes, that too many rows fail."""
        if self.rows and failed / self.rows > self.rate:
            return True
        # A rate of 1 says that all rows may fail.
        return self.rate < 1 and not others and failed >= HOPELESS

    def error(self, failed: Mapping[str, int], rows: int, when: str, hint: str) -> BuildError:
        """What to tell: ``failed`` by error, of ``rows`` that were looked at."""
        reasons = ", ".join(f"{number} {error}" for error, number in sorted(failed.items()))
        return BuildError(
            f"stage {self.stage}: {sum(failed.values())} of {rows} {self.unit} failed{when} ({reasons}), "
            f"more than limits.max_failure_rate = {self.rate:g} allows",
            f"{hint} Mend the cause, or raise max_failure_rate to leave these rows out.",
        )
