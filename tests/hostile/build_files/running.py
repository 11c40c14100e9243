"""Tries one case with the real command line, and says what a user should not have met."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import IO, Literal, NamedTuple
from unittest import mock

from hostile.build_files.case import Case

from building import rows, write_rows

How = Literal["cold", "forked", "here"]
SECONDS = 15  # of CPU: a busy machine is no reason to fail
PATIENCE = 20  # seconds in which a command does nothing at all
MEMORY = 4 * 2**30  # bytes of address space
LONGEST = 3000  # characters of an error
EXITS: Mapping[str, tuple[int, ...]] = {
    "config error": (2,),
    "clear error": (1,),
    "refused": (1, 2),
    "stopped": (2, 130),
    "fine": (0,),
    "either": (0, 1, 2),
}
# What steers a terminal or turns the writing around; tabs and line breaks do not.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_PIECE = 6  # characters of a secret that give it away


class Outcome(NamedTuple):
    """What the command did. ``peak`` is in MB, 0 where it was not measured; ``code`` is None where it was stopped."""

    code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak: float = 0.0

    def told(self) -> str:
        """What happened, in a few words."""
        if self.code is None:
            return "no end"
        if b"Traceback (most recent call last)" in self.stderr:
            return f"exit {self.code}, traceback"
        return f"exit {self.code}"


class Tried(NamedTuple):
    """An outcome and what is wrong with it; nothing where ``problems`` is empty."""

    outcome: Outcome
    problems: list[str]


def try_case(case: Case, how: How) -> Tried:
    """Write the case's files into a fresh folder and run the command on them."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as scratch:
        folder = Path(scratch) / "work"
        folder.mkdir()
        write_rows(folder / "rows.jsonl", [*rows("zh_gold.jsonl", 10), *rows("cast19.en.jsonl", 10)])
        case.write(folder)
        before = dict(_files(Path(scratch)))
        outcome = _RUNS[how](case, folder)
        return Tried(outcome, list(_problems(case, outcome, before, Path(scratch))))


def _run_cold(case: Case, folder: Path) -> Outcome:
    """The command as a shell starts it."""
    # The shell sets the limits: a process with threads, as pytest may be, must run no Python between fork and exec.
    limits = f'ulimit -v {MEMORY // 1024}; ulimit -S -t {SECONDS}; exec "$@"'
    command = ["sh", "-c", limits, "sh", sys.executable, "-m", "pairwright", *_command(case)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | _environment(case),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        code, peak = _awaited(process.pid)
        process.returncode = code or 0  # it is known already: nobody need wait for it again
        return _outcome(code, out, err, time.monotonic() - began, peak)


def _run_forked(case: Case, folder: Path) -> Outcome:
    """The same in a copy of this process, which has the command loaded and no threads: a tenth of the time."""
    import pairwright.cli.build_commands  # noqa: F401 - what a copy need not load
    from pairwright.cli.app import main

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(os.devnull, "rb") as nothing:
        sys.stdout.flush()
        sys.stderr.flush()
        began = time.monotonic()
        if not (pid := os.fork()):
            _limit()
            for number, file in enumerate((nothing, out, err)):
                os.dup2(file.fileno(), number)
            os.chdir(folder)
            os.environ.update(_environment(case))
            sys.argv, sys.path = ["pairwright", *_command(case)], [str(folder), *sys.path]
            sys.stdout, sys.stderr = (
                _stream(io.FileIO(1, "wb", closefd=False)),
                _errors(io.FileIO(2, "wb", closefd=False)),
            )
            code = _exit_code(main)
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
            os._exit(code)
        ended, peak = _awaited(pid)
        return _outcome(ended, out, err, time.monotonic() - began, peak)


def _run_here(case: Case, folder: Path) -> Outcome:
    """The same in this process: for cases that neither fill the memory nor wait for ever."""
    from pairwright.cli.app import main
    from pairwright.core.interruption import INTERRUPTION

    out, err = io.BytesIO(), io.BytesIO()
    stdout, stderr = _stream(out), _errors(err)
    known = set(sys.modules)
    code: int | None
    began = time.monotonic()
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, _environment(case)),
        mock.patch.object(sys, "argv", ["pairwright", *_command(case)]),
        mock.patch.object(sys, "path", [str(folder), *sys.path]),
        mock.patch.object(sys, "dont_write_bytecode", True),
        # The signals of this process are those of the tests.
        mock.patch.object(INTERRUPTION, "handle_signals"),
        mock.patch.object(INTERRUPTION, "ignore_signals"),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            with _clock():
                code = _exit_code(main)
        except _TooLate:
            code = None
    for name in set(sys.modules) - known:
        if name.startswith("own_"):
            del sys.modules[name]
    stdout.detach()
    stderr.detach()
    return Outcome(code, out.getvalue(), err.getvalue(), time.monotonic() - began)


