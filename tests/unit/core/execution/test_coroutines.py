"""Coroutines run from plain code: the same outside a loop, inside one, and inside one in another thread."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable

import pytest

from pairwright.core.execution.coroutines import CoroutineRunner, run_coroutine


def plainly(work: Callable[[], None]) -> None:
    work()


def inside_a_loop(work: Callable[[], None]) -> None:
    async def cell() -> None:
        work()

    asyncio.run(cell())


PLACES = pytest.mark.parametrize("place", [plainly, inside_a_loop])


@PLACES
def test_a_coroutine_runs_in_every_place(place: Callable[[Callable[[], None]], None]) -> None:
    found = []

    async def twice(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    place(lambda: found.append(run_coroutine(twice(21))))
    assert found == [42]


@PLACES
def test_tasks_that_one_call_leaves_go_on_in_the_next(place: Callable[[Callable[[], None]], None]) -> None:
    steps: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0.01)
        steps.append("done")

    async def begin() -> asyncio.Task[None]:
        return asyncio.ensure_future(slow())

    async def finish(task: asyncio.Task[None]) -> None:
        await task

    def work() -> None:
        with CoroutineRunner() as runner:
            task = runner.run(begin())
            steps.append("between")
            runner.run(finish(task))

    place(work)
    assert steps == ["between", "done"]


@PLACES
def test_an_exception_comes_through_and_what_still_runs_is_cancelled_at_the_end(
    place: Callable[[Callable[[], None]], None],
) -> None:
    cancelled = []

    async def waiting() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    running = []

    async def failing() -> None:
        running.append(asyncio.ensure_future(waiting()))
        await asyncio.sleep(0)
        raise ZeroDivisionError

    def work() -> None:
        with pytest.raises(ZeroDivisionError), CoroutineRunner() as runner:
            runner.run(failing())

    place(work)
    assert cancelled == [True]


def test_a_runner_that_was_opened_outside_a_loop_works_inside_one() -> None:
    async def name() -> str:
        return threading.current_thread().name

    with CoroutineRunner() as runner:
        here = runner.run(name())
        names = []
        inside_a_loop(lambda: names.append(runner.run(name())))
        assert runner.run(name()) == here
    assert names[0].startswith("pairwright")


def test_the_loop_of_the_thread_stays_the_one_that_it_was() -> None:
    async def cell() -> None:
        before = asyncio.get_running_loop()
        run_coroutine(asyncio.sleep(0))
        assert asyncio.get_running_loop() is before
        await asyncio.sleep(0)

    asyncio.run(cell())


def test_the_stop_button_of_a_notebook_ends_what_runs() -> None:
    """It sends SIGINT to the kernel, whose loop leaves signals to Python."""
    ended = []
    # A run in the background of a shell ignores SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    async def endless() -> None:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def cell() -> None:
        with CoroutineRunner() as runner:
            with pytest.raises(KeyboardInterrupt):
                runner.run(endless())
            assert ended == [True]

    kernel = asyncio.new_event_loop()
    try:
        kernel.run_until_complete(cell())
    finally:
        signal.signal(signal.SIGINT, before)
        kernel.close()
