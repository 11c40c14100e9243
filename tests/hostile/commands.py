"""One call of the command line, as bytes: in a process of its own, or in a fork of this one, which has all imported."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

SECONDS = 280  # a busy machine is slow, and pytest ends a test after 300


class Ended(NamedTuple):
    """How a command ended, and what it wrote: bytes, because text mode makes line breaks of carriage returns."""

    status: int
    out: bytes
    err: bytes


Call = Callable[[Sequence[str], Path], Ended]
"""Runs ``pairwright ARGUMENTS`` in a folder, whose modules can be imported."""


def in_a_process(arguments: Sequence[str], folder: Path) -> Ended:
    """As a shell would."""
    command = [sys.executable, "-m", "pairwright", *arguments]
    env = {**os.environ, **_environment(folder)}
    try:
        done = subprocess.run(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as exc:
        return Ended(-signal.SIGALRM, exc.stdout or b"", exc.stderr or b"")
    return Ended(done.returncode, done.stdout, done.stderr)


def in_a_fork(arguments: Sequence[str], folder: Path) -> Ended:
    """The same, without a second of imports."""
    out, err = folder / ".stdout", folder / ".stderr"
    child = os.fork()
    if child == 0:
        _run(arguments, folder, out, err)
    _, ended = os.waitpid(child, 0)
    found = Ended(os.waitstatus_to_exitcode(ended), out.read_bytes(), err.read_bytes())
    out.unlink()
    err.unlink()
    return found


def _environment(folder: Path) -> dict[str, str]:
    return {"COLUMNS": "200", "PYTHONPATH": str(folder), "HF_TOKEN": "hf_test_token"}


def _run(arguments: Sequence[str], folder: Path, out: Path, err: Path) -> None:
    status = 70
    try:
        signal.alarm(SECONDS)
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        sys.stdout, sys.stderr = (
            os.fdopen(os.dup(number), "w", encoding="utf-8", errors="surrogateescape") for number in (1, 2)
        )
        sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(_environment(folder))
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        sys.argv = ["pairwright", *arguments]
        warnings.resetwarnings()
        logging.getLogger().handlers.clear()
        from pairwright.cli.app import main

        try:
            main()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - what a shell would show
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
