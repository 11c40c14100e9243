"""Coroutines run from code that is not asynchronous, also where an event loop is running already: in a notebook.

Stages are plain generators and their clients are asynchronous. :class:`asyncio.Runner` is what the standard library has
between the two, and it refuses to run inside a running loop. Every notebook cell is inside one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")


class CoroutineRunner:
    """Runs coroutines one after the other in an event loop of its own; a context manager.

    Between two calls of :meth:`run` nothing moves. Where the calling thread runs a loop already, the own one runs in a
    second thread while the caller waits: what the caller does, and what it sees happen, is the same.
    """

    def __enter__(self) -> Self:
        # With a factory the runner leaves the thread's current event loop alone: a notebook's kernel goes on using it.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._loop = self._runner.get_loop()
        self._thread: ThreadPoolExecutor | None = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _inside_a_loop():
            self._second_thread().submit(self._runner.close).result()
        else:
            self._runner.close()
        if self._thread is not None:
            self._thread.shutdown()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns, or the exception that it ends with.

        Ctrl-C, or a notebook's stop button, is raised at once outside a loop; inside one, first all that runs in the
        own loop is cancelled and ends.
        """
        # Not asyncio.Runner.run: it installs and removes a signal handler each time, which costs more than the verdict
        # of a rule.
        if not _inside_a_loop():
            return self._loop.run_until_complete(work)
        done = self._second_thread().submit(self._loop.run_until_complete, work)
        try:
            return done.result()
        except KeyboardInterrupt:
            self._cancel_all(done)
            raise

    def _second_thread(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="pairwright")
        return self._thread

    def _cancel_all(self, done: Future[Any]) -> None:
        def cancel() -> None:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

        self._loop.call_soon_threadsafe(cancel)
        wait([done])


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Like :func:`asyncio.run`, also inside a running event loop."""
    with CoroutineRunner() as runner:
        return runner.run(work)


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
