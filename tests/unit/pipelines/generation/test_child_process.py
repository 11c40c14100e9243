"""The process that runs distilabel ends when its rows are through, whatever its workers do."""

from __future__ import annotations

import multiprocessing
import signal
import time

import pytest

from pairwright.pipelines.generation.child_process import kill_when_terminated


def deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@pytest.mark.timeout(60)
def test_a_worker_that_does_not_hear_sigterm_keeps_nobody_waiting() -> None:
    pool = multiprocessing.get_context("fork").Pool(2, initializer=deaf)
    pool.map(abs, range(4))  # both have begun
    pool.apply_async(time.sleep, (300,))
    time.sleep(0.2)
    kill_when_terminated(pool)
    pool.terminate()
    pool.join()
    assert pool._state == "TERMINATE"  # type: ignore[attr-defined]
