"""Brush-off: a polite nothing in place of the answer."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.proof.answer_proof import evasive, prove
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import evades, is_aside, is_json, read_subjects, subject, wish

_THAT = {"en": "that", "zh": "这个问题"}
_LONGEST = {"en": 700, "zh": 260}
_SHORT = {"en": 50, "zh": 14}


class BrushOff(Component):
    """A generic brush-off that names the user's topic and says nothing about it, about as long as the good answer.

    Made of an opening, fillers and a closing from ``answers.LANGUAGE.txt``; the template names the opening.
    """

    name: ClassVar[str] = "brush_off"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def read_ahead(self, cases: Iterable[Case]) -> None:
        """See :class:`~pairwright.core.components.BatchReader`."""
        read_subjects(case for case in cases if case.kind in self.tasks)

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "brush_off", case, chosen, drafts, evasive, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if not wish(case.query, case.language):
        yield impossible("nothing_asked", case.query)
    elif evades(chosen, case.language) or (is_aside(chosen, case.language) and len(chosen) < 30):
        yield impossible("no_real_answer", chosen)
    else:
        topic = subject(case.query, case.language)
        # a tool call says little in characters: the prose in its place need not be as long as its JSON
        length = min(len(chosen), _LONGEST[case.language] // 4 if is_json(chosen) else _LONGEST[case.language])
        openings = phrase_banks.shuffled(case.language, "brush_off.opening", rng)
        # a short answer takes a short one; the order stays drawn
        openings.sort(key=lambda opening: len(opening.text) + len(topic) > max(1.5 * length, _SHORT[case.language]))
        for opening in openings[:8]:
            text = _compose(opening, topic or _THAT[case.language], length, case.language, rng)
            yield Draft(
                text, f"brush_off_{opening.slug}", opening.text.replace("{topic}", topic or "…"), {"topic": topic}
            )


def _compose(opening: phrase_banks.Phrase, topic: str, length: int, language: Language, rng: random.Random) -> str:
    """The opening, then fillers and often a closing, as near to ``length`` characters as they come."""
    joint = " " if language == "en" else ""
    closing = rng.choice(phrase_banks.phrases(language, "brush_off.closing")).text if rng.random() < 0.6 else ""
    parts = [opening.text]
    room = length - len(opening.text) - len(topic)
    for filler in phrase_banks.shuffled(language, "brush_off.filler", rng):
        if room < len(filler.text) * 0.6:
            break
        if "{topic}" not in filler.text or "{topic}" not in opening.text:
            parts.append(filler.text)
            room -= len(filler.text) + len(joint)
    if closing and room > -len(closing) / 2:
        parts.append(closing)
    return joint.join(parts).format(topic=topic)
