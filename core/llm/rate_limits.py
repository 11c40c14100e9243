"""How fast one endpoint may be asked: concurrency that adapts, rates per minute, and when to try again."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

from pairwright.core.identity import row_rng

# Seconds: the most that the first retry waits, and the most that any waits.
BACKOFF_BASE = 0.5
BACKOFF_CAP = 30.0
_LOOK_AGAIN = 0.1  # others may give back what they did not use at any time
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class AdaptiveLimiter:
    """At most ``limit`` requests at once, where ``limit`` follows the server (additive increase, multiplicative
    decrease, as in TCP: Jacobson, *Congestion Avoidance and Control*, 1988).

    A throttled request halves the limit, once per round: requests that were already on their way when it was halved do
    not halve it again. As many good answers as the limit raise it by one, up to ``maximum``. A request keeps its
    place while it waits to be tried again, so trouble also means that fewer new requests start.
    """

    def __init__(self, maximum: int, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.maximum = maximum
        self.limit = float(maximum)
        self.active = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._clock = clock
        self._sleep = sleep
        self._halved_at = float("-inf")
        self._closed_until = float("-inf")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one place, first come first served."""
        if self.active >= int(self.limit) or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                # The place was given at the very moment of the cancellation: hand it on.
                if turn.done() and not turn.cancelled():
                    self._leave()
                raise
        else:
            self.active += 1
        try:
            yield
        finally:
            self._leave()

    async def opened(self) -> None:
        """Wait while the server asked everyone to pause."""
        while (wait := self._closed_until - self._clock()) > 0:
            await self._sleep(wait)

    def succeeded(self) -> None:
        """An answer came: the limit grows."""
        self.limit = min(float(self.maximum), self.limit + 1.0 / self.limit)
        self._admit()

    def throttled(self, sent_at: float, retry_after: float | None) -> None:
        """The server refused a request sent at ``sent_at`` as one too many; ``retry_after`` is in seconds."""
        now = self._clock()
        if sent_at >= self._halved_at:
            self.limit = max(1.0, self.limit / 2)
            self._halved_at = now
        if retry_after:
            self._closed_until = max(self._closed_until, now + retry_after)

    def _leave(self) -> None:
        self.active -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.active < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)


class MinuteLimit:
    """At most ``limit`` units in any 60 seconds (a sliding window, not a bucket that can be emptied twice)."""

    def __init__(self, limit: int, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.limit = limit
        self._clock = clock
        self._sleep = sleep
        self._spent: deque[list[float]] = deque()
        self._sum = 0.0
        self._turn = asyncio.Lock()

    async def spend(self, units: int) -> list[float]:
        """Wait until ``units`` fit into the window and take them; the result can be given to :meth:`correct`.

        More units than the whole limit are taken as the limit: such a request waits for an empty window.
        """
        amount = float(min(units, self.limit))
        # In turn, also while waiting: small requests would else overtake a large one for ever.
        async with self._turn:
            while (wait := self._wait_for(amount)) > 0:
                await self._sleep(min(wait, _LOOK_AGAIN))
            entry = [self._clock(), amount]
            self._spent.append(entry)
            self._sum += amount
        return entry

    def correct(self, entry: list[float], units: int) -> None:
        """Replace what ``entry`` took by what was really used."""
        # Older ones have left the window, and the sum, already.
        if self._spent and entry[0] >= self._spent[0][0]:
            self._sum += units - entry[1]
            entry[1] = float(units)

    def _wait_for(self, amount: float) -> float:
        now = self._clock()
        while self._spent and self._spent[0][0] <= now - 60.0:
            self._sum -= self._spent.popleft()[1]
        if self._sum + amount <= self.limit or not self._spent:
            return 0.0
        return self._spent[0][0] + 60.0 - now


def backoff(retry: int, request_hash: str) -> float:
    """Seconds before retry number ``retry`` (from 0): exponential with full jitter (Brooker, AWS, 2015)."""
    ceiling = min(BACKOFF_CAP, BACKOFF_BASE * 2.0**retry)
    return row_rng(retry, "backoff", request_hash).uniform(0.0, ceiling)


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """A ``Retry-After`` header (RFC 9110, 10.2.3): seconds or an HTTP date, as seconds from ``now`` (Unix time)."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    date = unix_time(value)
    return None if date is None else max(0.0, date - now)


def unix_time(date: str | None) -> float | None:
    """An HTTP date as Unix time; None where it is none."""
    try:
        return parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None
