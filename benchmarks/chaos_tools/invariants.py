"""What must hold after any trouble. Each check says what is wrong; nothing is what it should say."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chaos_tools.ledgers import Paid
from chaos_tools.runs import Run
from chaos_tools.server import Sent, cuts_off
from chaos_tools.shapes import IN_FLIGHT

CODES: Mapping[str, int] = {
    "kill_main": -9,
    "kill_all": -9,
    "kill_child": 1,
    "term": 143,
    "hup": 129,
    "int": 130,
    "disk_full": 1,
    "few_files": 1,
    "server_away": 1,
    "read_only": 1,
    "refused": 1,
}
"""The exit code that each kind of trouble may end a run with; a run that was not in time to be hit ends with 0."""
POLITE = {"term", "hup", "int"}
"""Signals that a build answers as soon as Python has started; before that it ends as any program does."""
KILLS = ("kill_main", "kill_all", "kill_child")
_NOISE = re.compile(
    r"^.*(Traceback \(most recent|Exception ignored|was never (awaited|retrieved)|Fatal Python error|\w+Warning:|Segmentation).*$",
    re.MULTILINE,
)
_PASSING = re.compile(r"timeout|connection|rate_limited|malformed_body|http_\d+")
WINDOW = 3.0
"""Seconds that a busy machine may need until a connection of a killed process is seen to end."""


class Finding(NamedTuple):
    """Something that must not be: its kind, a column of the table, and what was seen."""

    kind: str
    detail: str


def check_run(run: Run) -> Iterator[Finding]:
    """How a run ended, and what it said and left behind."""
    out, err = run.said()
    called = f"run {run.number} ({', '.join(sorted(run.troubles)) or 'undisturbed'})"
    if run.hung:
        yield Finding("hangs", f"{called}: did not end; stacks are in {run.err}")
        return
    if unborn(run, out, err):
        return
    paragraphs = len(re.findall(r"^error: ", err, re.MULTILINE))
    allowed = {0, *(CODES[kind] for kind in run.troubles if kind in CODES)}
    # Bad luck with every first request reads like an address where no model is.
    if paragraphs == 1 and "endpoint '" in err and "faults" in run.troubles:
        allowed.add(1)
    if run.code not in allowed:
        yield Finding("exit codes", f"{called}: exit code {run.code}; {_end(err)}")
    if run.code not in (0, -9) and paragraphs != 1:
        yield Finding("exit codes", f"{called}: {paragraphs} error paragraphs with exit code {run.code}; {_end(err)}")
    for text, name in ((out, "stdout"), (err, "stderr")):
        if noise := _NOISE.search(text):
            yield Finding("tracebacks", f"{called}: {name}: {noise[0].strip()} … {_end(text)}")
    if run.code != -9 and (left := sorted(path.name for path in run.tmp.iterdir())):
        yield Finding("leftovers", f"{called}: in TMPDIR: {', '.join(left[:5])}")


def unborn(run: Run, out: str, err: str) -> bool:
    """Whether a signal ended it while Python was still starting or importing: no line of the command had run yet."""
    if not run.young or out:
        return False
    imports = err.rstrip().endswith("KeyboardInterrupt") and ", in main\n" not in err
    return (not err or imports) and run.code in {1, *(128 - CODES[kind] for kind in run.troubles & POLITE)}


def _end(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"


def check_folder(output: Path) -> Iterator[Finding]:
    """A manifest says that a build is finished: then its files are there, unchanged, and its books balance."""
    if not (output / "manifest.json").exists():
        return
    manifest = json.loads((output / "manifest.json").read_bytes())
    for name, digest in manifest["files"].items():
        if not (output / name).is_file() or _sha256(output / name) != digest:
            yield Finding("bytes", f"{name} is not what the manifest of {output} says")
    for stage in manifest["stages"]:
        if stage["rows_in"] != stage["kept"] + sum(stage["dropped"].values()) + sum(stage["failed"].values()):
            yield Finding("books", f"stage {stage['stage']}: {stage}")


def check_ledger(before: Paid, now: Paid, arrived: int) -> Iterator[Finding]:
    """Nothing that was recorded is lost, and every request that the server saw was written down before."""
    lost = [name for name, answer in before.answers.items() if now.answers.get(name) != answer]
    if lost:
        yield Finding("lost", f"{len(lost)} answers of {len(before.answers)} are gone or changed, as {lost[0]}")
    if now.attempts < arrived:
        yield Finding("books", f"the server saw {arrived} requests, the ledger {now.attempts}")
    if now.requests != now.attempts or now.kept != len(now.answers) or now.unanswered:
        counts = f"{now.requests} requests, {now.kept} answers in the totals, {now.unanswered} answers missing"
        yield Finding("books", f"the ledger has {now.attempts} attempts and {len(now.answers)} answers; {counts}")


class Times(NamedTuple):
    """When the harness did what may cost an answer (monotonic seconds)."""

    kills: Sequence[float] = ()
    stops: Sequence[tuple[float, float]] = ()
    full: Sequence[tuple[float, float]] = ()


def paid_twice(sent: Collection[Sent], times: Times) -> Counter[str]:
    """How many answers went out again, by the reason why the earlier one was not kept; ``for nothing`` is a defect."""
    by_body: dict[str, list[Sent]] = defaultdict(list)
    for one in sorted(sent, key=lambda one: one.done):
        by_body[one.body].append(one)
    found: Counter[str] = Counter()
    for answers in by_body.values():
        for first in answers[:-1]:
            found[_reason(first, times)] += 1
    return found


def _reason(first: Sent, times: Times) -> str:
    closed = first.line.closed or float("inf")
    # However long ago it went out: a client that is busy has not read it yet. The ledger says how many there may be.
    if first.last and any(kill - 0.1 < closed < kill + WINDOW for kill in times.kills):
        return "at a kill -9"
    if cuts_off(first):
        return "cut by the server"
    if any(start - 1 < first.done and first.arrived < end for start, end in times.stops):
        return "stopped too long"
    if any(start - 1 < first.done < end for start, end in times.full):
        return "on a full disk"
    return "for nothing"


def check_payments(sent: Collection[Sent], times: Times, paid: Paid, edited: bool) -> Iterator[Finding]:
    """Nothing is paid twice for nothing, a kill costs no more than was in flight, and every answer is in the ledger."""
    found = paid_twice(sent, times)
    if found["for nothing"]:
        yield Finding("paid twice", f"{found['for nothing']} answers were asked for again")
    # Three endpoints may be asked at once, and a child is killed with all that it started.
    for reason, events in (("at a kill -9", len(times.kills)), ("on a full disk", len(times.full))):
        if found[reason] > 3 * IN_FLIGHT * events:
            yield Finding("paid twice", f"{found[reason]} answers {reason}, more than were in flight")
    if found["at a kill -9"] > paid.unfinished:
        unknown = f"the ledger has {paid.unfinished} attempts without an end"
        yield Finding("paid twice", f"{found['at a kill -9']} answers at a kill -9, but {unknown}")
    bodies, kept = len({one.body for one in sent}), len(paid.answers)
    if kept > bodies or (kept < bodies and not edited):
        yield Finding("lost", f"the server answered {bodies} different requests, the ledger has {kept} answers")


def files_of(output: Path) -> dict[str, str]:
    """SHA-256 of all that a finished build promises to be the same; the resolved build file names the server's port."""
    found = {name: _sha256(output / name) for name in ("report.md", "manifest.json")}
    for part in ("rows", "exports"):
        paths = sorted((output / part).rglob("*"))
        found |= {path.relative_to(output).as_posix(): _sha256(path) for path in paths if path.is_file()}
    return found


def check_bytes(expected: Mapping[str, str], output: Path) -> Iterator[Finding]:
    """The build is the one that nobody disturbed, byte for byte, and nothing else lies in its folder."""
    found = files_of(output)
    if different := sorted({name for name, _ in expected.items() ^ found.items()}):
        yield Finding("bytes", f"{len(different)} files of {output} differ: {', '.join(different[:4])}")
    known = {"rows", "exports", "build.yaml", "report.md", "manifest.json", "build.lock", "build.files.json"}
    odd = [path.name for path in output.iterdir() if path.name not in known and "ledger.sqlite" not in path.name]
    if odd:
        yield Finding("leftovers", f"in {output}: {', '.join(sorted(odd))}")


def check_key(key: str, folder: Path) -> Iterator[Finding]:
    """The API key stands in no file below the folder of a round, what was printed included."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and key.encode() in path.read_bytes():
            yield Finding("key", f"the API key stands in {path}")


def unlucky(output: Path) -> int:
    """Rows that failed for trouble that may pass: another run asks for them again."""
    with (output / "rows" / "failed.jsonl").open(encoding="utf-8") as file:
        return sum(bool(_PASSING.fullmatch(json.loads(line)["error"])) for line in file)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
