"""What asks this process to end, how its event loop hears of it, and what became of the requests on their way.

Only the command line installs handlers (:meth:`Interruption.handle_signals`). Elsewhere Ctrl-C stays what Python makes of
it, and SIGTERM and SIGHUP what the program that uses us makes of them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pairwright.core.errors import Interrupted

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
# Seconds that requests on their way get to be answered and recorded.
GRACE = 10.0
# Seconds until a process that was told twice ends, whatever it is doing.
_LAST_SECONDS = 2.0
# Seconds that a process gets to end by itself when all is done; nothing else could end it then but a kill -9.
_TAKE_DOWN_SECONDS = 60
_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
_AGAIN = "Everything paid for is kept; run the same command again to go on."


class Signalled(KeyboardInterrupt):
    """A signal. A class of its own: Python ends with SIGINT after a bare KeyboardInterrupt that passed through ``exec``, whatever the exit code."""


class Wait(NamedTuple):
    """What became of the requests that were on their way to one ``endpoint``; the rest of ``sent`` did not come in time."""

    endpoint: str
    sent: int
    answered: int
    refused: int


class Interruption:
    """The signals that this process got, and what its clients waited for since."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped_loop = False
        self._held = self._late = False
        self._waits: list[Wait] = []

    def handle_signals(self) -> None:
        """From now on SIGTERM and SIGHUP are what Ctrl-C is: a KeyboardInterrupt. What is ignored (``nohup``) stays so."""
        for number in _NAMES:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._arrived)

    def ignore_signals(self) -> None:
        """All is done and said: what Python takes down now no longer changes the exit code, and gets a while for it."""
        for number in _NAMES:
            if signal.getsignal(number) == self._arrived:
                signal.signal(number, signal.SIG_IGN)
        signal.alarm(_TAKE_DOWN_SECONDS)

    def _arrived(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.signal is not None:
            threading.Thread(target=self._end_for_certain, daemon=True).start()
        elif os.isatty(2):
            os.write(2, b"\nstopping: requests on their way have 10 s to be answered; once more ends at once\n")
        self.signal = self.signal or number
        if self._held:
            self._late = True
            return
        if self._loop is None:
            raise Signalled
        # An exception here would fall into whatever the loop is doing: an answer that came and is not recorded yet.
        self._stopped_loop = True
        self._loop.call_soon_threadsafe(self._loop.stop)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal in this block is raised at its end: what it would leave half made or half taken down says so when it goes.

        Raises:
            KeyboardInterrupt: a signal came.
        """
        if self._held or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._late:
                self._late = False
                raise Signalled

    def _end_for_certain(self) -> None:
        threading.Event().wait(_LAST_SECONDS)
        os._exit(128 + (self.signal or signal.SIGINT))

    def run(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[T]) -> T:
        """Run ``loop`` until ``task`` is done. A signal is raised here, between two callbacks of the loop.

        Raises:
            KeyboardInterrupt: a signal; ``task`` may still run.
        """
        if threading.current_thread() is not threading.main_thread():
            return loop.run_until_complete(task)
        self._loop = loop
        try:
            while not task.done() and not self._stopped_loop:
                try:
                    loop.run_until_complete(task)
                except RuntimeError:
                    # The loop was stopped, now or for a signal that came as an earlier run ended.
                    if task.done() and not self._stopped_loop:
                        raise
                except BaseException:
                    if not self._stopped_loop:
                        raise
        finally:
            self._loop = None
        if self._stopped_loop:
            self._stopped_loop = False
            raise Signalled
        return task.result()

    def note(self, waits: Iterable[Wait]) -> None:
        """Remember what became of requests that were on their way."""
        self._waits.extend(waits)

    def take(self) -> tuple[Wait, ...]:
        """All that was noted since the last call."""
        taken, self._waits = tuple(self._waits), []
        return taken

    def told(self, hint: str = _AGAIN) -> Interrupted:
        """The error that a user reads: what stopped the command, and what was kept."""
        number = self.signal or signal.SIGINT
        said = f"stopped by {_NAMES[signal.Signals(number)]}"
        return Interrupted("; ".join([said, *_fates(self.take())]), hint, number)


def _fates(waits: Iterable[Wait]) -> Iterable[str]:
    waits = [wait for wait in waits if wait.sent]
    sent, answered = sum(wait.sent for wait in waits), sum(wait.answered for wait in waits)
    refused = sum(wait.refused for wait in waits)
    if not sent:
        return
    fates = [f"{_answers(answered)} came and {'is' if answered == 1 else 'are'} kept"]
    if refused:
        fates.append(f"{refused} ended in an error")
    if missing := sent - answered - refused:
        late = sorted({wait.endpoint for wait in waits if wait.sent > wait.answered + wait.refused})
        fates.append(
            f"{missing} did not come in {GRACE:.0f} s (endpoint{'s' if len(late) > 1 else ''} {', '.join(late)})"
        )
    yield f"{sent} request{' was' if sent == 1 else 's were'} on {'its' if sent == 1 else 'their'} way: {', '.join(fates)}"


def _answers(count: int) -> str:
    return "1 answer" if count == 1 else f"{count} answers"


INTERRUPTION = Interruption()
