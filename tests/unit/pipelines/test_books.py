"""The book-keeping law: rows in = kept + dropped (reason) + failed (error)."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.errors import BuildError
from pairwright.core.files.storage import read_rows
from pairwright.pipelines.books import Books, Silent


def odd_only(rows: Iterator[int]) -> Iterator[int | Dropped | Failed]:
    for row in rows:
        if row % 10 == 0:
            yield Failed(stage="odd", row=str(row), error="zero", message="ends in zero", file="numbers.txt", line=row)
        elif row % 2 == 0:
            yield Dropped(stage="odd", row=str(row), reason="even")
        else:
            yield row


def books(folder: Path, max_failure_rate: float = 1.0) -> Books:
    return Books(folder, max_failure_rate, Silent())


def test_every_row_is_kept_dropped_or_failed_and_written_down(tmp_path: Path) -> None:
    with books(tmp_path) as ledger:
        kept = list(ledger.stage("odd", "numbers", range(1, 21), odd_only))
    (count,) = ledger.counts
    assert kept == [n for n in range(1, 21) if n % 2]
    assert (count.rows_in, count.kept, dict(count.dropped), dict(count.failed)) == (20, 10, {"even": 8}, {"zero": 2})
    assert [row.row for row in read_rows(tmp_path / "failed.jsonl", Failed)] == ["10", "20"]
    assert len(list(read_rows(tmp_path / "dropped.jsonl", Dropped))) == 8


def test_a_stage_that_loses_a_row_is_a_bug_that_shows(tmp_path: Path) -> None:
    with books(tmp_path) as ledger, pytest.raises(BuildError, match="lost or invented"):
        list(ledger.stage("leaky", "numbers", range(5), lambda rows: (row for row in rows if row != 3)))


def test_a_stage_that_invents_a_row_is_a_bug_that_shows(tmp_path: Path) -> None:
    with books(tmp_path) as ledger, pytest.raises(BuildError, match="lost or invented"):
        list(ledger.stage("fertile", "numbers", range(5), lambda rows: (copy for row in rows for copy in (row, row))))


def test_too_many_failures_stop_the_build_and_say_where_the_first_one_is(tmp_path: Path) -> None:
    with books(tmp_path, max_failure_rate=0.05) as ledger, pytest.raises(BuildError) as caught:
        list(ledger.stage("odd", "numbers", range(1, 21), odd_only))
    assert "2 of 20 numbers failed (2 zero)" in caught.value.message
    assert "numbers.txt:10: ends in zero" in caught.value.hint
    assert "max_failure_rate" in caught.value.hint


def test_failures_at_the_allowed_rate_do_not_stop_the_build(tmp_path: Path) -> None:
    with books(tmp_path, max_failure_rate=0.10) as ledger:
        assert len(list(ledger.stage("odd", "numbers", range(1, 21), odd_only))) == 10


def test_stages_are_lazy_and_chain(tmp_path: Path) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1, 7):
            taken.append(number)
            yield number

    with books(tmp_path) as ledger:
        first = ledger.stage("first", "numbers", numbers(), odd_only)
        second = ledger.stage("second", "numbers", first, lambda rows: rows)
        assert next(second) == 1
        assert taken == [1]
        assert list(second) == [3, 5]
    assert [(count.stage, count.rows_in, count.kept) for count in ledger.counts] == [("first", 6, 3), ("second", 3, 3)]


def failing_after(good: int) -> Any:
    def work(rows: Iterator[int]) -> Iterator[int | Failed]:
        for row in rows:
            yield row if row < good else Failed(stage="bad", row=str(row), error="broken", message="it broke")

    return work


def test_a_stage_of_known_size_does_not_wait_for_its_last_row(tmp_path: Path) -> None:
    taken: list[int] = []
    numbers = (taken.append(number) or number for number in range(1000))  # type: ignore[func-returns-value]
    with books(tmp_path, max_failure_rate=0.05) as ledger, pytest.raises(BuildError, match="failed already") as caught:
        list(ledger.stage("bad", "numbers", numbers, failing_after(100), at_most=1000))
    assert len(taken) == 151
    assert "it broke" in caught.value.hint
    assert len(list(read_rows(tmp_path / "failed.jsonl", Failed))) == 51


def test_a_stage_that_only_fails_ends_even_where_nobody_knows_its_size(tmp_path: Path) -> None:
    endless = itertools.count()
    with books(tmp_path, max_failure_rate=0.05) as ledger, pytest.raises(BuildError, match="200 of 200 numbers failed"):
        list(ledger.stage("bad", "numbers", endless, failing_after(0)))


def test_the_law_also_holds_without_assertions(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pairwright.pipelines.books import Books, Silent\n"
        "with Books(Path(sys.argv[1]), 1.0, Silent()) as books:\n"
        "    list(books.stage('leaky', 'numbers', range(5), lambda rows: (row for row in rows if row != 3)))\n"
    )
    done = subprocess.run([sys.executable, "-O", "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "stage leaky lost or invented rows" in done.stderr
