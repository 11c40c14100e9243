"""English signals: references, ellipsis, nouns without owner, and what makes a query complete.

They use the parse of ``core/language/en.py``; without a spaCy model its rules serve, and phrases are found by their
articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pairwright.core.language.en import (
    AT_HAND,
    FUNCTION_WORDS,
    GENERIC,
    POINTERS,
    SENTENCE,
    Analysis,
    analyse,
    content_words,
    is_question,
    is_request,
)
from pairwright.core.language.en_references import references
from pairwright.core.language.entities import Token
from pairwright.core.language.lexicon import lexicon
from pairwright.core.records import Turn
from pairwright.judges.gates.signal import Signal

_COURTESY = lexicon("en", "courtesy")
_RELATIONAL = lexicon("en", "relational")
_UNIQUE = lexicon("en", "unique")
_OPENING = r"^\W*(?:(?:and|so|but|ok|okay|well|then|nice|yes|no|maybe|great|now|thanks)\W+)*"
_POINTING = re.compile(
    r"\b(?:the|these|those|its|any|all)\s+(?:first|second|third|fourth|fifth|last|next|former|latter|others?|two|three|four|same|rest|previous|"
    r"above|following|final)\b(?:\s+(?:ones?|two|three|options?|items?|persons?|categor(?:y|ies)|choices?|things?|types?|approach(?:es)?))?"
    r"|\b(?:both|neither|either)\b(?!\s+\w+\s+and)(?:\s+of)?|\byou(?:'ve|\s+have)?\s+(?:just\s+|also\s+|already\s+)?"
    r"(?:mentioned|said|suggested|listed|recommended|gave|told|described|named)\b"
    r"|\baforementioned\b|\bnumbers?\s+\d\b|\b(?:which|what)\s+ones?\b|\bthis\s+way\b|\bthe\s+\w+\s+thing\b",
    re.IGNORECASE,
)
_OTHER = re.compile(r"\b(?:others?(?!\s+than)|else|another|instead|additional|similar|alternatives?)\b", re.IGNORECASE)
_MORE = re.compile(
    r"\bmore\s*(?:[?.!]*$|\w+s\b(?!\s+than))|\b(?:tell|give|show)\s+me\s+more\b(?!\s+about)|\belaborate\b[?.!]*$|\bgo on\b|\bcontinue\b[?.!]*$",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    _OPENING
    + r"(?:what|how)\s+(?:about|of)\b|\b(?:what|how)\s+about\b|\bwhat\s+if\b|"
    + _OPENING
    + r"(?:in|on|for|at|with|from)\s\w",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"^\W*(?:(?:what|who|where)(?:'s|’s|\s+(?:is|are|was|were))\s+(?:an?\s+)?|(?:please\s+)?tell\s+me\s+(?:more\s+)?about\s+|(?:define|describe|explain)\s+)"
    r"(?!the\b|there\b|some\b|it\b|its\b|your\b|that\b|this\b|him\b|her\b|them\b|in\b|so\b|important\b|popular\b|common\b)(?P<what>(?:[\w'’-]+\s*){1,4})[?.!]*$",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"^\W*(?:(?:no|yes|ok|okay|sure|well|thanks?|please)\W+)*(?:i\s+)?(?:(?:do\s+not|don'?t|dont)\s+(?:really\s+)?(?:care|mind|have (?:a|any) preference)|no preference|"
    r"(?:it\s+)?does(?:n't| not) matter|any(?:thing)?(?:\s+(?:is|will be)\s+(?:ok|okay|fine))?|either|both|yes please|no)\b[\w\s,]{0,12}\W*$",
    re.IGNORECASE,
)
_CLOCK_OR_SKY = re.compile(
    r"\bwhat\s+(?:time|day|date)\s+is\s+it\b|\bit\s+(?:\w+\s+){0,3}?(?:rain|snow|hail)", re.IGNORECASE
)
_ACRONYM = re.compile(r"\b[A-Z]{2,5}s?\b")
_OWNING = frozenset({"of", "for", "between", "in", "to", "with", "on", "about", "from", "at", "by"})
# "the impact on health" lacks whose: of these nouns only "of" and "between" say it.
_TWO_SIDED = frozenset({"difference", "relationship", "impact", "effect", "influence", "similarity", "role"})


class _Query(NamedTuple):
    """A query beside its history: its parse, the text that matters in it, and where that stands."""

    text: str
    focus: str
    places: tuple[tuple[int, int], ...]
    asks: bool
    parse: Analysis
    history: str
    said: frozenset[str]
    told: frozenset[str]

    def matters(self, token: Token) -> bool:
        return any(start <= token.start < end for start, end in self.places)


# Some have no points in rules.py (context, fresh …): the classifier of benchmarks/gate_classifier.py learns from them.
def signals(query: str, history: Sequence[Turn]) -> Iterator[Signal]:
    """Every signal of the query; a name may come more than once."""
    seen = _read(query, history)
    if not seen.focus:
        yield Signal("courtesy", query)
    elif not seen.asks:
        yield Signal("statement", seen.focus)
    for reference in references(query):
        if reference.kind != "ellipsis" and not _CLOCK_OR_SKY.search(query):
            yield Signal("reference", reference.text)
    if (match := _POINTING.search(query)) and not _chosen_from(seen, match.start()):
        yield Signal("pointing", match.group().strip())
    if seen.asks and (context := _context(seen)):
        yield Signal("context", context)
    for name, pattern in (("other", _OTHER), ("more", _MORE), ("what_about", _ABOUT)):
        if match := pattern.search(seen.focus):
            yield Signal(name, match.group().strip())
    if match := _REPLY.search(query):
        yield Signal("reply", match.group().strip())
    yield from _shape(seen)
    yield from _comparisons(seen)
    yield from _phrases(seen)
    yield from _names(seen)


def _read(query: str, history: Sequence[Turn]) -> _Query:
    sentences = [(match.start(), match.end()) for match in SENTENCE.finditer(query) if match.group().strip()]
    asking = [place for place in sentences if _asks(query[slice(*place)])]
    telling = [place for place in sentences if not _courteous(query[slice(*place)])]
    places = asking or telling
    return _Query(
        text=query,
        focus=" ".join(query[slice(*place)].strip() for place in places),
        places=tuple(places),
        asks=bool(asking),
        parse=analyse(query),
        history="\n".join(turn.content for turn in history),
        said=frozenset(word for turn in history if turn.role == "user" for word in content_words(turn.content)),
        told=frozenset(word for turn in history if turn.role != "user" for word in content_words(turn.content)),
    )


def _chosen_from(seen: _Query, place: int) -> bool:
    """True when an earlier question of the same query names what is chosen from: "Which one is healthier?"."""
    before = [token for token in seen.parse.tokens if token.start < place and seen.matters(token)]
    first_question = next((end for start, end in seen.places if start <= place), 0)
    return place >= first_question and sum(map(_noun, before)) >= 2


def _context(seen: _Query) -> str:
    """What the query tells before it asks, where that names something."""
    asked = seen.places[0][0]
    told = [token for token in seen.parse.tokens if token.start < asked]
    return seen.text[:asked].strip() if sum(_noun(token) and token.lemma not in _COURTESY for token in told) else ""


def _asks(sentence: str) -> bool:
    return (is_question(sentence) or is_request(sentence)) and not _courteous(sentence)


def _courteous(sentence: str) -> bool:
    """True when a sentence has nothing but words of thanks, greeting and agreement."""
    words = re.findall(r"[a-z]+(?:['’][a-z]+)?", sentence.lower().replace("’", "'"))
    return (
        any(word in _COURTESY for word in words)
        and all(word in _COURTESY or word in FUNCTION_WORDS for word in words)
        # Function words, too, but with them a sentence asks for something or points at it.
        and not re.search(
            r"\b(?:what|which|who|how|why|where|when|more|it|its|they|their|them|he|she|him|his|her|one|ones|other|else)\b",
            " ".join(words),
        )
    )


def _shape(seen: _Query) -> Iterator[Signal]:
    tokens = [token for token in seen.parse.tokens if seen.matters(token) and any(map(str.isalnum, token.text))]
    if not tokens:
        return
    nouns = [token for token in tokens if _noun(token)]
    if not nouns:
        elsewhere = any(_noun(token) for token in seen.parse.tokens)
        yield Signal("no_noun_asked" if elsewhere else "no_noun", seen.focus)
    if seen.parse.parsed and not any(token.tag[:1] == "V" or token.tag == "MD" for token in tokens):
        yield Signal("no_verb", seen.focus)
    if len(tokens) <= 5 and not _context(seen):
        yield Signal("short3" if len(tokens) <= 3 else "short5", seen.focus)
    elif len(tokens) >= 10:
        yield Signal("long", seen.focus)
    if re.match(r"\W*(?:and|but|or|so|then|also)\b", seen.focus, re.IGNORECASE):
        yield Signal("conjunction", tokens[0].text)
    for noun in nouns:
        if noun.lemma not in _RELATIONAL:
            known = noun.lemma in seen.said
            yield Signal("overlap" if known else "overlap_answer" if noun.lemma in seen.told else "fresh", noun.text)
    match = _DEFINITION.search(seen.focus)
    if match and not any(word in _RELATIONAL for word in content_words(match["what"])):
        yield Signal("definitional", match["what"])


def _noun(token: Token) -> bool:
    return token.tag[:2] == "NN" and token.lemma not in GENERIC and token.lemma not in AT_HAND


def _comparisons(seen: _Query) -> Iterator[Signal]:
    """Comparatives without "than", superlatives without a noun."""
    tokens = seen.parse.tokens
    for index, token in enumerate(tokens):
        if not seen.matters(token):
            continue
        after = tokens[index + 1 : index + 4]
        compared = any(other.text.lower() == "than" for other in tokens[index:])
        if not compared and (
            (token.tag in {"JJR", "RBR"} and token.text.lower() not in {"more", "less", "longer", "better"})
            or (token.text.lower() in {"more", "less"} and after and after[0].tag[:2] == "JJ")
        ):
            yield Signal("comparative", token.text)
        if token.tag in {"JJS", "RBS"} and not any(other.tag[:1] == "N" for other in after):
            yield Signal("superlative", token.text)


def _phrases(seen: _Query) -> Iterator[Signal]:
    """Definite phrases first mentioned here, and nouns that belong to something unnamed."""
    tokens = seen.parse.tokens
    told = seen.asks and _context(seen)
    points = any(token.text.lower() in POINTERS for token in tokens if seen.matters(token))
    for start, end in _noun_phrases(seen.parse):
        head, inner = tokens[end - 1], tokens[start:end]
        matters = seen.matters(head)
        if not _noun(head) or head.tag[:3] == "NNP" or not (matters or points) or _owned(seen.parse, start, end):
            continue
        phrase = seen.text[inner[0].start : head.end]
        repeated = any(token.lemma == head.lemma for token in tokens[:start])
        if inner[0].text.lower() == "the" and head.lemma not in _UNIQUE and not repeated:
            yield Signal("definite", phrase)
        named = any(token.tag[:2] == "NN" and token.lemma not in _RELATIONAL for token in inner[:-1])
        if matters and head.lemma in _RELATIONAL and not named:
            yield Signal("unowned_told" if told else "unowned", phrase)


def _noun_phrases(parse: Analysis) -> Iterator[tuple[int, int]]:
    if parse.parsed:
        yield from parse.chunks
        return
    start: int | None = None
    for index, token in enumerate((*parse.tokens, Token("", 0, 0, "", ""))):
        opens = token.text.lower() in {"the", "a", "an", "some", "any", "its", "his", "her", "their"}
        if start is not None and parse.tokens[index - 1].tag[:2] == "NN" and token.tag[:2] != "NN":
            yield start, index
            start = None
        if opens or (token.tag[:2] == "NN" and start is None):
            start = index
        elif token.tag[:2] != "NN":
            start = None


def _owned(parse: Analysis, start: int, end: int) -> bool:
    """True when the phrase itself says whose or which: a name in it, a possessive, "of …" or a clause after it."""
    inner, head = parse.tokens[start:end], parse.tokens[end - 1]
    if any(token.tag in {"NNP", "NNPS", "POS", "PRP$"} for token in inner):
        return True
    owning = {"of", "between"} if head.lemma in _TWO_SIDED else _OWNING
    if not parse.parsed:
        return end < len(parse.tokens) and parse.tokens[end].text.lower() in owning
    return any(
        token.dep in {"relcl", "acl", "appos"} or (token.dep == "prep" and token.text.lower() in owning)
        for token in parse.tokens[end:]
        if token.head == end - 1
    )


def _names(seen: _Query) -> Iterator[Signal]:
    """Names in the query: known to the dialogue or new, whole or only part of a longer one, or short for something."""
    for run in _runs(seen.parse, seen):
        yield Signal("name", run)
        if not re.search(rf"\b{re.escape(run)}\b", seen.history, re.IGNORECASE):
            continue
        # First out of the history with the longer names that have it in them: BMW X1 does not make X1 known.
        longer = rf"(?:[A-Z][\w’'-]*\s+{re.escape(run)}\b|\b{re.escape(run)}\s+(?:[A-Z]|\d)[\w’'-]*)"
        whole = re.search(rf"(?<![A-Z]\w\s)\b{re.escape(run)}\b(?!\s+[A-Z\d])", re.sub(longer, "", seen.history))
        yield Signal("name_known" if whole else "name_part", run)
    for match in _ACRONYM.finditer(seen.focus):
        if _spelled_out(match.group().rstrip("s"), seen.history):
            yield Signal("acronym", match.group())


def _runs(parse: Analysis, seen: _Query) -> Iterator[str]:
    start: int | None = None
    for index, token in enumerate((*parse.tokens, Token("", 0, 0, "", ""))):
        proper = token.tag in {"NNP", "NNPS"} and seen.matters(token) and token.text.lower() not in FUNCTION_WORDS
        if proper and start is None:
            start = index
        elif not proper and start is not None:
            yield seen.text[parse.tokens[start].start : parse.tokens[index - 1].end]
            start = None


def _spelled_out(acronym: str, text: str) -> bool:
    """True when words of the text that follow each other start with the letters of the acronym."""
    initials = "".join(word[0] for word in re.findall(r"[A-Za-z]+", re.sub(r"['’]s\b", "", text))).upper()
    return acronym in initials
