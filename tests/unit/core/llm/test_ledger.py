from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from asking import die_asking

from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.errors import BudgetReached, StorageError
from pairwright.core.llm.ledger import Ledger
from pairwright.core.requests import Answer, TokenLogprob

pytestmark = pytest.mark.slow

FREE = LimitsConfig()


def an_answer(name: str = "h", text: str = "它在哪里？\x00\x1b‮🙂", tokens: int = 10) -> Answer:
    return Answer(
        request_hash=name,
        model="m",
        text=text,
        finish_reason="stop",
        prompt_tokens=tokens,
        completion_tokens=tokens,
        logprobs=(TokenLogprob(token="5", logprob=-0.1, top={"5": -0.1, "4": -2.5}),),
        latency=0.25,
    )


def test_a_ledger_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "l", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # here SQLite says "locked" without waiting
    threading.Timer(0.2, other.close).start()
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.usage().answers == 0


def test_an_answer_comes_back_exactly_as_it_was_stored(tmp_path: Path) -> None:
    with Ledger(tmp_path / "deep" / "ledger.sqlite") as ledger:
        assert ledger.get("h") is None
        ledger.put(an_answer(), "teacher")
        assert ledger.get("h") == an_answer()
    with Ledger(tmp_path / "deep" / "ledger.sqlite") as again:
        assert again.get("h") == an_answer()


def test_a_path_that_sqlite_would_read_as_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Ledger(Path("file:z?mode=memory")) as ledger:
        assert ledger.get("h") is None
    assert (tmp_path / "file:z?mode=memory").is_file()


def test_the_first_answer_to_a_request_stays(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.put(an_answer(text="first"), "a")
        ledger.put(an_answer(text="second"), "a")
        found = ledger.get("h")
        assert found is not None
        assert found.text == "first"


def test_totals_follow_every_attempt(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        answered = ledger.begin("h", "a", 100, 0.5, FREE)
        refused = ledger.begin("i", "a", 100, 0.5, FREE)
        lost = ledger.begin("j", "b", 100, 0.5, FREE)
        assert ledger.usage().reserved_tokens == 300
        ledger.finish(answered, "ok", answer=an_answer(tokens=10), cost=0.1)
        ledger.finish(refused, "rate_limited")
        ledger.finish(lost, "timeout", billed=True)
        a, b, both = ledger.usage("a"), ledger.usage("b"), ledger.usage()
    assert (a.requests, a.answers, a.prompt_tokens, a.completion_tokens, a.cost) == (2, 1, 10, 10, 0.1)
    assert (a.reserved_tokens, a.reserved_cost) == (0, 0.0)
    assert (b.requests, b.answers, b.reserved_tokens, b.reserved_cost) == (1, 0, 100, 0.5)
    assert both.requests == 3


def test_an_unknown_endpoint_has_used_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.usage("nobody") == (0, 0, 0, 0, 0.0, 0, 0.0)


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (LimitsConfig(max_requests=2), "limits.max_requests of 2"),
        (LimitsConfig(max_tokens=250), "limits.max_tokens of 250"),
        (LimitsConfig(max_cost=1.2), "limits.max_cost of 1.2"),
    ],
)
def test_a_request_that_would_pass_a_limit_is_not_begun(tmp_path: Path, limits: LimitsConfig, key: str) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.begin("h", "a", 100, 0.5, limits)
        ledger.begin("i", "b", 100, 0.5, limits)
        with pytest.raises(BudgetReached, match=key) as caught:
            ledger.begin("j", "a", 100, 0.5, limits)
        assert ledger.usage().requests == 2
    assert caught.value.exit_code == 3
    assert "asks nothing twice" in caught.value.hint


def test_tokens_set_aside_and_not_used_are_free_again(tmp_path: Path) -> None:
    limits = LimitsConfig(max_tokens=100)
    with Ledger(tmp_path / "l") as ledger:
        attempt = ledger.begin("h", "a", 100, 0.0, limits)
        ledger.finish(attempt, "ok", answer=an_answer(tokens=10))
        ledger.begin("i", "a", 80, 0.0, limits)


def _begin_as_many_as_allowed(path: Path) -> int:
    limits = LimitsConfig(max_requests=50)
    begun = 0
    with Ledger(path) as ledger:
        while True:
            try:
                ledger.begin(f"{os.getpid()} {begun}", "a", 1, 0.0, limits)
            except BudgetReached:
                return begun
            begun += 1


def test_processes_together_do_not_pass_a_budget(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        assert sum(pool.map(_begin_as_many_as_allowed, [tmp_path / "l"] * 3)) == 50


def test_an_attempt_is_on_disk_before_it_is_sent(tmp_path: Path) -> None:
    die_asking(tmp_path / "l")
    with Ledger(tmp_path / "l") as ledger:
        assert ledger.usage()[:2] == (1, 0)
        assert ledger.usage().reserved_tokens == 7


def test_a_file_that_is_no_ledger_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("not a database, and long enough to be taken for a header of one" * 20)
    with pytest.raises(StorageError, match=str(tmp_path / "l")), Ledger(tmp_path / "l"):
        pass


def test_a_data_base_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "photos.db")) as db, db:
        db.execute("CREATE TABLE photos (name TEXT)")
    before = (tmp_path / "photos.db").read_bytes()
    (tmp_path / "empty").touch()
    (tmp_path / "to-empty").symlink_to(tmp_path / "empty")
    (tmp_path / "to-nowhere").symlink_to(tmp_path / "nowhere")
    for name in ("photos.db", "to-empty", "to-nowhere"):
        with pytest.raises(StorageError, match=f"{name}: (no ledger of pairwright|a link to nowhere)"):
            Ledger(tmp_path / name).__enter__()
    assert (tmp_path / "photos.db").read_bytes() == before
    assert (tmp_path / "empty").read_bytes() == b""
    assert not (tmp_path / "nowhere").exists()


def test_a_link_to_a_ledger_is_that_ledger(tmp_path: Path) -> None:
    with Ledger(tmp_path / "real"):
        pass
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with Ledger(tmp_path / "link") as ledger:
        assert ledger.usage().requests == 0


def test_a_ledger_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "l") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="version 99"), Ledger(tmp_path / "l"):
        pass


def test_a_full_disk_is_a_storage_error_and_keeps_what_is_there(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger.put(an_answer(), "a")
        pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
        ledger._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StorageError, match="full"):
            ledger.put(an_answer("i", text="x" * 100_000), "a")
        assert ledger.get("h") == an_answer()
        assert ledger.usage().answers == 1


def test_usage_does_not_read_the_answers(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l") as ledger:
        ledger._db.execute("DROP TABLE answers")
        ledger._db.execute("DROP TABLE attempts")
        assert ledger.usage().requests == 0


READERS = """
import sys, threading
from pathlib import Path
from pairwright.core.llm.ledger import Ledger

for number in range(40):
    with Ledger(Path(sys.argv[1]) / f"{number}.sqlite") as ledger:
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                ledger.usage()

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
    done.set()
    for thread in threads:
        thread.join()
    assert ledger.usage().requests == 0
"""


@pytest.mark.slow
def test_a_display_may_read_the_totals_while_the_file_is_closed_and_after_it(tmp_path: Path) -> None:
    """A query under a connection that is being closed ends Python with a segmentation fault."""
    done = subprocess.run([sys.executable, "-c", READERS, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
