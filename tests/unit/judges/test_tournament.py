"""The best of several texts: whatever the precision, a comparer of somebody's own that fails is named."""

from __future__ import annotations

import asyncio

import pytest
from own_components import Careless, Exploding, Whole

from pairwright.core.errors import ComponentError
from pairwright.core.requests import Answer, ChatRequest
from pairwright.judges.tournament import find_best, rank_all
from pairwright.testing import factories

CASE = factories.task()


async def nobody(endpoint: str, request: ChatRequest) -> Answer:
    raise AssertionError("nothing may be asked")


@pytest.mark.parametrize("find", [find_best, rank_all])
@pytest.mark.parametrize("comparer", [Exploding(), Careless()], ids=lambda one: one.name)
def test_a_comparer_that_fails_is_named_with_its_row(find: object, comparer: object) -> None:
    with pytest.raises(ComponentError, match=rf"comparer {comparer.name} \(.*\) failed at row {CASE.id}: "):  # type: ignore[attr-defined]
        asyncio.run(find(comparer, CASE, ["a", "b", "c"], nobody))  # type: ignore[operator]


def test_the_favourite_stays_where_it_always_wins() -> None:
    best, bouts = asyncio.run(find_best(Whole(), CASE, ["a", "b", "c"], nobody))
    assert (best, [(bout.first, bout.second) for bout in bouts]) == (0, [(0, 1), (0, 2)])
    assert asyncio.run(rank_all(Whole(), CASE, ["a", "b", "c"], nobody)).order == (0, 1, 2)
