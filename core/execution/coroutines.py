"""Coroutines run from code that is not asynchronous, also where an event loop is running already: in a notebook.

Stages are plain generators and their clients are asynchronous. :class:`asyncio.Runner` is what the standard library has
between the two, and it refuses to run inside a running loop. Every notebook cell is inside one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from pairwright.core.interruption import INTERRUPTION

T = TypeVar("T")


class CoroutineRunner:
    """Runs coroutines one after the other in an event loop of its own; a context manager.

    Between two calls of :meth:`run` nothing moves. Where the calling thread runs a loop already, the own one runs in a
    second thread while the caller waits: what the caller does, and what it sees happen, is the same.
    """

    def __enter__(self) -> Self:
        self._thread: ThreadPoolExecutor | None = None
        with INTERRUPTION.held():
            # With a factory the runner leaves the thread's current event loop alone: a notebook's kernel goes on using it.
            self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
            self._loop = self._runner.get_loop()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with INTERRUPTION.held():
            if _inside_a_loop():
                self._second_thread().submit(self._runner.close).result()
            else:
                self._runner.close()
            if self._thread is not None:
                self._thread.shutdown()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns, or the exception that it ends with.

        On Ctrl-C, or a notebook's stop button, ``work`` is cancelled and ends before it is raised. Other tasks in the loop
        stay: requests on their way are worth the wait of those who close their client.
        """
        # Not asyncio.Runner.run: it installs and removes a signal handler each time, which costs more than the verdict
        # of a rule.
        task = self._loop.create_task(work)
        if not _inside_a_loop():
            return self._run_here(task)
        done = self._second_thread().submit(INTERRUPTION.run, self._loop, task)
        try:
            return done.result()
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(task.cancel)
            wait([done])
            raise

    def _run_here(self, task: asyncio.Task[T]) -> T:
        try:
            return INTERRUPTION.run(self._loop, task)
        except KeyboardInterrupt:
            # Twice: told again, it does not get the time to end well.
            for _ in range(2):
                task.cancel()
                with suppress(KeyboardInterrupt):
                    INTERRUPTION.run(self._loop, self._loop.create_task(_ended(task)))
                    break
            raise

    def _second_thread(self) -> ThreadPoolExecutor:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="pairwright")
        return self._thread


def run_coroutine(work: Coroutine[Any, Any, T]) -> T:
    """Like :func:`asyncio.run`, also inside a running event loop."""
    with CoroutineRunner() as runner:
        return runner.run(work)


async def _ended(task: asyncio.Task[Any]) -> None:
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # looked at: what a cancelled task ends with is nobody's business


def _inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
