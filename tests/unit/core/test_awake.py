from __future__ import annotations

import asyncio
import time

import pytest

from pairwright.core.awake import AwakeTimeout, awake_steps, wait_awake

pytestmark = pytest.mark.slow


def test_a_time_out_ends_what_takes_longer_and_nothing_else() -> None:
    async def run() -> None:
        async with AwakeTimeout(5.0):
            await asyncio.sleep(0.01)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with AwakeTimeout(0.2):
                await asyncio.sleep(60)
        assert 0.2 <= time.monotonic() - began < 30

    asyncio.run(run())


def test_a_loop_that_was_busy_as_the_time_ran_out_looks_once_more() -> None:
    async def run() -> str:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def read() -> None:
            time.sleep(0.5)  # the answer comes, and the loop does not look
            asyncio.get_running_loop().call_later(0.02, answer.set_result, "kept")

        asyncio.get_running_loop().call_later(0.01, read)
        async with AwakeTimeout(0.2):
            return await answer

    assert asyncio.run(run()) == "kept"


def test_cancelling_is_no_time_out() -> None:
    async def run() -> None:
        async def slow() -> None:
            async with AwakeTimeout(60):
                await asyncio.sleep(60)

        task = asyncio.ensure_future(slow())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_tasks_are_waited_for_and_not_for_ever() -> None:
    async def run() -> None:
        soon, never = asyncio.ensure_future(asyncio.sleep(0.05)), asyncio.ensure_future(asyncio.sleep(60))
        began = time.monotonic()
        await wait_awake([soon], 60)
        assert soon.done()
        await wait_awake([soon, never], 0.2)
        assert not never.done()
        assert time.monotonic() - began < 30

    asyncio.run(run())


def test_steps_are_counted_not_clocked() -> None:
    looks = awake_steps(0.03, 0.01)
    next(looks)
    time.sleep(0.1)
    assert len(list(looks)) == 2
