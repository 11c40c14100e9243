"""What stands in a ledger, read from a copy: looking must not mend what a killed build left."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Paid(NamedTuple):
    """``answers`` by request hash, how many ``attempts`` were begun, and the ``requests`` and ``kept`` of the running totals."""

    answers: Mapping[str, str]
    attempts: int
    requests: int
    kept: int
    unanswered: int
    """Attempts that ended well and have no answer."""
    unfinished: int
    """Attempts of which nobody wrote down how they ended: on their way when their process died."""


NOTHING = Paid({}, 0, 0, 0, 0, 0)


def read_ledger(path: Path, spare: Path) -> Paid:
    """The ledger at ``path`` while no process has it open; ``spare`` is a folder to copy it to."""
    shutil.rmtree(spare, ignore_errors=True)
    spare.mkdir()
    for suffix in ("", "-wal"):
        if (source := path.with_name(path.name + suffix)).exists():
            shutil.copy(source, spare / source.name)
    if not (spare / path.name).exists():
        return NOTHING
    found = sqlite3.connect(spare / path.name)
    try:
        if not found.execute("SELECT 1 FROM sqlite_master WHERE name = 'totals'").fetchone():
            return NOTHING
        answers = dict(found.execute("SELECT request_hash, answer FROM answers"))
        attempts = found.execute("SELECT COUNT(*) FROM attempts").fetchone()[0]
        requests, kept = found.execute("SELECT TOTAL(requests), TOTAL(answers) FROM totals").fetchone()
        unanswered = found.execute(
            "SELECT COUNT(*) FROM attempts WHERE outcome = 'ok' AND request_hash NOT IN (SELECT request_hash FROM answers)"
        ).fetchone()[0]
        unfinished = found.execute("SELECT COUNT(*) FROM attempts WHERE outcome IS NULL").fetchone()[0]
        return Paid(answers, attempts, int(requests), int(kept), unanswered, unfinished)
    finally:
        found.close()
        shutil.rmtree(spare)
