"""Counts rows while they flow and checks at every stage that rows in = kept + dropped (reason) + failed (error)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self, TypeVar, runtime_checkable

from pairwright.core.bookkeeping import Dropped, Failed, StageCount
from pairwright.core.errors import BuildError
from pairwright.core.files.file_errors import file_errors, storage_error
from pairwright.core.files.storage import text_file
from pairwright.pipelines.failure_limit import FailureLimit

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741


@runtime_checkable
class Watcher(Protocol):
    """Told of every row, for a progress display."""

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """A stage starts; ``total`` is the number of rows to expect, where it is known."""

    def advance(self, stage: str) -> None:
        """One more row of the stage has its outcome."""

    def end(self, count: StageCount) -> None:
        """The stage's books are closed."""


class Books:
    """Writes ``dropped.jsonl`` and ``failed.jsonl`` in ``folder`` and keeps one :class:`StageCount` per stage."""

    def __init__(self, folder: Path, max_failure_rate: float, watcher: Watcher) -> None:
        self.counts: list[StageCount] = []
        self._folder = folder
        self._max_failure_rate = max_failure_rate
        self._watcher = watcher
        self._files = ExitStack()

    def __enter__(self) -> Self:
        self._dropped = self._open("dropped.jsonl")
        self._failed = self._open("failed.jsonl")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)

    def _open(self, name: str) -> IO[str]:
        return self._files.enter_context(text_file(self._folder / name))

    def _write(self, file: IO[str], row: Dropped | Failed) -> None:
        try:
            file.write(row.model_dump_json() + "\n")
        except OSError as exc:
            raise storage_error(exc, file.name) from exc

    def stage(
        self,
        stage: str,
        unit: str,
        inputs: Iterable[I],
        work: Callable[[Iterator[I]], Iterator[O | Dropped | Failed]],
        total: int | None = None,
        at_most: int | None = None,
    ) -> Iterator[O]:
        """Yield what ``work`` keeps of ``inputs`` and write down the rest.

        ``total`` is the number of rows to come, where it is known, ``at_most`` a number that it does not pass. With one of
        them the stage ends as soon as it is certain that too many rows fail; without, and at the latest, after its last row.
        It also ends when the first rows have all failed (see :class:`FailureLimit`).

        Raises:
            BuildError: more failed than ``max_failure_rate`` allows, or ``work`` lost or invented a row.
        """
        limit = self._limit(stage, unit, total if at_most is None else at_most)
        entered, kept, started = Counted(inputs), 0, time.monotonic()
        dropped: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        self._watcher.begin(stage, unit, total)
        for outcome in work(iter(entered)):
            if isinstance(outcome, Dropped):
                dropped[outcome.reason] += 1
                self._write(self._dropped, outcome)
            elif isinstance(outcome, Failed):
                failed[outcome.error] += 1
                self._write(self._failed, outcome)
                if limit.passed(failed.total(), kept + dropped.total()):
                    raise self._too_many(limit, failed, entered.count, " already")
            else:
                kept += 1
                yield outcome
            self._watcher.advance(stage)
        self._close(
            StageCount(
                stage=stage,
                unit=unit,
                rows_in=entered.count,
                kept=kept,
                dropped=dict(sorted(dropped.items())),
                failed=dict(sorted(failed.items())),
                seconds=time.monotonic() - started,
            )
        )

    def _limit(self, stage: str, unit: str, rows: int | None) -> FailureLimit:
        return FailureLimit(stage=stage, unit=unit, rate=self._max_failure_rate, rows=rows)

    def _close(self, count: StageCount) -> None:
        if not count.balances():
            raise BuildError(f"stage {count.stage} lost or invented rows: {count}", "This is a bug: please report it.")
        self.counts.append(count)
        self._watcher.end(count)
        limit = self._limit(count.stage, count.unit, count.rows_in)
        if limit.passed(sum(count.failed.values()), count.kept + sum(count.dropped.values())):
            raise self._too_many(limit, count.failed, count.rows_in)

    def _too_many(self, limit: FailureLimit, failed: Mapping[str, int], rows: int, when: str = "") -> BuildError:
        hint = f"{self.first_failure(limit.stage)}All of them are in {self._folder / 'failed.jsonl'}."
        return limit.error(failed, rows, when, hint)

    def first_failure(self, stage: str = "") -> str:
        """A sentence that names the first failed row, of ``stage`` if given; empty where none has failed."""
        # It is read back from the file.
        with file_errors(self._folder / "failed.jsonl"):
            self._failed.flush()
        with (self._folder / "failed.jsonl").open(encoding="utf-8") as file:
            rows = (Failed.model_validate_json(line) for line in file)
            first = next((row for row in rows if stage in ("", row.stage)), None)
        if first is None:
            return ""
        where = f"{first.file}:{first.line}: " if first.file else ""
        return f"The first: {where}{first.message}. "


class Counted(Iterable[I]):
    """Iterates over ``items`` and counts what was taken."""

    def __init__(self, items: Iterable[I]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[I]:
        for item in self._items:
            self.count += 1
            yield item


class Silent:
    """Shows nothing; for library use and tests."""

    def begin(self, stage: str, unit: str, total: int | None) -> None:
        """Nothing to show."""

    def advance(self, stage: str) -> None:
        """Nothing to show."""

    def end(self, count: StageCount) -> None:
        """Nothing to show."""
