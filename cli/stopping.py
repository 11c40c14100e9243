"""How a command ends that is told to: every signal becomes one paragraph and its exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer.core

from pairwright.core.interruption import INTERRUPTION

_TYPERS = 130  # what typer makes of an interrupt that comes while it reads arguments, and says nothing


class Stoppable(typer.core.TyperGroup):
    """Commands of which Ctrl-C, SIGTERM and SIGHUP make one paragraph."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            Interrupted: a signal.
        """
        with stoppable():
            return super().invoke(ctx)


@contextmanager
def stoppable() -> Iterator[None]:
    """A signal in this block becomes one paragraph.

    Raises:
        Interrupted: a signal came.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise INTERRUPTION.told() from None
    except SystemExit as ended:
        if INTERRUPTION.signal is None or ended.code != _TYPERS:
            raise
        raise INTERRUPTION.told() from None
