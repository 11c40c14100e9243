"""The things that a dialogue talks about: what a pronoun could have meant instead."""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Case, Turn
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.noun_phrases import NO_HEADS
from pairwright.perturbers.text.spans import noun_phrases, stem

_CODE = re.compile(r"(?=.*\d)[A-Z0-9]{5,}")
_TURNS, _LONGEST_TURN = 6, 600  # the newest turns, and the first characters of each, that are looked at
_NO_TOPIC = re.compile(r"什么|怎么|多少|[几哪]|免费|半价|收费")
_DULL = frozenset(
    "similarities characteristics differences advantages disadvantages easiest effects causes uses benefits symptoms "
    "cheap expensive moderate moderately priced question questions information thing things way ways kind example examples idea ideas lot people time times "
    "day help options option some tips thanks answer list number address phone postcode preference suggestion "
    "interest".split()
)


@dataclass(frozen=True, slots=True)
class Antecedent:
    """``text`` without and ``phrase`` with its article; ``preposition`` before it, ``turn`` counts from the newest (0)."""

    text: str
    phrase: str
    preposition: str
    turn: int
    by_user: bool


def antecedents(case: Case, chosen: str) -> tuple[Antecedent, ...]:
    """Things that the newest turns mention and ``chosen`` does not, the most recent first."""
    found: dict[str, Antecedent] = {}
    taken = _keys(chosen + " " + case.query, case)
    for age, turn in enumerate(reversed(case.history[-_TURNS:])):
        for one in _in_turn(case, turn, age):
            keys = _keys(one.text, case)
            if keys and not keys & taken and not _overlaps_zh(one.text, chosen, case):
                found.setdefault(one.text.lower(), one)
    return tuple(found.values())


def topics(case: Case, chosen: str) -> tuple[Antecedent, ...]:
    """Chinese common nouns of the newest turns that ``chosen`` does not say: what else it could be padded with."""
    found: dict[str, Antecedent] = {}
    for age, turn in enumerate(reversed(case.history[-_TURNS:])):
        for mention in lang.mentions(turn.content[:_LONGEST_TURN], "zh"):
            known = chinese.is_full_class(mention.text) or len(mention.text) > 2
            if mention.kind == "noun" and known and mention.text not in chosen and not _NO_TOPIC.search(mention.text):
                found.setdefault(mention.text, Antecedent(mention.text, mention.text, "", age, turn.role == "user"))
    return tuple(found.values())


def _keys(text: str, case: Case) -> frozenset[str]:
    if case.language == "zh":
        return frozenset((chinese.bare_name(text),))
    return frozenset(
        stem(token.lower)
        for token in english.tokenize(text)
        if token.is_word and not english.is_function_word(token.lower)
    )


def _overlaps_zh(name: str, chosen: str, case: Case) -> bool:
    """Whether half of the Chinese name already stands in the rewrite: it may be the same thing."""
    if case.language != "zh":
        return False
    bare = chinese.bare_name(name)
    return bare in chosen or any(bare[place : place + 3] in chosen for place in range(len(bare) - 2))


def _is_certain_name(tokens: tuple[english.EnglishToken, ...], lead: int, length: int) -> bool:
    """A capital inside a sentence, or two at its start; a nationality alone is no name."""
    if re.search(r"(?:ish|ese|ian|ean|can|French|Thai|Greek|Dutch)$", tokens[lead + length - 1].text):
        return False
    if length > 1:
        return True
    return (
        lead > 0 and (tokens[lead - 1].is_word or tokens[lead - 1].text in ",(") and not tokens[lead - 1].text.isdigit()
    )


def _is_rival_zh(name: str) -> bool:
    """A name of its own, no generic place and no part of an address."""
    return (
        chinese.is_name_like(name)
        and not chinese.is_full_class(name)
        and not re.fullmatch(r"[A-Za-z]{1,4}|[a-z].*", name)
        and not re.search(r"摇滚|男子|女子|流行|民谣|知名|著名|老牌|大型|淡季|旺季", name)
        and not re.match(r"[称叫属是为如]|大公司|小公司|家[^乐福]", name)
        and not re.search(r"(?:路|号|县|区|胡同|市|出口|超市|度假村|儿童乐园|小镇|站|人|地铁站|奖)$", name)
    )


def _in_turn(case: Case, turn: Turn, age: int) -> Iterator[Antecedent]:
    text = turn.content[:_LONGEST_TURN]
    by_user = turn.role == "user"
    yield from _in_chinese(text, age, by_user) if case.language == "zh" else _in_english(text, age, by_user)


def _in_chinese(text: str, age: int, by_user: bool) -> Iterator[Antecedent]:
    for mention in lang.mentions(text, "zh"):
        name, before = mention.text.strip(), text[: mention.start]
        another_name = re.search(r"(?:称|又叫|也叫|名为|前身是?|属于?|叫做?|曾是)$", before)
        address = re.search(r"(?:地址|位于|位置)[^，。！？]{0,14}$", before)
        if mention.kind == "entity" and not another_name and not address and _is_rival_zh(name):
            yield Antecedent(name, name, "", age, by_user)


def _in_english(text: str, age: int, by_user: bool) -> Iterator[Antecedent]:
    tokens = english.tokenize(text)
    places = {token.start: place for place, token in enumerate(tokens)}
    for phrase in noun_phrases(text, " ".join(token.lower for token in tokens)):
        words = text[phrase[0].start : phrase[-1].end]
        if len(phrase) > 4 or not _is_rival_en(words):
            continue
        named = all(token.text[0].isupper() for token in phrase)
        lead = places[phrase[0].start]
        if (named and not _is_certain_name(tokens, lead, len(phrase))) or not (named or by_user):
            continue
        article = lead > 0 and tokens[lead - 1].lower in english.ARTICLES
        before = tokens[lead - 1 - article].lower if lead > article else ""
        preposition = before if before in english.PREPOSITIONS else ""
        if article or named or preposition or english.is_plural(words) or english.is_mass(words):
            # a thing just mentioned is *the* thing from then on
            yield Antecedent(words, f"the {words}" if article else words, preposition, age, by_user)


def _is_rival_en(words: str) -> bool:
    """A thing of its own: no dull noun, no code, no street, no adjective taken for a noun."""
    last = words.lower().split()[-1]
    return (
        last not in _DULL | NO_HEADS
        and len(words) > 3
        and "." not in words
        and any(char.isalpha() for char in words)
        and not _CODE.fullmatch(words)
        and not (last.endswith("ed") and words.islower())
        and not re.search(r"\b(?:Road|Street|Lane|Avenue)\b", words)
    )
