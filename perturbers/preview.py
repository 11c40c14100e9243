"""What every perturber makes of one rewrite or answer: the logic behind ``pairwright perturb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Example, Language, Origin, Rejected, Task, TaskKind, Turn
from pairwright.perturbers import PERTURBERS

_ORIGIN = Origin(source="preview", file="-", key="-", licence="none")


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
    setting = {"kind": kind, "tools": tools, "steps": tuple(steps)} if kind == "answer" else {}
    task = Task.create(
        conversation="preview",
        dialogue="preview",
        language=language or lang.detect_language(query + text),
        history=tuple(history),
        query=query,
        tokens=lang.estimate_tokens(query),
        examples=tuple(examples),
        origin=_ORIGIN,
        **setting,
    )
    chosen = Candidate.create(task=task.id, origin="reference", rewrite=text, analysis=analysis)
    found: dict[str, list[Rejected | Dropped]] = {}
    for name, component in PERTURBERS.items():
        if kind not in component.tasks:
            continue
        perturber = component()
        assert isinstance(perturber, Perturber)
        found[name] = list(islice(perturber.perturb(task, chosen, row_rng(seed, name, task.id)), 20))
    return found
