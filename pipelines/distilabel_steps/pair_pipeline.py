"""A distilabel pipeline that ends when it should: with an error where something failed, and with all of its processes.

What distilabel's own ``Pipeline`` does instead, seen with version 1.5.3: a step over all rows that raises gives an empty data
set; a worker that is killed makes ``run`` wait for ever; workers go on asking when the process that started them is killed;
every batch of every step lies in the cache folder afterwards. Importing this module imports distilabel, which takes seconds.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from distilabel.distiset import Distiset
from distilabel.pipeline import Pipeline
from distilabel.pipeline.base import _STEP_NOT_LOADED_CODE, _STEP_UNLOADED_CODE
from distilabel.pipeline.step_wrapper import _StepWrapperException
from distilabel.utils import logging

from pairwright.core.errors import BuildError, Interrupted, PairwrightError
from pairwright.core.execution.processes import end_with_parent

_AGAIN = "Run the same pipeline again: what was paid for is in the ledger."
_LOAD_POLL, _DEATH_POLL = 0.02, 0.5
_running: list[int] = []


class PairPipeline(Pipeline):  # type: ignore[misc]
    """See the module; everything else is as in ``distilabel.pipeline.Pipeline``.

    Raises:
        PairwrightError: from ``run``: what a step over all rows raised (a batch of another step that raises is blanked, and
            the next step over all rows sees it).
        BuildError: from ``run``: a worker was killed.
        Interrupted: from ``run``: Ctrl-C; requests on their way are given up.
    """

    def run(self, *args: Any, **kwargs: Any) -> Distiset:
        """Run the pipeline; ``use_cache=False`` is what it is made for."""
        self._over, self._listener = threading.Event(), None
        before = signal.getsignal(signal.SIGINT)
        try:
            with _workers_end_with_this_process():
                return super().run(*args, **kwargs)
        finally:
            self._over.set()
            signal.signal(signal.SIGINT, before)
            self._close_log()

    def _cache(self) -> None:
        """Write no state: a run that is interrupted goes on with the ledger, not with distilabel's cache."""

    def _register_batch(self, batch: Any) -> None:
        self._batch_manager.register_batch(batch)

    def _run_steps(self, steps: Iterable[str]) -> None:
        # distilabel looks at once, and then again after two and a half seconds: for each step over all rows.
        names = list(steps)
        super()._run_steps(names)
        while not self._stop_called and _STEP_NOT_LOADED_CODE in self._get_steps_load_status(names).values():
            time.sleep(_LOAD_POLL)

    def _error_callback(self, e: BaseException) -> None:
        if isinstance(e, _StepWrapperException) and not e.is_load_error:
            self._exception = e.subprocess_exception
        super()._error_callback(e)

    def _set_steps_not_loaded_exception(self) -> None:
        if self._exception is None:  # else the steps of the next stage are not loaded because of it
            super()._set_steps_not_loaded_exception()

    def _handle_keyboard_interrupt(self) -> Any:
        def stop(number: int, frame: Any) -> None:  # noqa: ARG001
            # Not here: this may be in the middle of something that holds the locks.
            threading.Thread(target=self._abort, args=(Interrupted("interrupted", _AGAIN),)).start()

        return signal.signal(signal.SIGINT, stop)

    def _run_load_queue_loop_in_thread(self) -> threading.Thread:
        threading.Thread(target=self._watch_workers, daemon=True).start()
        thread: threading.Thread = super()._run_load_queue_loop_in_thread()
        return thread

    def _watch_workers(self) -> None:
        """End the run when a worker is gone: the pool starts another one, and nobody does the first one's work."""
        workers = self._workers()
        while not self._over.wait(_DEATH_POLL):
            if gone := workers - self._workers():
                self._abort(BuildError(f"process {min(gone)} of the pipeline was killed", _AGAIN))
                return

    def _workers(self) -> set[int]:
        return {worker.pid for worker in self._pool._pool}

    def _abort(self, error: PairwrightError) -> None:
        if self._over.is_set():
            return
        self._over.set()
        self._exception = error
        with self._steps_load_status_lock:  # nobody waits for a step any more
            self._steps_load_status.update(dict.fromkeys(self._steps_load_status, _STEP_UNLOADED_CODE))
        self._stop()

    def _close_log(self) -> None:
        """What distilabel forgets: the listener after an error, and the log file always."""
        handlers: tuple[Any, ...] = self._listener.handlers if self._listener else ()
        logging.stop_logging()
        for handler in handlers:
            handler.close()

    def _teardown(self) -> None:
        self._over.set()
        self._listener = logging.queue_listener
        super()._teardown()


@contextmanager
def _workers_end_with_this_process() -> Iterator[None]:
    _running.append(os.getpid())
    try:
        yield
    finally:
        _running.pop()


def _end_with_runner() -> None:
    if _running and _running[-1] == os.getppid():
        end_with_parent(_running[-1])


os.register_at_fork(after_in_child=_end_with_runner)
