"""Processes that end with the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """End this process as soon as process ``parent`` is dead, also when that was killed with ``kill -9``.

    The kernel does it on Linux, at once; elsewhere a thread looks four times a second.
    """
    if sys.platform == "linux":
        _die_with_parent()
    # Also on Linux: the kernel says nothing of a parent that was dead before it was asked.
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.25)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Become another program that ends with the process whose id is the first argument (Linux: see above)."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        _die_with_parent()
    # It died before the kernel was asked: no signal will come.
    if os.getppid() != parent:
        sys.exit(1)
    # What the kernel was asked stays in force across exec.
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
