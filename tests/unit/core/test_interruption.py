from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.interruption import INTERRUPTION, Interruption, Wait

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def handling() -> Iterator[Interruption]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:  # whoever runs the tests may ignore some, as nohup does
        signal.signal(number, signal.SIG_DFL)
    INTERRUPTION.handle_signals()
    yield INTERRUPTION
    for number, handler in before.items():
        signal.signal(number, handler)
    INTERRUPTION.signal = None
    INTERRUPTION.take()


def test_importing_changes_no_handler() -> None:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_not_raised_in_the_middle_of_what_the_loop_does(
    handling: Interruption, number: signal.Signals
) -> None:
    recorded = []

    async def record() -> None:
        os.kill(os.getpid(), number)
        recorded.append("the answer that came just then")
        await asyncio.sleep(60)

    with CoroutineRunner() as runner, pytest.raises(KeyboardInterrupt):
        runner.run(record())
    assert len(recorded) == 1
    assert handling.told().exit_code == 128 + number


def test_work_that_is_stopped_ends_well_and_what_others_began_goes_on(handling: Interruption) -> None:
    ended: list[str] = []
    begun: list[asyncio.Task[None]] = []

    async def answer() -> None:
        await asyncio.sleep(0.05)
        ended.append("answer")

    async def work() -> None:
        begun.append(asyncio.ensure_future(answer()))
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append("work")

    async def wait() -> None:
        await begun[0]

    with CoroutineRunner() as runner:
        with pytest.raises(KeyboardInterrupt):
            runner.run(work())
        assert ended == ["work"]
        runner.run(wait())
    assert ended == ["work", "answer"]
    assert handling.signal == signal.SIGTERM


def test_a_signal_while_a_loop_is_made_waits_until_it_is_there(
    handling: Interruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is half made prints a traceback when it goes."""
    made, make = [], asyncio.new_event_loop

    def interrupted() -> asyncio.AbstractEventLoop:
        os.kill(os.getpid(), signal.SIGTERM)
        made.append(make())
        return made[0]

    monkeypatch.setattr(asyncio, "new_event_loop", interrupted)
    with pytest.raises(KeyboardInterrupt), CoroutineRunner():
        pytest.fail("it was told to end")
    assert len(made) == 1
    made[0].close()
    assert handling.signal == signal.SIGTERM


def test_outside_a_loop_it_is_raised_at_once(handling: Interruption) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGHUP)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        Interruption().handle_signals()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        for number, handler in others.items():
            signal.signal(number, handler)
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        ([], "stopped by Ctrl-C"),
        ([Wait("teacher", 0, 0, 0)], "stopped by Ctrl-C"),
        (
            [Wait("teacher", 8, 5, 0), Wait("judge", 4, 4, 0)],
            "stopped by Ctrl-C; 12 requests were on their way: 9 answers came and are kept, "
            "3 did not come in 10 s (endpoint teacher)",
        ),
        (
            [Wait("teacher", 2, 0, 1), Wait("judge", 1, 0, 0)],
            "stopped by Ctrl-C; 3 requests were on their way: 0 answers came and are kept, 1 ended in an error, "
            "2 did not come in 10 s (endpoints judge, teacher)",
        ),
        ([Wait("t", 1, 1, 0)], "stopped by Ctrl-C; 1 request was on its way: 1 answer came and is kept"),
    ],
)
def test_the_paragraph_says_what_became_of_the_requests(waits: list[Wait], said: str) -> None:
    interruption = Interruption()
    interruption.note(waits)
    assert interruption.told().message == said
    assert interruption.told().message == "stopped by Ctrl-C"


@pytest.mark.slow
def test_the_exit_code_is_right_also_where_generated_code_was_running(tmp_path: Path) -> None:
    """As dataclasses do while a command begins."""
    code = """
import sys
from pairwright.core.interruption import INTERRUPTION
INTERRUPTION.handle_signals()
try:
    exec("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
except KeyboardInterrupt:
    sys.exit(INTERRUPTION.told().exit_code)
"""
    (tmp_path / "begins.py").write_text(code)
    assert subprocess.run([sys.executable, "-m", "begins"], cwd=tmp_path, check=False).returncode == 143


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_after_all_is_done_does_not_change_the_exit_code(tmp_path: Path, number: signal.Signals) -> None:
    """As when a scheduler's time is up in the very moment in which Python takes itself down."""
    code = f"""
import atexit, os, sys
atexit.register(os.kill, os.getpid(), {int(number)})
from pairwright.cli.app import main
sys.argv = ["pairwright", "--version"]
main()
"""
    (tmp_path / "ends.py").write_text(code)
    done = subprocess.run([sys.executable, "-m", "ends"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pairwright ")


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize(
    "moment",
    [
        "app.standard_streams",
        "app.Stoppable.make_context",  # arguments are read: typer makes a silent 130 of every interrupt then
    ],
)
def test_a_signal_while_the_command_begins_is_one_paragraph(
    tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    code = f"""
import os, sys
from pairwright.cli import app
{moment} = lambda *_, **__: os.kill(os.getpid(), {int(number)})
sys.argv = ["pairwright", "list"]
app.main()
"""
    (tmp_path / "begins.py").write_text(code)
    done = subprocess.run([sys.executable, "-m", "begins"], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 128 + number
    assert done.stderr.startswith("error: stopped by ")
    assert "Traceback" not in done.stderr
