"""Several that ask with one ledger: what one has on its way, the others wait for, as long as it lives."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from asking import die_asking

from pairwright.core.config.build_file import EndpointConfig, LimitsConfig
from pairwright.core.llm import client as client_module
from pairwright.core.llm.client import Client
from pairwright.core.llm.holders import Holder
from pairwright.core.llm.ledger import AskedAlready, Ledger
from pairwright.core.requests import Answer, ChatRequest, Message
from pairwright.testing import FaultServer

FREE = LimitsConfig()


def asked(number: int = 0) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=f"第{number}家店几点开门？"),))


def an_answer(name: str) -> Answer:
    return Answer(request_hash=name, model="m", text="九点", finish_reason="stop", prompt_tokens=1, completion_tokens=1)


def locks(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if "-asking-" in path.name]


def ask(path: Path, server: FaultServer, numbers: range, busy: Callable[[], None], timeout: float = 60.0) -> list[str]:
    """What a build gets that asks all of ``numbers`` and is then ``busy`` for a moment, before it has read an answer."""

    async def work() -> list[str]:
        config = EndpointConfig(base_url=server.base_url, model="m", max_concurrency=16, timeout=timeout)
        with Ledger(path) as ledger:
            async with Client({"a": config}, ledger, FREE) as client:
                asyncio.get_running_loop().call_later(0.1, busy)
                answers = await asyncio.gather(*(client("a", asked(number)) for number in numbers))
        return [answer.text for answer in answers]

    return asyncio.run(work())


def test_a_request_on_its_way_is_not_sent_by_another_one(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as first, Ledger(tmp_path / "l") as second:
        attempt = first.begin("h", "a", 10, 0.0, FREE)
        with pytest.raises(AskedAlready):
            second.begin("h", "a", 10, 0.0, FREE)
        assert second.usage().requests == 1
        second.finish(second.begin("i", "a", 10, 0.0, FREE), "rate_limited")
        first.finish(attempt, "ok", answer=an_answer("h"))
        with pytest.raises(AskedAlready):  # answered since the other one looked
            second.begin("h", "a", 10, 0.0, FREE)


def test_whose_try_failed_holds_nobody_up(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as first, Ledger(tmp_path / "l") as second:
        first.finish(first.begin("h", "a", 10, 0.0, FREE), "rate_limited")
        second.begin("h", "a", 10, 0.0, FREE)
        with pytest.raises(AskedAlready):
            first.begin("h", "a", 10, 0.0, FREE)


def test_who_does_not_wait_sends_it_too(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as first, Ledger(tmp_path / "l") as second:
        first.begin("h", "a", 10, 0.0, FREE)
        assert second.begin("h", "a", 10, 0.0, FREE, wait=False) == 2


def test_a_process_that_died_holds_nobody_up_and_its_lock_goes(tmp_path: Path) -> None:
    die_asking(tmp_path / "l")
    assert len(locks(tmp_path)) == 1
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.begin("h", "a", 10, 0.0, FREE) == 2
        assert len(locks(tmp_path)) == 1
    assert locks(tmp_path) == []


def test_through_a_link_it_is_the_same_ledger(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l"):
        pass
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "l")
    with Ledger(tmp_path / "l") as first, Ledger(tmp_path / "elsewhere" / "link") as second:
        first.begin("h", "a", 10, 0.0, FREE)
        with pytest.raises(AskedAlready):
            second.begin("h", "a", 10, 0.0, FREE)


@pytest.mark.parametrize("name", ["notes", "0123456789abcdef", "../other/0123456789abcdef"])
def test_files_of_others_stay(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"l-asking-{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("somebody's" if name == "0123456789abcdef" else "")
    with Ledger(tmp_path / "l") as ledger:
        ledger._db.execute("INSERT INTO asking VALUES ('h', ?)", (name,))
        ledger.begin("h", "a", 10, 0.0, FREE)
    assert file.exists()


def test_a_folder_without_locks_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refused)
    with Ledger(tmp_path / "l") as first, Ledger(tmp_path / "l") as second:
        first.begin("h", "a", 10, 0.0, FREE)
        assert second.begin("h", "a", 10, 0.0, FREE) == 2
    assert locks(tmp_path) == []


def test_many_that_come_at_once_all_get_a_lock(tmp_path: Path) -> None:
    (tmp_path / "l").touch()
    holders = [Holder(tmp_path / "l") for _ in range(40)]
    threads = [threading.Thread(target=holder.name) for holder in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {holder.name() for holder in holders}
    assert None not in names
    assert len(names) == len(locks(tmp_path)) == 40
    assert all(holders[0].lives(str(name)) for name in names)
    for holder in holders:
        holder.release()
    assert locks(tmp_path) == []


def test_two_that_ask_the_same_pay_once_also_while_one_of_them_computes(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    openai_server.latency = 0.3
    got: list[list[str]] = []

    def build(busy: Callable[[], None]) -> None:
        got.append(ask(tmp_path / "l", openai_server, range(12), busy))

    first = threading.Thread(target=build, args=(lambda: time.sleep(1.5),))
    first.start()
    build(lambda: None)
    first.join()
    assert got[0] == got[1]
    assert sum(openai_server.answered.values()) == 12
    assert openai_server.asked_twice == 0


def test_one_that_stands_still_is_not_waited_for_without_end(
    tmp_path: Path, openai_server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "GRACE", 0.2)
    config = EndpointConfig(base_url=openai_server.base_url, model="m")
    request = asked()
    with Ledger(tmp_path / "l") as stopped:
        stopped.begin(client_module.request_hash(config.model or "", request), "a", 10, 0.0, FREE)
        began = time.monotonic()
        assert ask(tmp_path / "l", openai_server, range(1), lambda: None, timeout=0.5)
        assert time.monotonic() - began > 0.6


@pytest.mark.parametrize("outcome", ["answered", "failed"])
def test_who_waits_for_another_takes_no_turn_in_the_rates(
    tmp_path: Path, openai_server: FaultServer, outcome: str
) -> None:
    """Else all that waited would go out in one moment when the other one ends, or slow down what is really sent."""
    config = EndpointConfig(base_url=openai_server.base_url, model="m", max_concurrency=16, requests_per_minute=6)
    names = [client_module.request_hash("m", asked(number)) for number in range(10)]

    async def work(other: Ledger, attempts: list[int]) -> int:
        with Ledger(tmp_path / "l") as ledger:
            async with Client({"a": config}, ledger, FREE) as client:
                waiting = [asyncio.create_task(client("a", asked(number))) for number in range(10)]
                await asyncio.sleep(0.5)
                for name, attempt in zip(names, attempts, strict=True):
                    answer = an_answer(name) if outcome == "answered" else None
                    other.finish(attempt, "ok" if answer else "timeout", answer=answer)
                await asyncio.sleep(1)
                if outcome == "answered":  # nothing was taken: six more may go out at once
                    more = (client("a", asked(number)) for number in range(10, 16))
                    await asyncio.wait_for(asyncio.gather(*waiting, *more), 30)
                for task in waiting:
                    task.cancel()
        return openai_server.requests

    with Ledger(tmp_path / "l") as other:
        attempts = [other.begin(name, "a", 10, 0.0, FREE) for name in names]
        assert asyncio.run(work(other, attempts)) == 6


def test_no_lock_is_left_by_a_process_that_ends(tmp_path: Path, openai_server: FaultServer) -> None:
    ask(tmp_path / "l", openai_server, range(3), lambda: None)
    assert locks(tmp_path) == []
    assert os.path.exists(tmp_path / "l")
