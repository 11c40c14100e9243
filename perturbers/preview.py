"""What every perturber makes of one rewrite: the logic behind ``pairwright perturb``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from pairwright.core import language as lang
from pairwright.core.components import Perturber
from pairwright.core.records import Candidate, Dropped, Example, Language, Origin, Rejected, RewriteTask, Turn, row_rng
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
) -> Mapping[str, list[Rejected | Dropped]]:
    """Outcomes of every perturber, by its name, for the good rewrite ``text`` of ``query``.

    ``history`` is oldest first and does not contain ``query``. Without ``language`` it is found from the query. The
    same arguments give the same outcomes.
    """
    task = RewriteTask.create(
        conversation="preview",
        dialogue="preview",
        language=language or lang.detect_language(query + text),
        history=tuple(history),
        query=query,
        tokens=lang.estimate_tokens(query),
        examples=tuple(examples),
        origin=_ORIGIN,
    )
    chosen = Candidate.create(task=task.id, origin="reference", rewrite=text, analysis=analysis)
    found: dict[str, list[Rejected | Dropped]] = {}
    for name, component in PERTURBERS.items():
        perturber = component()
        assert isinstance(perturber, Perturber)
        found[name] = list(islice(perturber.perturb(task, chosen, row_rng(seed, name, task.id)), 20))
    return found
