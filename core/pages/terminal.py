"""rich's console for untrusted text: its colours and bars work, what stands in texts does not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.file_proxy import FileProxy
from rich.segment import Segment

from pairwright.core.pages.plain_streams import Screened
from pairwright.core.pages.printable import printable


class Terminal(Console):
    """A console on standard output or error. Markup in texts is text, and links in them are none."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        file = getattr(sys.stderr if stderr else sys.stdout, "unchecked", None)
        # Some pseudo-terminals say 0, in which rich would print nothing; to shutil that means not to know.
        if width is None and "COLUMNS" in os.environ and not os.environ["COLUMNS"].strip("0"):
            width = shutil.get_terminal_size().columns
        super().__init__(file=file, stderr=stderr, width=width, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What rich makes of ``renderable``, each text of it as it may be shown."""
        for text, style, control in super().render(renderable, options):
            if control:
                yield Segment(text, style, control)
            else:
                yield Segment(printable(text), style.update_link(None) if style and style.link else style)


def screen_live_output() -> None:
    """What is printed while a live display is open goes through rich, which would obey sequences in it: not any more.

    To be called once the display has begun; its end puts the streams back.
    """
    for name in ("stdout", "stderr"):
        stream: Any = getattr(sys, name)
        if isinstance(stream, FileProxy):
            setattr(sys, name, Screened(stream))  # type: ignore[arg-type]
