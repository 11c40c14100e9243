"""Answer instead of question: the query is answered, declined or promised an answer, not rewritten."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, answers, impossible, of_templates, settle
from pairwright.perturbers.text.antecedents import antecedents
from pairwright.perturbers.text.spans import restored_entities
from pairwright.perturbers.text.substitutes import spoken_name

Template = Literal[
    "assistant_turn",
    "refusal",
    "promise",
    "evasion",
]

_SENTENCE = {
    "en": re.compile(r"[A-Z](?:[^.!?:\n]|\.(?=\S)){12,160}[.!](?=\s|$)"),
    "zh": re.compile(r"[^。！？\n]{6,80}[。！]"),
}
_EN = (
    ("I'm sorry, I could not find any information about {name}.", "refusal"),
    ("Sure, here is what I know about {name}.", "promise"),
    ("I think {name} would be worth a closer look.", "evasion"),
)
_ZH = (
    ("抱歉，没有查到{name}的相关信息。", "refusal"),
    ("好的，为您介绍一下{name}的情况。", "promise"),
    ("{name}挺不错的，推荐您去了解一下。", "evasion"),
)


class AnswerInstead(Component):
    """Answers in place of the rewrite: with a sentence that the assistant really said in this dialogue, or by a
    refusal or promise that names the entity in question."""

    name: ClassVar[str] = "answer_instead"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text, rng), self.templates)
        yield from settle(self.name, "answer_instead", case, chosen, drafts, answers, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if not lang.is_question(chosen, case.language):
        yield impossible("not_a_question")
        return
    drafts = [*_said(case), *_made_up(case, chosen, rng)]
    if rng.random() < 0.5:
        drafts.reverse()
    yield from drafts
    if not drafts:
        yield impossible("nothing_to_answer_with")


def _said(case: Case) -> Iterator[Draft]:
    for turn in reversed(case.history):
        if turn.role == "assistant":
            for match in _SENTENCE[case.language].finditer(turn.content):
                sentence = match.group().strip()
                if not lang.is_question(sentence, case.language) and not sentence[:1].islower():
                    yield Draft(sentence, "assistant_turn", sentence)
                    return


def _made_up(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    names = [spoken_name(chosen, entity, case.language) for entity in restored_entities(case, chosen)]
    names += [one.phrase for one in antecedents(case, case.query)[:1] if not _is_lone_noun(one.phrase)]
    for name in [name for name in names if name][:1]:
        pattern, template = rng.choice(_ZH if case.language == "zh" else _EN)
        yield Draft(pattern.format(name=name), template, name)


def _is_lone_noun(phrase: str) -> bool:
    """English: foods, factors: nothing that an answer would be about."""
    return phrase.isascii() and phrase.islower() and " " not in phrase
