"""Leaked example: something that only a few-shot example of this row's prompt says stands in the rewrite."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, Example, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, leaked, of_templates, settle
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.noun_phrases import Frame
from pairwright.perturbers.text.repair import final_marks, repair, without_final_marks
from pairwright.perturbers.text.spans import (
    Entity,
    TextChange,
    dialogue_text,
    find_restored,
    noun_phrases,
    restored_entities,
)
from pairwright.perturbers.text.substitutes import put_in_place, same_kind

Template = Literal[
    "replace_entity",
    "join_entity",
    "add_phrase",
    "whole_example",
]


class LeakedExample(Component):
    """Puts words of an example that was shown in this row's prompt where they fit.

    An entity of the example takes the place of a restored one, of the same kind where there is such; or stands
    beside it; or a phrase of the example (in the north part of town) is added at the end; or, what small models do
    most, the example's rewrite is answered as it stands.
    """

    name: ClassVar[str] = "leaked_example"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text, rng), self.templates)
        yield from settle(self.name, "example_leak", case, chosen, drafts, leaked, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    examples = [example for example in case.examples if example.language == case.language]
    if not examples:
        yield impossible("no_examples")
        return
    entities = restored_entities(case, chosen) or _own_entities(case, chosen)
    own = chosen + dialogue_text(case)
    loans = [(example, loan) for example in examples for loan in borrowed_names(example) if loan not in own]
    rng.shuffle(loans)
    for entity in entities:
        fitting = sorted(loans, key=lambda pair: -same_kind(case, chosen, entity, pair[0], pair[1]))
        for example, loan in fitting:
            if same_kind(case, chosen, entity, example, loan) < 0:
                continue
            text = put_in_place(chosen, entity, loan, case.language)
            if text:
                yield _draft(case, chosen, text, "replace_entity", example, loan)
    yield from _added_phrases(case, chosen, examples)
    for entity in entities:
        for example, loan in loans:
            if same_kind(case, chosen, entity, example, loan) < 0:
                continue
            text = _beside(chosen, entity, loan, case.language)
            if text:
                yield _draft(case, chosen, text, "join_entity", example, loan)
    whole = [example for example in examples if example.needs_rewrite] or examples
    for example in rng.sample(whole, len(whole)):
        yield _draft(case, chosen, example.rewrite, "whole_example", example, example.rewrite)


def _draft(case: Case, chosen: str, text: str, template: str, example: Example, leak: str) -> Draft:
    whole = text if template == "whole_example" else repair(text, chosen, case.language)
    return Draft(whole, template, leak, {"example": example.id, "leak": leak})


def example_entities(example: Example) -> tuple[Entity, ...]:
    """The entities that the example's own rewrite restored."""
    history = "\n".join(turn.content for turn in example.history)
    return find_restored(example.query, example.rewrite, history, example.language)


def _own_entities(case: Case, chosen: str) -> tuple[Entity, ...]:
    """Where nothing was restored: the names, and in English the things after a preposition, that the query itself has."""
    whole = TextChange(0, len(chosen), chosen, "")
    if case.language == "zh":
        names = [one for one in lang.mentions(chosen, "zh") if one.kind == "entity" and chinese.is_name_like(one.text)]
        ended = [
            one
            for one in names
            if not chosen[one.end : one.end + 1].strip() or chosen[one.end] not in "·(（"
            if not re.search(r"[^\W的了在去到从是和与就看问对叫想给把找有那这]$", chosen[: one.start])
        ]
        return tuple(Entity(one.start, one.end, one.text, one.start, one.end, whole, 1) for one in ended)
    found = []
    for phrase in noun_phrases(chosen):
        start, end = phrase[0].start, phrase[-1].end
        one = Entity(start, end, chosen[start:end], start, end, whole, 1)
        frame = Frame.around(chosen, one)
        named = one.text[0].isupper() and start > 0
        goes_on = frame.next_word in ("and", "of", "&", "'s", "’s")
        if (named or frame.preposition in ("in", "at", "from", "about", "near")) and not goes_on:
            found.append(one)
    return tuple(found)


_NO_LOANS = frozenset(
    ("degrees", "times", "deadline", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
)
"""Last words of phrases that name nothing which could be mixed up with something else."""


def borrowed_names(example: Example) -> tuple[str, ...]:
    """The names and phrases of an example that can stand in another sentence, with the article that they need."""
    found: list[str] = []
    for entity in example_entities(example):
        if example.language == "zh":
            if chinese.is_name_like(entity.text):
                found.append(entity.text)
            continue
        article = Frame.around(example.rewrite, entity).determiner
        named = entity.text[0].isupper()
        if entity.text.split()[-1].lower() in _NO_LOANS:
            continue
        if entity.text[0].isalpha() and (
            named or english.is_plural(entity.text) or article.lower() in english.ARTICLES
        ):
            found.append(f"the {entity.text}" if article.lower() in english.ARTICLES else entity.text)
    return tuple(found)


def _added_phrases(case: Case, chosen: str, examples: list[Example]) -> Iterator[Draft]:
    """English only: a phrase with in, on, at or for that an example ends in."""
    if case.language != "en" or re.search(r"\bplease\W*$", chosen, re.I):
        return
    for example in examples:
        for loan in example_entities(example):
            frame = Frame.around(example.rewrite, loan)
            if frame.preposition in ("in", "on", "at", "near", "during") and frame.next_word in ("", "?", "."):
                phrase = example.rewrite[frame.preposition_start : loan.end]
                if re.search(r"\d", phrase):
                    continue
                yield _draft(
                    case,
                    chosen,
                    f"{without_final_marks(chosen)} {phrase}{final_marks(chosen)}",
                    "add_phrase",
                    example,
                    phrase,
                )


def _beside(chosen: str, entity: Entity, loan: str, language: str) -> str:
    if entity.added != entity.text:
        return ""
    if language == "zh":
        if (
            chosen[: entity.start].endswith(("、", "和"))
            or chosen[entity.end :].startswith(("、", "和", "这"))
            or chinese.is_full_class(loan)
        ):
            return ""
        return f"{chosen[: entity.end]}和{loan}{chosen[entity.end :]}"
    frame = Frame.around(chosen, entity)
    if frame.is_listed or frame.next_word in ("'s", "’s") or not frame.preposition:
        return ""
    return f"{chosen[: entity.end]} and {loan}{chosen[entity.end :]}"
