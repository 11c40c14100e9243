"""Made ambiguous: a restored entity turns into a pronoun or a bare noun, so that nobody knows what is meant."""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, settle, vague
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.noun_phrases import NO_HEADS, Frame, kind_of
from pairwright.perturbers.text.repair import agree, repair
from pairwright.perturbers.text.spans import Entity, dialogue_text, restored_entities

_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.I)
_PLACES = frozenset(
    "restaurant hotel city university company museum park college school bar cafe pub country area".split()
)
_NAMED_AGAIN = re.compile(r"这[部张首个家位](?:电影|影片|专辑|歌|歌曲|乐队|人|酒店|餐馆|景点)(?!里)")
_WINDOW = 40  # characters on either side of a name that tell of what kind it is

_NAMED_BEFORE = re.compile(r"(?:电影|影片|歌曲|专辑|乐队|导演|歌手|演员|景点|餐馆|酒店)$")

Choice = tuple[int, int, str, str]
"""``(start, end, put, template)``: what to write in place of ``chosen[start:end]``."""


class MadeAmbiguous(Component):
    """Blurs each restored entity in turn: that restaurant, it, the one; 那个景点, 这首歌, 它.

    The rest of the rewrite stays, so the text often says more than the query did and is unclear all the same.
    """

    name: ClassVar[str] = "made_ambiguous"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from settle(self.name, "ambiguous_reference", case, chosen, drafts, vague, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    entities = restored_entities(case, chosen)
    if not entities:
        yield impossible("nothing_restored")
    for entity in entities:
        choices = (
            _choices_zh(case, chosen, entity, rng) if case.language == "zh" else _choices_en(case, chosen, entity, rng)
        )
        for start, end, put, template in choices:
            text = chosen[:start] + put + chosen[end:]
            if (
                case.language == "en"
                and template != "possessive"
                and not re.search(r"\b(?:and|or)\s+$", chosen[:start])
            ):
                text = agree(text, start, start + len(put), put in ("they", "them") or english.is_plural(put))
            yield Draft(
                repair(text, chosen, case.language),
                template,
                f"{entity.text} → {put}",
                {"entity": entity.text, "put": put},
            )


def _choices_zh(case: Case, chosen: str, entity: Entity, rng: random.Random) -> list[Choice]:
    history = dialogue_text(case)
    place = history.rfind(entity.text)
    around = history[max(0, place - _WINDOW) : place + len(entity.text) + _WINDOW]
    kind = chinese.classify(entity.text, entity.change.replaced, around, chosen[entity.end : entity.end + 8])
    tail = _NAMED_AGAIN.match(chosen[entity.end :])
    end = entity.end + (tail.end() if tail else 0)
    classes = [
        (f"{pointer}{kind.measure}{kind.noun}", template)
        for pointer, template in (("那", "that_class"), ("这", "this_class"))
        if kind.noun
    ]
    rng.shuffle(classes)
    before, after = chosen[: entity.start], chosen[end:]
    named_before = _NAMED_BEFORE.search(before)
    listed = named_before is not None or before.endswith(("、", "和")) or after.startswith(("、", "和"))
    pronouns = (
        []
        if listed
        else [
            (word, "pronoun")
            for word in _pronouns_zh(case, kind)
            if not (word == "它" and before.endswith(("去", "在", "从", "到")))
        ]
    )
    found = [*pronouns, *classes] if rng.random() < 0.5 else [*classes, *pronouns]
    if kind.name == "thing":
        found.append(("那个", "that_one"))
    start = named_before.start() if named_before else entity.start
    return [(start, end, put, template) for put, template in found]


def _pronouns_zh(case: Case, kind: chinese.NounClass) -> tuple[str, ...]:
    """A person is 他 or 她 as the dialogue says."""
    if kind.name != "person":
        return kind.pronouns
    said = case.query + dialogue_text(case)
    # 其他 (other) is written with 他 and is nobody.
    return ("她", "这个人") if said.count("她") > said.count("他") - said.count("其他") else kind.pronouns


def _choices_en(case: Case, chosen: str, entity: Entity, rng: random.Random) -> list[Choice]:
    frame = Frame.around(chosen, entity)
    if _is_fixed(frame):
        return []
    kind = ""
    if not _is_person(case, entity):
        kind = kind_of(entity.text, dialogue_text(case), bare=not frame.determiner, sentence=chosen)
    qualified = frame.next_word in ("that", "which", "who", "where", "whose") or frame.next_word.endswith("ing")
    whole = not qualified and entity.added == entity.text
    found = _pointed_choices(frame, entity, kind, rng)
    if whole and not frame.is_listed and (kind or not _may_be_person(case, entity)):
        found += _pronoun_choices(case, frame, entity, kind)
    rng.shuffle(found)
    return found + (_one_choices(case, frame, entity, kind, rng) if whole else [])


def _pointed_choices(frame: Frame, entity: Entity, kind: str, rng: random.Random) -> list[Choice]:
    """That restaurant, these ribs; nothing in the middle of a list."""
    if not kind or (frame.joined_before and frame.joined_after):
        return []
    pointed = _pointed(kind, english.is_plural(entity.text), rng)
    if kind == "area" and frame.preposition == "on":
        return [(frame.preposition_start, entity.end, f"in {pointed}", "pointed_noun")]
    if _is_possessive(frame):
        return [(frame.phrase_start, frame.after_possessive, f"{pointed}'s", "pointed_noun")]
    return [(frame.phrase_start, entity.end, pointed, "pointed_noun")]


def _pronoun_choices(case: Case, frame: Frame, entity: Entity, kind: str) -> list[Choice]:
    """It, them, their, there."""
    place = kind in _PLACES and frame.preposition in ("at", "in", "to")
    if place or (not kind and entity.text[0].isupper() and frame.preposition in ("at", "in")):
        return [(frame.preposition_start, entity.end, "there", "there")]
    if entity.text.split()[-1].lower() in NO_HEADS and frame.preposition in ("in", "at", "on"):
        return []
    possessive = _is_possessive(frame)
    pronoun = _pronoun_en(case, entity, frame, english.is_plural(entity.text), possessive)
    if possessive:
        return [(frame.phrase_start, frame.after_possessive, pronoun, "possessive")]
    return [(frame.phrase_start, entity.end, pronoun, "pronoun")]


def _one_choices(case: Case, frame: Frame, entity: Entity, kind: str, rng: random.Random) -> list[Choice]:
    """That one, those, the other one: for things that can be counted."""
    countable = not english.is_mass(entity.text) and entity.text.split()[-1].lower() not in NO_HEADS
    if _is_possessive(frame) or not frame.phrase_start or kind == "area" or not countable or _is_person(case, entity):
        return []
    plural = english.is_plural(entity.text)
    start, end = frame.phrase_start, entity.end
    other = (start, end, "the other ones" if plural else "the other one", "the_other_one")
    bare = (start, end, "those" if plural else "that one", "bare_one")
    return [bare, other] if rng.random() < 0.7 else [other, bare]


def _is_possessive(frame: Frame) -> bool:
    return frame.next_word in ("'s", "’s")


def _is_fixed(frame: Frame) -> bool:
    """Whether nothing can point there: after what or any, after 's, after an adverb, in apposition to a name."""
    return (
        frame.determiner.lower() in ("what", "which", "whose", "some", "any", "no", "another", "every", "each")
        or frame.word_before_phrase in ("'s", "’s", "one", "and/or")
        or english.is_adverb(frame.word_before_phrase)
        or frame.next_word in ("'", "’")
        or frame.word_two_before == "there"
        or frame.continues_a_phrase
        or frame.inside_name
        or frame.next_is_nominal
        or (bool(frame.determiner) and bool(frame.word_before_phrase) and frame.follows_name)
    )


def _pointed(kind: str, plural: bool, rng: random.Random) -> str:
    noun = kind if not plural or english.is_plural(kind) else kind + "s"
    return f"{rng.choice(('those', 'these') if english.is_plural(noun) else ('that', 'this'))} {noun}"


def _pronoun_en(case: Case, entity: Entity, frame: Frame, plural: bool, possessive: bool) -> str:
    if _is_person(case, entity):
        woman = re.search(r"\b(?:she|her|hers)\b", case.query, re.I)
        subject, thing, owner = ("she", "her", "her") if woman else ("he", "him", "his")
    elif plural:
        subject, thing, owner = "they", "them", "their"
    else:
        subject, thing, owner = "it", "it", "its"
    if possessive:
        return owner
    return subject if frame.is_subject else thing


def _is_person(case: Case, entity: Entity) -> bool:
    return entity.text[:1].isupper() and _PERSON.search(case.query) is not None


def _may_be_person(case: Case, entity: Entity) -> bool:
    """A name of two or three words that the query did not call it."""
    words = entity.text.split()
    return (
        2 <= len(words) <= 3
        and all(word[0].isupper() for word in words)
        and not re.search(r"\b(?:it|its|they|them|their)\b", case.query, re.I)
    )
