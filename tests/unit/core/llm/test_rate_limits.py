from __future__ import annotations

import asyncio
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.llm import rate_limits
from pairwright.core.llm.rate_limits import AdaptiveLimiter, MinuteLimit, backoff, retry_after_seconds


class FakeTime:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def a_limiter(maximum: int, time: FakeTime) -> AdaptiveLimiter:
    return AdaptiveLimiter(maximum, time.clock, time.sleep)


def test_concurrency_halves_once_per_round_of_refusals() -> None:
    time = FakeTime()
    limiter = a_limiter(64, time)
    sent = time.now
    time.now += 1
    for _ in range(30):
        limiter.throttled(sent_at=sent, retry_after=None)
    assert limiter.limit == 32
    time.now += 1
    limiter.throttled(sent_at=time.now, retry_after=None)
    assert limiter.limit == 16


def test_concurrency_never_falls_below_one_and_recovers_to_the_maximum_only() -> None:
    time = FakeTime()
    limiter = a_limiter(8, time)
    for _ in range(10):
        time.now += 1
        limiter.throttled(time.now, None)
    assert limiter.limit == 1
    for _ in range(8):
        limiter.succeeded()
    assert 3 < limiter.limit < 5
    for _ in range(100):
        limiter.succeeded()
    assert limiter.limit == 8


async def _most_at_once(limiter: AdaptiveLimiter, people: int) -> int:
    most = 0

    async def visit() -> None:
        nonlocal most
        async with limiter.place():
            most = max(most, limiter.active)
            await asyncio.sleep(0.001)

    await asyncio.gather(*[visit() for _ in range(people)])
    return most


def test_no_more_than_the_limit_are_inside() -> None:
    assert asyncio.run(_most_at_once(AdaptiveLimiter(5), 40)) == 5


def test_a_place_is_passed_on_in_order_and_survives_cancelled_waiters() -> None:
    async def scene() -> list[int]:
        limiter = AdaptiveLimiter(1)
        order: list[int] = []

        async def visit(number: int) -> None:
            async with limiter.place():
                order.append(number)
                await asyncio.sleep(0.001)

        tasks = [asyncio.create_task(visit(number)) for number in range(5)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.active == 0
        return order

    assert asyncio.run(scene()) == [0, 2, 4]


def test_a_waiter_cancelled_just_after_it_was_let_in_gives_its_place_back() -> None:
    async def scene() -> int:
        limiter = AdaptiveLimiter(1)
        async with limiter.place():
            waiting = asyncio.create_task(limiter.place().__aenter__())
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return limiter.active

    assert asyncio.run(scene()) == 0


def test_everyone_waits_when_the_server_says_for_how_long() -> None:
    time = FakeTime()
    limiter = a_limiter(4, time)
    limiter.throttled(time.now, retry_after=7.0)
    asyncio.run(limiter.opened())
    assert time.now == pytest.approx(1007.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_no_window_of_a_minute_holds_more_than_the_limit(limit: int, amounts: list[int]) -> None:
    time = FakeTime()
    rate = MinuteLimit(limit, time.clock, time.sleep)

    async def scene() -> list[tuple[float, float]]:
        taken = []
        for amount in amounts:
            moment, units = await rate.spend(amount)
            taken.append((moment, units))
            time.now += 0.5
        return taken

    taken = asyncio.run(scene())
    for start, _ in taken:
        assert sum(units for moment, units in taken if start <= moment < start + 60) <= limit


def test_what_was_not_used_is_free_again() -> None:
    time = FakeTime()
    rate = MinuteLimit(100, time.clock, time.sleep)

    async def scene() -> None:
        entry = await rate.spend(90)
        rate.correct(entry, 10)
        await rate.spend(90)

    asyncio.run(scene())
    assert time.now == 1000.0


def test_correcting_a_forgotten_minute_changes_nothing() -> None:
    time = FakeTime()
    rate = MinuteLimit(100, time.clock, time.sleep)

    async def scene() -> None:
        old = await rate.spend(100)
        time.now += 61
        await rate.spend(50)
        rate.correct(old, 0)
        await rate.spend(51)

    asyncio.run(scene())
    assert time.now > 1100


def test_waiting_grows_with_each_retry_and_is_spread() -> None:
    first = [backoff(0, f"{row}") for row in range(200)]
    fifth = [backoff(4, f"{row}") for row in range(200)]
    assert max(first) <= rate_limits.BACKOFF_BASE
    assert 2 < sum(fifth) / len(fifth) < 6
    assert min(fifth) < 1
    assert max(backoff(30, f"{row}") for row in range(200)) <= rate_limits.BACKOFF_CAP


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        (formatdate(1020, usegmt=True), 20.0),
        (formatdate(900, usegmt=True), 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, expected: float | None) -> None:
    assert retry_after_seconds(value, now=1000.0) == expected
