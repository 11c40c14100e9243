"""What an improver says of an answer, and what became of it: the rows of a build's ``improvements.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pairwright.core.identity import Row
from pairwright.core.records import Candidate, Comparison, SftRow, Verdict


class Review(Row):
    """What an improver says of one answer before anything is compared.

    ``kept`` says whether the query is worth learning from, and ``route`` why or why not; ``stands`` whether the answer
    may stay where nothing better is written; ``scores`` run from 0 to 1. ``improved`` is the text that may take its place.
    """

    route: str
    kept: bool
    stands: bool
    scores: Mapping[str, float] = {}
    method: Literal["expectation", "integer", "verdict"]
    explanation: str
    request_hashes: tuple[str, ...]
    improved: Candidate | None = None


class Improvement(Row):
    """What became of the best answer to one query, ``original``.

    ``verdicts`` are the judges' on the improved text, ``comparison`` is the improver's. ``outcome`` is ``improved``, or
    why the improved text is not used: ``same_text``, ``tie``, ``flip``, ``not_better`` or ``refused:DEFECT``; it is
    empty where none was written.
    """

    original: SftRow
    improver: str
    review: Review
    verdicts: tuple[Verdict, ...] = ()
    comparison: Comparison | None = None
    outcome: str = ""
