"""How stages call components. What a component gives is checked here, and what it raises is kept apart from our own bugs.

An exception in a component of somebody's own becomes a :class:`~pairwright.core.errors.ComponentError`, which names the
component, the row and the line of its file. Errors meant for users pass as they are, and bugs of ours keep their
traceback.
"""

from __future__ import annotations

import inspect
import random
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Self, TypeVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import (
    BatchReader,
    Comparer,
    Configured,
    CorpusReader,
    ExporterOf,
    Gate,
    Improver,
    Judge,
    Perturber,
    Source,
    is_ours,
    reference_of,
)
from pairwright.core.errors import ComponentError, PairwrightError
from pairwright.core.files.file_errors import file_trouble
from pairwright.core.improvement import Review
from pairwright.core.records import (
    Candidate,
    Case,
    Comparison,
    Conversation,
    GateDecision,
    KnownCase,
    Rejected,
    SftRow,
    Verdict,
)
from pairwright.core.requests import Ask

Build = TypeVar("Build")

# Characters of what a component raised: an error stays one paragraph.
_LONGEST = 300
_HINT = "Mend it, or leave it out of the build file, and run the same command again: what was paid for is kept."


class ContractBreach(Exception):
    """What a component gave is not what its protocol says. Of one of ours that is a bug."""


class Calling:
    """One call of a component: an exception inside of it is the component's.

    ``kind`` and ``where`` say in words what is called and at which row. ``where`` may change while rows come.
    """

    __slots__ = ("_component", "_kind", "where")

    def __init__(self, kind: str, component: Configured, where: str) -> None:
        self._kind, self._component, self.where = kind, component, where

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, PairwrightError):
            return
        cls = type(self._component)
        if is_ours(cls):
            return
        if isinstance(error, OSError) and (told := file_trouble(error, self._component.name)) is not None:
            raise told from error
        named = f"{self._kind} {self._component.name} ({', '.join([reference_of(cls), *_place(cls, trace)])})"
        raise ComponentError(f"{named} failed {self.where}: {_told(error)}", _HINT) from error

    def require(self, found: object, *kinds: type) -> None:
        """Check that what the component gave is of one of ``kinds``.

        Raises:
            ContractBreach: it is not.
        """
        if not isinstance(found, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise ContractBreach(f"it gave {type(found).__name__} instead of {names}")


def _place(cls: type, trace: TracebackType | None) -> Iterator[str]:
    """File and line: where the exception came from in the component's module, else where the class begins."""
    frames = [(frame, line) for frame, line in walk_tb(trace) if frame.f_globals.get("__name__") == cls.__module__]
    if frames:
        frame, line = frames[-1]
        yield f"{frame.f_code.co_filename}:{line}"
        return
    try:
        yield f"{inspect.getfile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return  # made at run time: it stands in no file


def _told(error: Exception) -> str:
    told = str(error) if isinstance(error, ContractBreach) else f"{type(error).__name__}: {error}"
    return textwrap.shorten(told.removesuffix(": "), _LONGEST, placeholder=" …")  # of an exception without a text


def read_source(source: Source) -> Iterator[Conversation | Failed]:
    """See :meth:`~pairwright.core.components.Source.read`.

    Raises:
        ComponentError: a source of somebody's own failed; so do all functions here.
    """
    with Calling("source", source, "before its first row") as call:
        for outcome in source.read():
            call.require(outcome, Conversation, Failed)
            yield outcome
            call.where = f"after row {_read_at(outcome)}"


def _read_at(outcome: Conversation | Failed) -> str:
    if isinstance(outcome, Failed):
        return outcome.row
    origin = outcome.origin
    return f"{origin.file}:{origin.line}" if origin.line else f"{origin.key} of {origin.file}"


async def ask_gate(gate: Gate, case: Case, ask: Ask) -> GateDecision:
    """See :meth:`~pairwright.core.components.Gate.decide`."""
    with Calling("gate", gate, f"at row {case.id}") as call:
        decision = await gate.decide(case, ask)
        call.require(decision, GateDecision)
    return decision


async def ask_judge(judge: Judge, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
    """See :meth:`~pairwright.core.components.Judge.judge`."""
    with Calling("judge", judge, f"at row {case.id}") as call:
        found = await judge.judge(case, candidates, ask)
        if not isinstance(found, Iterable):
            raise ContractBreach(f"it gave {type(found).__name__} instead of a list of verdicts")
        verdicts = tuple(found)
        for verdict in verdicts:
            call.require(verdict, Verdict)
        if len(verdicts) != len(candidates):
            raise ContractBreach(f"it gave {len(verdicts)} verdicts, {len(candidates)} asked for")
    return verdicts


async def ask_comparer(comparer: Comparer, case: Case, first: str, second: str, ask: Ask) -> Comparison:
    """See :meth:`~pairwright.core.components.Comparer.compare`."""
    with Calling("comparer", comparer, f"at row {case.id}") as call:
        comparison = await comparer.compare(case, first, second, ask)
        call.require(comparison, Comparison)
    return comparison


async def ask_review(improver: Improver, case: Case, candidate: Candidate, ask: Ask) -> Review:
    """See :meth:`~pairwright.core.components.Improver.review`."""
    with Calling("improver", improver, f"at row {case.id}") as call:
        review = await improver.review(case, candidate, ask)
        call.require(review, Review)
    return review


async def ask_preference(
    improver: Improver, case: Case, improved: Candidate, original: Candidate, ask: Ask
) -> Comparison:
    """See :meth:`~pairwright.core.components.Improver.prefer`."""
    with Calling("improver", improver, f"at row {case.id}") as call:
        comparison = await improver.prefer(case, improved, original, ask)
        call.require(comparison, Comparison)
    return comparison


def perturb(
    perturber: Perturber, case: KnownCase, chosen: Candidate, rng: random.Random
) -> Iterator[Rejected | Dropped]:
    """See :meth:`~pairwright.core.components.Perturber.perturb`: at least one outcome."""
    with Calling("perturber", perturber, f"at row {case.id}") as call:
        outcome = None
        for outcome in perturber.perturb(case, chosen, rng):
            call.require(outcome, Rejected, Dropped)
            yield outcome
        if outcome is None:
            raise ContractBreach("it gave nothing; give a Dropped with a reason where no variant can be made")


def read_ahead(perturbers: Iterable[Perturber], cases: Sequence[KnownCase]) -> None:
    """Let those of ``perturbers`` that read many tasks together read ``cases``, which come next."""
    for perturber in perturbers:
        if cases and isinstance(perturber, BatchReader):
            with Calling("perturber", perturber, f"while it read ahead from row {cases[0].id}"):
                perturber.read_ahead(cases)


def know_corpus(perturber: CorpusReader, rows: Iterable[SftRow]) -> Perturber:
    """See :meth:`~pairwright.core.components.CorpusReader.knowing`."""
    with Calling("perturber", perturber, "while it read the chosen answers") as call:
        knowing = perturber.knowing(rows)
        call.require(knowing, Perturber)
    return knowing


def export_build(exporter: ExporterOf[Build], build: Build, folder: Path) -> None:
    """See :meth:`~pairwright.core.components.ExporterOf.export`."""
    with Calling("exporter", exporter, "while it wrote the build"):
        exporter.export(build, folder)
