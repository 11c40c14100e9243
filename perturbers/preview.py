"""What every perturber makes of one rewrite or answer: the logic behind ``pairwright perturb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from pairwright.core.bookkeeping import Dropped
from pairwright.core.identity import content_id, row_rng
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Example, KnownCase, Language, Rejected, TaskKind, Turn
from pairwright.perturbers import PERTURBERS

_SETTINGS: Mapping[TaskKind, tuple[str, ...]] = {"rewrite": (), "answer": ("kind", "tools", "steps")}
"""What a case of each kind is made of beside its dialogue. It enters the case's id, and so what is drawn for it."""


def preview(
    text: str,
    query: str,
    history: Sequence[Turn],
    language: Language | None = None,
    examples: Sequence[Example] = (),
    seed: int = 0,
    analysis: str | None = None,
    kind: TaskKind = "rewrite",
    tools: str = "",
    steps: Sequence[Turn] = (),
) -> Mapping[str, list[Rejected | Dropped]]:
    """Outcomes of every perturber of that ``kind``, by its name, for ``text``: the good rewrite of ``query``, or the good
    answer to it.

    ``history`` is oldest first and does not contain ``query``; ``tools``
    is the JSON array of the tools that may be called, ``steps`` are the calls since the query and their results. Without ``language`` it is found from the query. The same
    arguments give the same outcomes.
    """
    given = {"kind": kind, "tools": tools, "steps": tuple(steps)}
    told: dict[str, Any] = {
        "language": language or lang.detect_language(query + text),
        "history": tuple(history),
        "query": query,
        **{name: given[name] for name in _SETTINGS[kind]},
    }
    # Not of the examples: what is drawn stays when other ones are shown.
    case = KnownCase(id=content_id(told), examples=tuple(examples), **told)
    chosen = Candidate.create(task=case.id, origin="reference", text=text, analysis=analysis)
    found: dict[str, list[Rejected | Dropped]] = {}
    for name, component in PERTURBERS.items():
        if kind not in component.tasks:
            continue
        perturber = component()
        found[name] = list(islice(perturber.perturb(case, chosen, row_rng(seed, name, case.id)), 20))
    return found