_RUNS: Mapping[How, Callable[[Case, Path], Outcome]] = {"cold": _run_cold, "forked": _run_forked, "here": _run_here}


def _command(case: Case) -> list[str]:
    return [case.command, case.argument, *(["--quiet"] if case.command == "build" else [])]


def _environment(case: Case) -> dict[str, str]:
    return {"COLUMNS": "200", **case.env}


def _limit() -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _awaited(pid: int) -> tuple[int | None, float]:
    """The exit code of a process, None where it had to be stopped, and its peak in MB."""
    late, moved, cpu = False, time.monotonic(), ""
    while True:
        ended, status, used = os.wait4(pid, 0 if late else os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return None if late or code == -signal.SIGXCPU else code, used.ru_maxrss / 1024
        if (now := _cpu(pid)) != cpu:
            moved, cpu = time.monotonic(), now
        elif time.monotonic() - moved > PATIENCE:
            late = True
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.01)


def _cpu(pid: int) -> str:
    """Something that changes while a process works, and not while it waits."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return " ".join(fields[11:13])


def _outcome(code: int | None, out: IO[bytes], err: IO[bytes], seconds: float, peak: float) -> Outcome:
    out.seek(0)
    err.seek(0)
    return Outcome(code, out.read(), err.read(), seconds, peak)


def _stream(raw: IO[bytes]) -> io.TextIOWrapper:
    return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)


def _errors(raw: IO[bytes]) -> io.TextIOWrapper:
    # As Python has it: what cannot be encoded is spelled out there, and an error on the other.
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


def _exit_code(main: Callable[[], None]) -> int:
    """What the interpreter would exit with."""
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except _TooLate:
        raise
    except BaseException as exc:  # noqa: BLE001 - it stands for the interpreter's own last line of defence
        traceback.print_exc()
        return 130 if isinstance(exc, KeyboardInterrupt) else 1
    return 0


class _TooLate(BaseException):
    """Raised by the clock; no ``except Exception`` holds it."""


@contextlib.contextmanager
def _clock() -> Iterator[None]:
    def ring(signum: int, frame: FrameType | None) -> None:
        raise _TooLate

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _problems(case: Case, outcome: Outcome, before: Mapping[str, str], scratch: Path) -> Iterator[str]:
    after = dict(_files(scratch))
    for name, content in before.items():
        if after.get(name) != content:
            yield f"{name} was {'changed' if name in after else 'removed'}"
    for name in case.absent:
        if (scratch / "work" / name).exists():
            yield f"code of the file ran: {name} is there"
    yield from _leaks(case, outcome, before, after, scratch)
    try:
        stdout, stderr = outcome.stdout.decode(), outcome.stderr.decode()
    except UnicodeDecodeError:
        yield "the output is not UTF-8"
        return
    for called, text in (("stdout", stdout), ("stderr", stderr)):
        if found := _CONTROL.search(text):
            yield f"a raw {found[0]!r} in {called}"
        if "Traceback (most recent call last)" in text:
            yield f"a traceback: {(text.strip() or '?').splitlines()[-1][:100]}"
    if outcome.code not in EXITS[case.expected]:
        yield outcome.told()
    elif outcome.code:
        yield from _bad_message(case, outcome.code, stderr)


def _bad_message(case: Case, code: int, stderr: str) -> Iterator[str]:
    if not stderr.startswith("error: "):
        yield f"stderr begins with {stderr[:40]!r}"
    if len(stderr) > LONGEST:
        yield f"{len(stderr)} characters on stderr"
    if code != 130:
        yield from (f"stderr does not name {said!r}" for said in case.says if said not in stderr)


def _leaks(
    case: Case, outcome: Outcome, before: Mapping[str, str], after: Mapping[str, str], scratch: Path
) -> Iterator[str]:
    if not case.secret:
        return
    secret = case.secret.lower().encode()
    pieces = {secret[at : at + _PIECE] for at in range(len(secret) - _PIECE + 1)}
    written = {
        name: (scratch / name).read_bytes() for name in after if name not in before and (scratch / name).is_file()
    }
    for place, content in {"stdout": outcome.stdout, "stderr": outcome.stderr, **written}.items():
        if any(piece in content.lower() for piece in pieces):
            yield f"the secret is in {place}"


def _files(scratch: Path) -> Iterator[tuple[str, str]]:
    """Everything below ``scratch`` by its name, with what it is."""
    for path in sorted(scratch.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        name = path.relative_to(scratch).as_posix()
        if path.is_symlink():
            yield name, f"link to {os.readlink(path)}"
        elif path.is_file():
            size = path.stat().st_size
            yield name, hashlib.sha256(path.read_bytes()).hexdigest() if size < 2**26 else f"{size} bytes"
        else:
            yield name, "folder" if path.is_dir() else "special"
