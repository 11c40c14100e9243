"""What a component of somebody's own does wrong names it, the row and its file; our own bugs stay bugs."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from own_components import (
    Careless,
    Exploding,
    ExplodingLearner,
    ExplodingReader,
    Silent,
    Whole,
    place,
    reference,
)

from pairwright.core import component_calls as calls
from pairwright.core.components import Component
from pairwright.core.errors import ComponentError, JudgeError, RequestFailed
from pairwright.core.requests import Answer, ChatRequest
from pairwright.testing import factories

CASE = factories.task()
CHOSEN = factories.candidate(of=CASE)
AT = f"at row {CASE.id}"
RNG = random.Random(0)


async def nobody(endpoint: str, request: ChatRequest) -> Answer:
    raise AssertionError("nothing may be asked")


CALLS: dict[str, Callable[[Any], object]] = {
    "read": lambda one: list(calls.read_source(one)),
    "decide": lambda one: asyncio.run(calls.ask_gate(one, CASE, nobody)),
    "judge": lambda one: asyncio.run(calls.ask_judge(one, CASE, [CHOSEN], nobody)),
    "compare": lambda one: asyncio.run(calls.ask_comparer(one, CASE, "a", "b", nobody)),
    "review": lambda one: asyncio.run(calls.ask_review(one, CASE, CHOSEN, nobody)),
    "prefer": lambda one: asyncio.run(calls.ask_preference(one, CASE, CHOSEN, CHOSEN, nobody)),
    "perturb": lambda one: list(calls.perturb(one, CASE, CHOSEN, RNG)),
    "export": lambda one: calls.export_build(one, None, Path()),
}
KINDS = {
    "read": ("source", "after row own.txt:2"),
    "decide": ("gate", AT),
    "judge": ("judge", AT),
    "compare": ("comparer", AT),
    "review": ("improver", AT),
    "prefer": ("improver", AT),
    "perturb": ("perturber", AT),
    "export": ("exporter", "while it wrote the build"),
}
METHODS = {name: vars(Exploding)[name] for name in CALLS}


def failing(call: Callable[[Any], object], component: Component) -> ComponentError:
    with pytest.raises(ComponentError) as caught:
        call(component)
    assert caught.value.exit_code == 1
    assert "leave it out of the build file" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("method", CALLS)
def test_an_exception_names_component_file_row_and_what_was_raised(method: str) -> None:
    kind, where = KINDS[method]
    error = failing(CALLS[method], Exploding())
    named = f"{kind} exploding (own_components:Exploding, {place(METHODS[method])})"
    assert error.message == f"{named} failed {where}: ZeroDivisionError: division by zero"
    assert isinstance(error.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("method", CALLS)
def test_an_exception_in_one_of_ours_is_a_bug_and_stays_what_it_is(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exploding, "__module__", "pairwright.judges.rules.exploding")
    with pytest.raises(ZeroDivisionError):
        CALLS[method](Exploding())


@pytest.mark.parametrize(
    "raised",
    [JudgeError("no rubric"), RequestFailed("timeout", "no answer"), KeyboardInterrupt(), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
def test_errors_for_users_and_interrupts_pass_as_they_are(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as caught, calls.Calling("gate", Whole(), AT):
        raise raised
    assert caught.value is raised


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("read", "before its first row: it gave dict instead of Conversation or Failed"),
        ("decide", f"{AT}: it gave bool instead of GateDecision"),
        ("judge", f"{AT}: it gave 2 verdicts, 1 asked for"),
        ("compare", f"{AT}: it gave str instead of Comparison"),
        ("review", f"{AT}: it gave NoneType instead of Review"),
        ("prefer", f"{AT}: it gave str instead of Comparison"),
        ("perturb", f"{AT}: it gave str instead of Rejected or Dropped"),
    ],
)
def test_what_the_protocol_does_not_allow_is_told_with_where_the_class_begins(method: str, told: str) -> None:
    begin = f"{inspect.getfile(Careless)}:{inspect.getsourcelines(Careless)[1]}"
    error = failing(CALLS[method], Careless())
    assert error.message == f"{KINDS[method][0]} careless (own_components:Careless, {begin}) failed {told}"


def test_a_perturber_that_gives_nothing_and_a_judge_without_verdicts_are_told() -> None:
    assert failing(CALLS["perturb"], Silent()).message.endswith(
        f"{AT}: it gave nothing; give a Dropped with a reason where no variant can be made"
    )
    assert failing(CALLS["judge"], Silent()).message.endswith(f"{AT}: it gave NoneType instead of a list of verdicts")


def test_what_is_not_awaitable_or_takes_other_arguments_is_told_too() -> None:
    class Plain(Component):
        name: ClassVar[str] = "plain"

        def compare(self, first: str, second: str) -> str:
            return first

    error = failing(CALLS["compare"], Plain())
    assert "failed at row" in error.message
    assert "TypeError" in error.message


def test_perturbers_that_read_ahead_or_learn_are_named_as_well() -> None:
    ahead = failing(lambda one: calls.read_ahead([one], [CASE]), ExplodingReader())
    assert f"perturber exploding_reader ({reference(ExplodingReader)}, " in ahead.message
    assert f"failed while it read ahead from row {CASE.id}: ZeroDivisionError" in ahead.message
    learning = failing(lambda one: calls.know_corpus(one, ()), ExplodingLearner())
    assert "failed while it read the chosen answers: ZeroDivisionError" in learning.message
    wrong = failing(lambda one: calls.know_corpus(one, ()), Careless())
    assert wrong.message.endswith("it gave NoneType instead of Perturber")


def test_what_is_right_comes_through_untouched() -> None:
    good = Whole()
    assert [row.origin.line for row in calls.read_source(good)] == [1, 2, 3]  # type: ignore[union-attr]
    assert asyncio.run(calls.ask_judge(good, CASE, [CHOSEN, CHOSEN], nobody))[1].passed
    assert [one.text for one in calls.perturb(good, CASE, CHOSEN, RNG)] == [f"{CHOSEN.text} Or not."]  # type: ignore[union-attr]
    calls.read_ahead([good], [CASE])


def test_a_long_message_over_many_lines_is_told_in_one() -> None:
    with pytest.raises(ComponentError) as caught, calls.Calling("gate", Whole(), AT):
        raise ValueError("word\n" * 1000)
    assert caught.value.message.endswith("word …")
    assert len(caught.value.message) < 600
    assert "\n" not in caught.value.message


def test_what_a_reader_of_rows_does_with_them_is_not_the_sources_fault() -> None:
    with pytest.raises(KeyError):
        for _ in calls.read_source(Whole()):
            raise KeyError("ours")
