"""Components as somebody else writes them: good ones, ones that raise, and classes that are none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Component
from pairwright.core.improvement import Review
from pairwright.core.records import (
    Candidate,
    Case,
    Comparison,
    Conversation,
    GateDecision,
    KnownCase,
    Origin,
    Rejected,
    SftRow,
    Turn,
    Verdict,
)
from pairwright.core.requests import Ask
from pairwright.core.result import BuildResult


class Nameless(Component):
    """Does everything and has no name."""

    def read(self) -> Iterator[Conversation | Failed]:
        for line in range(1, 4):
            origin = Origin(source="own", file="own.txt", line=line, key=str(line), licence="MIT")
            turns = (Turn(role="user", content=f"Who wrote book number {line}?"),)
            yield Conversation.create(dialogue=f"d{line}", language="en", turns=turns, origin=origin)

    async def decide(self, case: Case, ask: Ask) -> GateDecision:
        return GateDecision(needs_rewrite=True, method="rule")

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [Verdict(judge="own", passed=True) for _ in candidates]

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        return Comparison(judge="own", winner="first", margin=1.0, method="verdicts")

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Review:
        better = Candidate.create(task=case.id, origin="improved", text=f"{candidate.text} Please.")
        return Review(
            route="own",
            kept=True,
            stands=True,
            method="verdict",
            explanation="",
            request_hashes=(),
            improved=better,
        )

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        return Comparison(judge="own", winner="second", margin=-1.0, method="verdicts")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        yield Rejected(text=f"{chosen.text} Or not.", defect="own_defect", rejected_by="own")

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        path = folder / "own.txt"
        path.write_text(build.config.name, encoding="utf-8")
        return [path]


class Whole(Nameless):
    """Fits everywhere."""

    name: ClassVar[str] = "whole"


class Blank(Nameless):
    """Has a name that says nothing."""

    name: ClassVar[str] = " "


class Numbered(Nameless):
    """Has a name that is no text."""

    name: ClassVar[Any] = 7


class NamedByField(Nameless):
    """Has a name for every object, and none itself: ``ClassVar`` was forgotten."""

    name: str = "field"  # type: ignore[misc]


class Nothing(Component):
    """Can nothing."""

    name: ClassVar[str] = "nothing"


class Exploding(Component):
    """Raises whatever it is asked to do; in each method on the line after ``def``."""

    name: ClassVar[str] = "exploding"

    def read(self) -> Iterator[Conversation | Failed]:
        yield from (row for row in Whole().read() if row.origin.line != 3 or 1 / 0)  # type: ignore[union-attr]

    async def decide(self, case: Case, ask: Ask) -> GateDecision:
        return GateDecision(needs_rewrite=bool(1 / 0), method="rule")

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return [Verdict(judge="own", passed=bool(1 / 0))]

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        return Comparison(judge="own", winner="first", margin=1 / 0, method="verdicts")

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Review:
        raise ZeroDivisionError("division by zero")

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        raise ZeroDivisionError("division by zero")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        yield Dropped(stage="perturb", row=case.id, reason="own", detail=str(1 / 0))

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        raise ZeroDivisionError("division by zero")


class ExplodingPreference(Whole):
    """Raises only when it is to say whether what it wrote is better."""

    name: ClassVar[str] = "exploding_preference"

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        raise ZeroDivisionError("division by zero")


class ExplodingReader(Whole):
    """Raises when it reads ahead."""

    name: ClassVar[str] = "exploding_reader"

    def read_ahead(self, cases: Iterable[KnownCase]) -> None:
        raise ZeroDivisionError("division by zero")


class ExplodingLearner(Whole):
    """Raises when it reads the chosen answers."""

    name: ClassVar[str] = "exploding_learner"

    def knowing(self, rows: Iterable[SftRow]) -> Whole:
        raise ZeroDivisionError("division by zero")


class Careless(Component):
    """Gives in each place what its protocol does not allow."""

    name: ClassVar[str] = "careless"

    def read(self) -> Iterator[Any]:
        yield {"turns": []}

    async def decide(self, case: Case, ask: Ask) -> Any:
        return True

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Any:
        return [Verdict(judge="own", passed=True)] * 2

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Any:
        return "first"

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Any:
        return None

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Any:
        return "first"

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Any]:
        yield chosen.text

    def knowing(self, rows: Iterable[SftRow]) -> Any:
        return None


class Silent(Component):
    """Gives nothing: no outcome, and no list of verdicts."""

    name: ClassVar[str] = "silent"

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        yield from ()

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Any:
        return None


def reference(cls: type) -> str:
    """What a build file calls a class of this module."""
    return f"own_components:{cls.__name__}"


def place(method: Callable[..., Any]) -> str:
    """File and line of the first statement of a method, as an error names it."""
    code = method.__code__
    return f"{code.co_filename}:{code.co_firstlineno + 1}"
