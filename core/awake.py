"""Time-outs in seconds in which this process ran: a laptop that sleeps, Ctrl-Z and SIGSTOP take nothing from them.

Whoever wakes up after such a pause finds every time-out over, and the answers in the socket. So time is counted in
short steps, a step that took much longer counts as one, and what came meanwhile is read first.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

STEP = 1.0
# Seconds by which a step may be late on a busy machine.
_LATE = 0.1


class AwakeTimeout:
    """As ``asyncio.timeout``, in awake seconds. A loop that was kept busy as the time ran out gets one short look more."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._looked_again = False
        self._timeout = asyncio.timeout(None)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._begin_step()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _begin_step(self) -> None:
        self._step = min(self._left, STEP)
        self._due = self._loop.time() + self._step
        self._timer = self._loop.call_at(self._due, self._end_step)

    def _end_step(self) -> None:
        late = self._loop.time() - self._due
        self._left -= self._step
        if late > STEP:
            self._left = max(self._left, STEP)
        elif self._left <= 0 and late > _LATE and not self._looked_again:
            self._left, self._looked_again = _LATE, True
        if self._left > 0:
            self._begin_step()
        else:
            self._timeout.reschedule(self._loop.time())


async def wait_awake(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> None:
    """Wait until all ``tasks`` are done, at most so many awake seconds."""
    running, left = set(tasks), seconds
    while running and left > 0:
        step = min(left, STEP)
        began = time.monotonic()
        _, running = await asyncio.wait(running, timeout=step)
        took = time.monotonic() - began
        left -= min(took, step)
        if took > step + STEP:
            left = max(left, STEP)


def awake_steps(seconds: float, step: float) -> Iterator[None]:
    """Look up to ``seconds / step`` times, with ``step`` seconds of sleep after each look."""
    for _ in range(math.ceil(seconds / step)):
        yield
        time.sleep(step)
