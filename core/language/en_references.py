"""English references: pronouns, demonstratives and marks of ellipsis, and what resolves them within a text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pairwright.core.language.en import (
    AT_HAND,
    GENERIC,
    POINTERS,
    REMEMBERED,
    SENTENCE,
    Analysis,
    analyse,
    is_question,
    is_request,
)
from pairwright.core.language.entities import Reference
from pairwright.core.language.lexicon import lexicon
from pairwright.core.memo import memoised

_CLAUSE_DEPS = frozenset({"ROOT", "ccomp", "advcl", "relcl", "acl", "conj", "xcomp", "pcomp", "csubj", "parataxis"})
_BE = frozenset({"is", "are", "was", "were", "be", "been", "being", "'s", "any"})
# "That's it", "make it to …", and comments at the start of a text, up to the next comma or stop: they ask nothing.
_IDIOM = re.compile(
    r"\b(?:that|this)(?:\s?'s|\s+is|\s+was|\s+does|\s+did|\s+will\s+do|\s+should\s+do)\s+it\b|\bma[dk]e\s+it\s+(?:to|into|in|on|through|past)\b"
    r"|^\W*(?:(?:yes|no|ok|okay|well|oh|great|thanks|thank you)\W+)*(?:that|this|it|those|these|they)(?:\s?'s|\s?'ll|\s+(?:all\s+|both\s+)?"
    r"(?:sounds?|is|are|was|were|will|would|makes?|seems?|looks?|does|do))\s[^,.?!]*[,.!]",
    re.IGNORECASE,
)
_ELLIPSIS = re.compile(
    r"^\W*(?:(?:and|so|but|ok|okay|well|then)\W+)?((?:what|how)\s+about|what\s+else|any\s?(?:thing)?\s+else)\b",
    re.IGNORECASE,
)
_COMMENT = lexicon("en", "comment")
_WEATHER = lexicon("en", "weather")
_RAISING = lexicon("en", "raising")


@memoised(REMEMBERED)
def references(text: str) -> tuple[Reference, ...]:
    """Pronouns, demonstratives, bare 'one(s)' and 'what about' that nothing earlier in the text resolves.

    Where a sentence asks something, only such sentences count: what stands in "That sounds great!" beside them asks
    nothing. In a text that only states, demonstratives are comments ("That is all.") and do not count.
    """
    parse = analyse(text)
    sentences = [(match.start(), match.end()) for match in SENTENCE.finditer(text)]
    asking = [(start, end) for start, end in sentences if _asks(text[start:end])]
    found = []
    for index, token in enumerate(parse.tokens):
        if not asking or any(start <= token.start < end for start, end in asking):
            found += [one for one in _reference_at(parse, index) if asking or one.kind == "pronoun"]
    found = [
        one for one in found if not any(idiom.start() <= one.start < idiom.end() for idiom in _IDIOM.finditer(text))
    ]
    ellipsis = _ELLIPSIS.search(text)
    if ellipsis:
        found.append(Reference(ellipsis.group(1), ellipsis.start(1), ellipsis.end(1), "ellipsis"))
    return tuple(sorted(found, key=lambda reference: reference.start))


def _asks(sentence: str) -> bool:
    """True for a question or a request."""
    return is_question(sentence) or is_request(sentence)


def _reference_at(parse: Analysis, index: int) -> Iterator[Reference]:
    token = parse.tokens[index]
    lower = token.text.lower()
    if lower in POINTERS:
        # Part of a compound with a hyphen, which is a name or a noun.
        named = any(parse.tokens[near].text == "-" for near in (index - 1, index + 1) if 0 <= near < len(parse.tokens))
        if not named and not (lower == "it" and _expletive(parse, index)) and not _bound(parse, index):
            yield Reference(token.text, token.start, token.end, "pronoun")
    elif lower in {"this", "that", "these", "those"}:
        if _points(parse, index):
            yield Reference(token.text, token.start, token.end, "demonstrative")
    elif lower == "there" and token.tag != "EX" and not _beside(parse, index, _BE):
        yield Reference(token.text, token.start, token.end, "demonstrative")
    elif lower in {"one", "ones"} and _pronominal_one(parse, index):
        yield Reference(token.text, token.start, token.end, "pronoun")


def _beside(parse: Analysis, index: int, neighbours: frozenset[str]) -> bool:
    return any(
        parse.tokens[near].text.lower() in neighbours
        for near in (index - 1, index + 1)
        if 0 <= near < len(parse.tokens)
    )


def _expletive(parse: Analysis, index: int) -> bool:
    """Weather, and 'it' that only holds the place of a later clause: how long does it take to …"""
    token = parse.tokens[index]
    if token.dep == "expl" or not parse.parsed:
        return token.dep == "expl"
    verb = parse.tokens[token.head]
    if verb.lemma in _WEATHER:
        return True
    complement = {child.lemma for child in parse.tokens if child.head == token.head}
    later_clause = any(
        other.head == token.head and other.dep in {"xcomp", "ccomp", "advcl", "csubj", "relcl"} and position > index
        for position, other in enumerate(parse.tokens)
    )
    to_later = any(other.tag == "TO" and position > index + 1 for position, other in enumerate(parse.tokens))
    return (
        token.dep in {"nsubj", "nsubjpass"}
        and bool(({verb.lemma} | complement) & _RAISING)
        and (later_clause or to_later)
    )


def _points(parse: Analysis, index: int) -> bool:
    """True for 'this', 'that' … that stand for something or pick it out; false for conjunctions and relatives."""
    token = parse.tokens[index]
    if token.tag in {"WDT", "IN"} or token.dep in {"mark", "advmod"}:
        return False
    following = parse.tokens[index + 1] if index + 1 < len(parse.tokens) else None
    if following is not None and following.lemma in AT_HAND:
        return False
    # "that of Spain", "those who stay": what follows says which.
    restricted = {"who", "of", "which", "that", "with", "in", "from"}
    if token.text.lower() in {"that", "those"} and following is not None and following.text.lower() in restricted:
        return False
    return not _bound(parse, index)


def _pronominal_one(parse: Analysis, index: int) -> bool:
    """True for 'one' as a stand-in ("the cheaper one") that no earlier noun and no 'of …' fills."""
    token = parse.tokens[index]
    following = parse.tokens[index + 1].text.lower() if index + 1 < len(parse.tokens) else ""
    if following in {"of", "'s", "in", "from", "with", "that", "who", "which"}:
        return False
    if any(other.tag[:2] == "NN" and other.lemma not in GENERIC for other in parse.tokens[:index]):
        return False
    if token.text.lower() == "ones":
        return True
    previous = parse.tokens[index - 1] if index else None
    return previous is not None and (
        previous.tag[:2] == "JJ" or previous.text.lower() in {"the", "this", "that", "other", "another", "last", "next"}
    )


def _bound(parse: Analysis, index: int) -> bool:
    """True when a thing named earlier in the text can be what the word points at.

    A possessive takes any earlier name or noun; another pronoun takes one of an earlier clause only, because the
    object of a verb is not its subject ("What do scientists say about it?" stays open).
    """
    token = parse.tokens[index]
    plural = token.text.lower() in {"they", "them", "their", "theirs", "these", "those", "themselves"}
    possessive = token.tag == "PRP$" or token.text.lower().endswith(("self", "selves"))
    clause = _clause(parse, index)
    distributed = False
    for earlier, other in enumerate(parse.tokens[:index]):
        distributed = distributed or other.text.lower() in {"each", "every", "all", "any"}
        if other.tag not in {"NN", "NNS", "NNP", "NNPS"} or other.lemma in GENERIC or other.lemma in _COMMENT:
            continue
        # Whether a name is one person or several is not seen. "Each student … their", "A and B … they" agree as well.
        agrees = other.tag in {"NNP", "NNPS"} or (other.tag == "NNS") == plural
        if not agrees and not (plural and (distributed or other.dep == "conj")):
            continue
        if possessive or not parse.parsed:
            return True
        if _clause(parse, earlier) != clause and not _describes(parse, clause, earlier):
            return True
    return False


def _describes(parse: Analysis, clause: int, noun: int) -> bool:
    """True when the clause is a relative one that describes the noun: foods that are good for it."""
    if parse.tokens[clause].dep not in {"relcl", "acl"}:
        return False
    described = parse.tokens[clause].head
    while noun != described and parse.tokens[noun].dep in {"pobj", "prep", "compound", "conj", "amod"}:
        noun = parse.tokens[noun].head
    return noun == described or parse.tokens[described].head == noun


def _clause(parse: Analysis, index: int) -> int:
    """Index of the verb (or other root) of the clause that the token stands in."""
    while parse.tokens[index].dep not in _CLAUSE_DEPS and parse.tokens[index].head not in (index, -1):
        index = parse.tokens[index].head
    if parse.tokens[index].dep == "conj" and parse.tokens[index].tag[:1] == "N":
        head = parse.tokens[index].head
        return head if head == index else _clause(parse, head)
    return index
