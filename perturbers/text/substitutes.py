"""Puts another entity in the place of a restored one, and says how well the two go together."""

from __future__ import annotations

import re

from pairwright.core.records import Case, Example, Language
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.noun_phrases import NO_HEADS, Frame, kind_of
from pairwright.perturbers.text.repair import agree
from pairwright.perturbers.text.spans import Entity, dialogue_text

_WINDOW = 40  # characters on either side of a name that tell of what kind it is
_RELATIONS = (
    "difference",
    "differences",
    "similarity",
    "similarities",
    "relationship",
    "relation",
    "comparison",
    "connection",
    "link",
)


def can_be_swapped(entity: Entity) -> bool:
    """Whether the English phrase names something of its own: no attribute (phone number), no lone abstract noun."""
    last = entity.text.lower().split()[-1]
    if last in (
        "morning",
        "evening",
        "afternoon",
        "night",
        "day",
        "week",
        "month",
        "year",
        "summer",
        "winter",
        "today",
        "tomorrow",
    ):
        return False
    if " " not in last and entity.text == last and last.endswith(("ian", "ish", "ese", "can")):
        return False
    if last in _RELATIONS:
        return False
    return last not in NO_HEADS and (entity.mentions > 0 or entity.text[0].isupper() or " " in entity.text)


def spoken_name(chosen: str, entity: Entity, language: Language) -> str:
    """The entity as it can be named in a sentence of its own, with its article; empty where it cannot.

    Chinese names stand alone. An English singular without article can only when it is a name or a mass noun.
    """
    if language == "zh":
        return entity.text
    frame = Frame.around(chosen, entity)
    if not can_be_swapped(entity):
        return ""
    if frame.determiner.lower() in english.ARTICLES:
        return frame.determiner.lower() + chosen[frame.phrase_start + len(frame.determiner) : entity.end]
    if frame.determiner or (entity.added != entity.text):
        return ""
    stands = entity.text[0].isupper() or english.is_plural(entity.text) or english.is_mass(entity.text)
    return entity.text if stands or (" " in entity.text and entity.mentions > 0) else ""


def put_in_place(chosen: str, entity: Entity, other: str, language: Language) -> str:
    """``chosen`` with ``other`` in the place of ``entity``; empty where it would not fit the grammar.

    In English ``other`` comes with the article that it has as a phrase of its own (the Kestrel 40, Oslo); it is
    dropped before a noun, and the verb beside it gets the right number.
    """
    return _put_zh(chosen, entity, other) if language == "zh" else _put_en(chosen, entity, other)


def _put_en(chosen: str, entity: Entity, other: str) -> str:
    core = other.removeprefix("the ")
    frame = Frame.around(chosen, entity)
    if entity.added != entity.text:
        short = (
            core[0].isupper()
            and len(core.split()) <= 2
            and not english.is_plural(core)
            and entity.text.startswith(entity.added)
        )
        return (
            chosen[: entity.added_start] + core + chosen[entity.added_end :]
            if short and frame.determiner.lower() != "a"
            else ""
        )
    if (
        frame.determiner.lower() in ("what", "which", "my", "your", "some", "any", "no", "all", "each")
        or frame.continues_a_phrase
        or frame.after_adverb
        or frame.inside_name
        or chosen[: entity.start].count('"') % 2
    ):
        return ""
    put = other
    if frame.next_is_nominal:
        put = f"{frame.determiner} {core}" if frame.determiner.lower() in english.ARTICLES else core
    if frame.determiner.lower() in ("a", "an") and other != core and core.islower():
        put = f"{english.article_for(core)} {core}"
    rest = chosen[entity.end :]
    if re.search(r"\b[A-Z]\.[A-Z]$", entity.text) and rest.startswith(".") and rest[1:].strip():
        rest = rest[1:]  # the stop of D.C. goes with the name
    if re.match(r"['’](?=\s)", rest) and not put.endswith("s"):
        rest = f"{rest[0]}s{rest[1:]}"
    text = chosen[: frame.phrase_start] + put + rest
    if frame.next_word in ("'s", "’s"):
        return text if not english.is_plural(core) else ""
    if frame.is_listed or frame.is_held:
        return text
    return agree(text, frame.phrase_start, frame.phrase_start + len(put), english.is_plural(core))


def _put_zh(chosen: str, entity: Entity, other: str) -> str:
    before, after = chosen[: entity.start], chosen[entity.end :]
    if chinese.is_full_class(other) or other in chosen or re.search(r"(?:朋友|孩子|家人|老人|同学|同事)$", entity.text):
        return ""
    return before + other + after


def same_kind(case: Case, chosen: str, entity: Entity, example: Example, loan: str) -> int:
    """How alike the two are: the more the better; -1 when they cannot stand for each other (a person, a place)."""
    if case.language == "zh":
        own = class_zh(dialogue_text(case), entity.text, entity.change.replaced, chosen[entity.end : entity.end + 8])
        theirs = class_zh("\n".join(turn.content for turn in example.history), loan, "", example.rewrite)
        if "person" in (own.name, theirs.name) and own.name != theirs.name:
            return -1
        return 2 if own.name == theirs.name else int(("《" in loan) == ("《" in entity.text))
    own_kind = kind_of(entity.text, dialogue_text(case), sentence=chosen)
    their_kind = kind_of(loan, "\n".join(turn.content for turn in example.history), sentence=example.rewrite)
    alike = own_kind == their_kind != ""
    return (
        2 * alike
        + (loan[0].isupper() == entity.text[0].isupper())
        + (english.is_plural(loan) == english.is_plural(entity.text))
    )


def class_zh(history: str, name: str, replaced: str, asked: str) -> chinese.NounClass:
    """The class of a Chinese name, seen with the text around its last mention."""
    place = history.rfind(name)
    return chinese.classify(name, replaced, history[max(0, place - _WINDOW) : place + len(name) + _WINDOW], asked)
