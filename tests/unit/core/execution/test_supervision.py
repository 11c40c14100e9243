from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from generation_rows import processes_about, wait_until

from pairwright.core.errors import BudgetReached, BuildError, ModelError, PairwrightError, StorageError
from pairwright.core.execution import supervision
from pairwright.core.execution.supervision import Control, supervise

pytestmark = pytest.mark.slow

START = """
import os, sys, time
from pathlib import Path
from pairwright.core.errors import *
from pairwright.core.execution.supervision import *
control = Control(Path(sys.argv[1]))
end_with_parent(os.getppid())
control.join()
bind_forks(control)
def forked():
    if not os.fork():
        time.sleep(60)
        os._exit(0)
"""


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


def run(control: Control, *script: str) -> None:
    """Supervise a process that does ``script`` after binding itself and its forks to the build."""
    code = START + textwrap.dedent("\n".join(script))
    supervise([sys.executable, "-c", code, str(control.folder)], control, control.folder / "log", os.environ)


def all_gone(control: Control) -> bool:
    return wait_until(lambda: not processes_about(control.folder), 30)


def test_a_process_that_ends_well_leaves_nothing_running(control: Control) -> None:
    run(control, "forked()", "control.finish()")
    assert all_gone(control)


def test_forks_of_a_finished_process_may_end_in_any_order(control: Control) -> None:
    run(
        control,
        """
        if not os.fork():
            os._exit(0)
        control.finish()
        time.sleep(0.5)
        """,
    )


@pytest.mark.parametrize("error", [BudgetReached("50 were asked", "Raise it."), ModelError("no such key", "Set it.")])
def test_a_reported_error_is_raised_as_it_was(control: Control, error: PairwrightError) -> None:
    script = f"control.report({type(error).__name__}({error.message!r}, {error.hint!r}))", "time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(type(error)) as raised:
        run(control, "forked()", *script)
    assert type(raised.value) is type(error)
    assert (raised.value.message, raised.value.hint) == (error.message, error.hint)
    assert raised.value.exit_code == error.exit_code
    assert time.monotonic() - started < 40  # the child sleeps a minute
    assert all_gone(control)


def test_an_error_waits_for_requests_on_their_way(control: Control) -> None:
    run_it = """
    with control.asking():
        control.report(ModelError("dead"))
        while not control.stopped():
            time.sleep(0.01)
        time.sleep(1)
        (control.folder / "recorded").touch()
    time.sleep(60)
    """
    with pytest.raises(ModelError):
        run(control, run_it)
    assert (control.folder / "recorded").exists()


def test_a_crash_is_an_error_with_the_last_line_of_the_log(control: Control) -> None:
    with pytest.raises(BuildError, match="exit code 1.*ZeroDivisionError") as raised:
        run(control, "1 / 0")
    assert str(control.folder / "log") in raised.value.hint


@pytest.mark.parametrize("victim", ["fork", "leader"])
def test_a_killed_process_ends_the_build(control: Control, victim: str) -> None:
    def kill() -> None:
        assert wait_until(lambda: len(list(control.folder.glob("alive-*"))) == 2, 20)
        leader, fork = processes_about(control.folder)
        os.kill(leader if victim == "leader" else fork, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(BuildError, match="killed|exit code -9"):
        run(control, "forked()", "time.sleep(60)")
    killer.join()
    assert all_gone(control)


def test_nothing_outlives_a_build_killed_with_minus_nine(control: Control) -> None:
    build = f"""
import os, sys
from pathlib import Path
from pairwright.core.execution.supervision import Control, supervise
control = Control(Path(sys.argv[1]))
code = {START!r} + "forked()\\ntime.sleep(60)"
supervise([sys.executable, "-c", code, sys.argv[1]], control, control.folder / "log", os.environ)
"""
    process = subprocess.Popen([sys.executable, "-c", build, str(control.folder)])
    assert wait_until(lambda: len(list(control.folder.glob("alive-*"))) == 2, 20)
    assert len(processes_about(control.folder)) == 3
    process.kill()
    process.wait()
    assert all_gone(control)


def test_control_c_waits_for_requests_on_their_way_but_not_for_ever(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "DRAIN_SECONDS", 1.5)

    def interrupt() -> None:
        assert wait_until(control.busy, 20)
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(control, "forked()", "with control.asking():", "    time.sleep(60)")
    interrupter.join()
    assert 1.5 < time.monotonic() - started < 40
    assert all_gone(control)


def test_an_error_is_told_also_where_no_new_file_can_be_written(tmp_path: Path) -> None:
    control = Control(tmp_path / "control")
    control.prepare()
    script = """
    (control.folder / f"fatal-{os.getpid()}.json.partial").mkdir()  # in the way of a file of its own
    control.report(StorageError("磁盘: No space left on device", "Free some space."))
    control.report(ModelError("a later one"))
    time.sleep(60)
    """
    with pytest.raises(StorageError, match=r"^磁盘: No space left on device\nFree some space\.$"):
        run(control, script)


def test_what_a_log_says_of_the_disk_is_the_error(control: Control) -> None:
    with pytest.raises(StorageError, match="No space left on device\nFree some space"):
        run(control, "raise OSError(28, 'No space left on device')")
