"""When a stage is not worth going on with."""

from __future__ import annotations

import pytest

from pairwright.pipelines.failure_limit import HOPELESS, FailureLimit


def limit(rate: float, rows: int | None) -> FailureLimit:
    return FailureLimit(stage="judge", unit="candidates", rate=rate, rows=rows)


@pytest.mark.parametrize(("rate", "rows", "failed", "others", "passed"), [
    (0.05, 100, 5, 0, False),
    (0.05, 100, 6, 0, True),
    (0.05, 100, 6, 94, True),
    (0.0, 100, 1, 99, True),
    (0.29, 100, 29, 0, False),  # 0.29 * 100 is a little less than 29
    (0.05, None, 50, 1, False),  # of how many, nobody knows yet
    (0.05, None, HOPELESS - 1, 0, False),
    (0.05, None, HOPELESS, 0, True),
    (0.05, None, HOPELESS, 1, False),
    (0.05, 10**6, HOPELESS, 0, True),
    (1.0, None, 10**6, 0, False),
    (1.0, 500, 500, 0, False),
])  # fmt: skip
def test_a_stage_ends_as_soon_as_its_rate_cannot_be_kept(
    rate: float, rows: int | None, failed: int, others: int, passed: bool
) -> None:
    assert limit(rate, rows).passed(failed, others) is passed


def test_the_error_counts_what_failed_and_names_the_limit() -> None:
    error = limit(0.05, 100).error({"timeout": 2, "schema": 5}, 40, " already", "The first: x.")
    assert "stage judge: 7 of 40 candidates failed already (5 schema, 2 timeout)" in error.message
    assert "max_failure_rate = 0.05" in error.message
    assert error.hint.startswith("The first: x. Mend the cause")
