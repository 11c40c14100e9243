"""Every answer that was ever paid for, and every request that was ever sent: one SQLite file.

A request is written down *before* it is sent and again when its outcome is known, so budgets count what really went
out, also after ``kill -9``. An answer is committed before anyone sees it, so it is never asked for twice. Room on the disk for
the answers on their way is kept free (reserve.py): a request whose answer could not be written is not sent. Headers,
keys and prompts are never stored: an answer is found by the hash of its request.

Several processes may share one ledger (WAL, one writer at a time): what one of them has on its way, the others wait
for (holders.py). Open a :class:`Ledger` in the process and thread
that uses it; opening is cheap.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from pairwright.core.config.build_file import LimitsConfig
from pairwright.core.errors import BudgetReached, StorageError
from pairwright.core.files.file_errors import at_size_limit, ledger_error, storage_error
from pairwright.core.llm.holders import Holder
from pairwright.core.llm.reserve import Reserve, room_for
from pairwright.core.requests import Answer

VERSION = 1
BUSY_SECONDS = 60.0  # to wait for another process that writes
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    request_hash TEXT PRIMARY KEY, endpoint TEXT NOT NULL, model TEXT NOT NULL, answer TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, request_hash TEXT NOT NULL, endpoint TEXT NOT NULL, at REAL NOT NULL,
    reserved_tokens INTEGER NOT NULL, reserved_cost REAL NOT NULL,
    outcome TEXT, prompt_tokens INTEGER, completion_tokens INTEGER, cost REAL);
CREATE TABLE IF NOT EXISTS totals (
    endpoint TEXT PRIMARY KEY, requests INTEGER NOT NULL DEFAULT 0, answers INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL DEFAULT 0, reserved_tokens INTEGER NOT NULL DEFAULT 0, reserved_cost REAL NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS asking (request_hash TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = {"answers", "attempts"}
_MAGIC = b"SQLite format 3\0"
_TOTALS = ("requests", "answers", "prompt_tokens", "completion_tokens", "cost", "reserved_tokens", "reserved_cost")
# TOTAL is 0.0 over no rows, where SUM is NULL.
_USAGE = ", ".join(f"TOTAL({column})" for column in _TOTALS)
_ADD = f"UPDATE totals SET {', '.join(f'{column} = {column} + ?' for column in _TOTALS)} WHERE endpoint = ?"


class Usage(NamedTuple):
    """What a ledger has seen, over all runs.

    ``requests`` were sent (retries included), ``answers`` came back; tokens and ``cost`` are those of the answers.
    ``reserved_*`` is set aside for requests without a known outcome: in flight, timed out or cut off by a crash.
    """

    requests: int
    answers: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    reserved_tokens: int
    reserved_cost: float


class AskedAlready(Exception):
    """Another process has the request on its way, or has its answer since we looked: look into the ledger again."""


def require_ledger(path: Path) -> None:
    """Check, without opening it, that a file at ``path`` can be a ledger; there need be none.

    Raises:
        StorageError: it is another file, or cannot be read.
    """
    try:
        with open(path, "rb") as file:
            begins = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if begins not in (b"", _MAGIC):
        raise StorageError(f"{path}: no ledger of pairwright", "Name another file under 'ledger'; it was not touched.")


class Ledger:
    """The ledger at ``path``, created if missing; a context manager.

    Raises:
        StorageError: not a ledger (the file stays as it is), from another version, not writable, or the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A display reads the totals from a thread of its own, also while the file is closed and after it: Python's
        # sqlite3 crashes when a connection is closed under a query.
        self._closing = threading.Lock()
        self._last: Usage | None = None
        self._reserve = Reserve(path.parent)
        self._holder = Holder(path)
        self._awaited: dict[int, int] = {}  # bytes that the answer to each attempt on its way may take

    def __enter__(self) -> Self:
        self._last = None
        with self._translated():
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise storage_error(exc, self.path.parent) from exc
            # isolation_level None: Python's own transactions begin without the lock for writing, and may fail later.
            if os.path.islink(self.path) and not self.path.exists():
                raise StorageError(f"{self.path}: a link to nowhere", "Name the ledger itself under 'ledger'.")
            # From the root: SQLite reads some relative paths as addresses, "file:x?mode=memory" for one.
            self._db = sqlite3.connect(
                os.path.abspath(self.path), timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise
        return self

    def _prepare(self) -> None:
        self._require_ledger()
        self._write_ahead()
        # With WAL no commit is lost when a process dies, only when the machine does. FULL would sync each time.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint=8000")  # pages, 32 MB: each checkpoint stops the event loop
        self._db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version={VERSION}; COMMIT;")

    def _require_ledger(self) -> None:
        """Look before anything is written: the file may be another program's. A link must lead to a ledger that is there."""
        self._db.execute("BEGIN")  # both of one moment: another process may be making this ledger
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        self._db.execute("COMMIT")
        if version not in (0, VERSION):
            raise StorageError(f"{self.path}: a ledger of version {version}, this pairwright reads {VERSION}")
        if (tables or version or os.path.islink(self.path)) and not (version and tables >= _TABLES):
            raise StorageError(
                f"{self.path}: no ledger of pairwright", "Name another file under 'ledger'; it was not touched."
            )

    def _write_ahead(self) -> None:
        """Turn WAL on. Where two processes make one ledger at the same moment, SQLite refuses the later one at once, whatever the timeout."""
        until = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as exc:
                # The low byte is the error itself; extended codes say more in the others.
                if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; everything is already committed. The running totals can still be read."""
        with self._closing:
            if self._last is None:
                with suppress(StorageError):  # there is nothing to tell of a file that cannot be read
                    self._last = self._usage(None)
            self._db.close()
        self._reserve.release()
        self._holder.release()

    def get(self, request_hash: str) -> Answer | None:
        """The answer to the request of that hash, if there is one."""
        with self._translated():
            row = self._db.execute("SELECT answer FROM answers WHERE request_hash = ?", (request_hash,)).fetchone()
        return Answer.model_validate_json(row[0]) if row else None

    def put(self, answer: Answer, endpoint: str, cost: float = 0.0) -> None:
        """Store an answer that was not sent for by :meth:`begin`; a second answer to one request is ignored."""
        with self._transaction():
            kept = self._store(answer, endpoint)
            self._add(endpoint, 0, kept, answer.prompt_tokens, answer.completion_tokens, cost)

    def begin(
        self, request_hash: str, endpoint: str, tokens: int, cost: float, limits: LimitsConfig, wait: bool = True
    ) -> int:
        """Write down that a request is about to be sent, and return the number of this attempt.

        ``tokens`` and ``cost`` are the most that it can take; they stay set aside until :meth:`finish`. The check
        against ``limits`` and the note are one transaction: no two processes pass a budget together, nor send one
        request. ``wait=False`` does not care whether another process has sent it.

        Raises:
            AskedAlready: it is on its way, or answered; nothing was written.
            BudgetReached: the request would pass a limit; nothing was written.
            StorageError: there is no room for the answer, or for the note; nothing was written.
        """
        room = room_for(tokens)
        self._keep_room(room)
        holder = self._holder.name()
        with self._transaction():
            if self._answered(request_hash) or (wait and self._asked_elsewhere(request_hash)):
                raise AskedAlready
            self._check(tokens, cost, limits)
            if holder is not None:
                self._db.execute("INSERT OR REPLACE INTO asking VALUES (?, ?)", (request_hash, holder))
            attempt = self._db.execute(
                "INSERT INTO attempts (request_hash, endpoint, at, reserved_tokens, reserved_cost) VALUES (?, ?, ?, ?, ?)",
                (request_hash, endpoint, time.time(), tokens, cost),
            ).lastrowid
            self._add(endpoint, requests=1, reserved_tokens=tokens, reserved_cost=cost)
        assert attempt is not None
        self._awaited[attempt] = room
        return attempt

    def awaited_elsewhere(self, request_hash: str) -> bool:
        """Whether another process that lives has the request on its way, and no answer yet."""
        with self._translated():
            return self._asked_elsewhere(request_hash) and not self._answered(request_hash)

    def _answered(self, request_hash: str) -> bool:
        found = self._db.execute("SELECT 1 FROM answers WHERE request_hash = ?", (request_hash,))
        return found.fetchone() is not None

    def _asked_elsewhere(self, request_hash: str) -> bool:
        row = self._db.execute("SELECT holder FROM asking WHERE request_hash = ?", (request_hash,)).fetchone()
        return row is not None and row[0] != self._holder.name() and self._holder.lives(row[0])

    def _keep_room(self, more: int) -> None:
        """Keep room for one more answer beside those on their way."""
        size = sum(self._awaited.values()) + more
        try:
            self._reserve.hold(size)
        except OSError:
            # What is in the log of SQLite twice takes the space once it is in the file.
            self._shrink()
            try:
                self._reserve.hold(size)
            except OSError as exc:
                raise storage_error(OSError(exc.errno, exc.strerror), self.path) from exc
        if at_size_limit(self.path, size):
            self._shrink()
            if at_size_limit(self.path, size):
                raise storage_error(OSError(errno.EFBIG, ""), self.path)

    def _shrink(self) -> None:
        """Move what is in SQLite's log to its file, and cut the log, as far as that goes now."""
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def finish(
        self, attempt: int, outcome: str, *, answer: Answer | None = None, cost: float = 0.0, billed: bool = False
    ) -> bool:
        """Write down how an attempt ended, and its answer if it got one; false if another process was first with it.

        An attempt without an answer gives back what was set aside for it, unless it may have been ``billed`` (a
        time-out, a broken connection, an unreadable body): what was set aside then counts as spent.
        On a full disk it takes the room that was kept for it.

        Raises:
            StorageError: it could not be written even so.
        """
        try:
            return self._finish(attempt, outcome, answer, cost, billed)
        except StorageError:
            if not self._reserve.release():
                raise
            self._shrink()
            return self._finish(attempt, outcome, answer, cost, billed)
        finally:
            self._awaited.pop(attempt, None)

    def _finish(self, attempt: int, outcome: str, answer: Answer | None, cost: float, billed: bool) -> bool:
        with self._transaction():
            name, endpoint, tokens, reserved = self._db.execute(
                "SELECT request_hash, endpoint, reserved_tokens, reserved_cost FROM attempts WHERE id = ?", (attempt,)
            ).fetchone()
            self._db.execute("DELETE FROM asking WHERE request_hash = ? AND holder = ?", (name, self._holder.name()))
            kept = answer is not None and self._store(answer, endpoint)
            used = (answer.prompt_tokens, answer.completion_tokens, cost) if answer is not None else (0, 0, 0.0)
            back = (0, 0.0) if billed else (-tokens, -reserved)
            self._add(endpoint, 0, kept, *used, *back)
            self._db.execute(
                "UPDATE attempts SET outcome = ?, prompt_tokens = ?, completion_tokens = ?, cost = ? WHERE id = ?",
                (outcome, *used, attempt),
            )
        return kept

    def usage(self, endpoint: str | None = None) -> Usage:
        """Running totals of one endpoint, or of all. Reads one small table: cheap at any number of answers.

        From any thread; those of all are known after the file was closed as well.
        """
        with self._closing:
            return self._last if self._last is not None and endpoint is None else self._usage(endpoint)

    def _usage(self, endpoint: str | None) -> Usage:
        with self._translated():
            if endpoint is None:
                row = self._db.execute(f"SELECT {_USAGE} FROM totals").fetchone()
            else:
                row = self._db.execute(f"SELECT {_USAGE} FROM totals WHERE endpoint = ?", (endpoint,)).fetchone()
        requests, answers, prompt, completion, cost, tokens, reserved = row
        return Usage(int(requests), int(answers), int(prompt), int(completion), cost, int(tokens), reserved)

    def _check(self, tokens: int, cost: float, limits: LimitsConfig) -> None:
        if limits.max_requests is None and limits.max_tokens is None and limits.max_cost is None:
            return
        used = self.usage()
        spent_tokens = used.prompt_tokens + used.completion_tokens + used.reserved_tokens
        spent_cost = used.cost + used.reserved_cost
        if limits.max_requests is not None and used.requests + 1 > limits.max_requests:
            raise self._reached("max_requests", limits.max_requests, f"{used.requests} requests were sent")
        if limits.max_tokens is not None and spent_tokens + tokens > limits.max_tokens:
            raise self._reached(
                "max_tokens",
                limits.max_tokens,
                f"{spent_tokens} tokens were used and the next request may take {tokens}",
            )
        if limits.max_cost is not None and spent_cost + cost > limits.max_cost:
            raise self._reached(
                "max_cost", limits.max_cost, f"{spent_cost:.4f} was spent and the next request may cost {cost:.4f}"
            )

    def _reached(self, key: str, limit: float, detail: str) -> BudgetReached:
        return BudgetReached(
            f"limits.{key} of {limit} is reached: {detail} (all runs of {self.path} together).",
            f"Raise limits.{key} in the build file and run the same command again: it goes on where it stopped and asks nothing twice.",
        )

    def _store(self, answer: Answer, endpoint: str) -> bool:
        done = self._db.execute(
            "INSERT OR IGNORE INTO answers (request_hash, endpoint, model, answer, at) VALUES (?, ?, ?, ?, ?)",
            (answer.request_hash, endpoint, answer.model, answer.model_dump_json(), time.time()),
        )
        return done.rowcount == 1

    def _add(
        self,
        endpoint: str,
        requests: int = 0,
        answers: int = 0,
        prompt_tokens: int = 0,
        completion_tokens: int = 0,
        cost: float = 0.0,
        reserved_tokens: int = 0,
        reserved_cost: float = 0.0,
    ) -> None:
        more = (requests, answers, prompt_tokens, completion_tokens, cost, reserved_tokens, reserved_cost)
        if self._db.execute(_ADD, (*more, endpoint)).rowcount == 0:
            self._db.execute("INSERT INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (endpoint, *more))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk and some other errors end the transaction by themselves.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise ledger_error(exc, self.path) from exc
