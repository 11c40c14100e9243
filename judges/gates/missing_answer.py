"""Does what a query lacks stand in an answer of the assistant that the history does not have?

Asked only of a query that needs a rewrite, and only where a user turn has no answer after it. The user's own turns are
then all there is: the signals say whether they can hold what the query points at, or whether it can only be something
that an answer brought up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from pairwright.core.language.entities import Mention
from pairwright.core.language.text_analysis import content_words, mentions, references
from pairwright.core.language.zh import GENERIC_NOUNS
from pairwright.core.records import Case, Language, Turn
from pairwright.judges.gates.signal import Signal
from pairwright.judges.gates.signals import signals

# Set on the half of the gold rows that the figures of docs/gate.md leave out.
MISSING_POINTS: Mapping[Language, Mapping[str, float]] = {
    "en": {
        "list": 1.0,
        "nobody_named": 1.0,
        "asked_for": 1.0,
        "sought": 1.5,
        "reply": 1.5,
        "known_noun": -1.0,
    },
    "zh": {
        "list": 2.0,
        "open_request": 2.0,
        "nothing_named": 1.0,
        "named_last": -2.0,
    },
}
"""Points of each signal. What sums up to more than 0 depends on an answer that is missing."""

_LISTED = {
    "en": re.compile(
        r"\b(?:the|these|those)\s+(?:\w+\s+)?(?:first|second|third|fourth|fifth|former|latter|two|three|four)\b|\bboth of\b|\baforementioned\b|\bwhich ones?\b"
        r"|\byou(?:'ve|\s+have)?\s+(?:\w+\s+)?(?:mentioned|said|suggested|listed|recommended|gave|told|described|named)\b|\bnumbers?\s+\d\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"第[一二三四五六七八九十\d]|这些|那些|这[几两三]|那[几两三]|两[个家者部首位]|你(?:刚)?(?:说|推荐|提到?|介绍)|前者|后者|其中[他它她]们"
    ),
}
_OPEN = {
    "en": re.compile(
        r"\b(?:suggest|recommend(?:ations?)?|suggestions|ideas|options|find me|help me (?:with|find|choose)|what\s+(?:was|is)\s+the\s+name)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"推荐|介绍|找[一个家到]|想找|给我[找来]|有[什啥]么?|有啥|哪些|哪[一个家部首里儿]|谁|什么(?:歌|电影|书|景点|酒店|餐馆|地方|好)|有没有|有(?:合适|好)|去(?:一?[个家])"
    ),
}
_KINDS = {
    "hotel": ("酒店", "宾馆", "旅馆"),
    "restaurant": ("餐馆", "餐厅", "饭馆", "饭店", "馆子", "好吃"),
    "sight": ("景点", "景区", "好玩", "游玩"),
    "film": ("电影", "影片", "片子"),
    "song": ("歌", "专辑", "曲"),
    "book": ("书", "小说"),
    "person": ("他", "她", "谁", "演员", "歌手"),
}
_AROUND = re.compile(r"(?:周边|附近|周围|就近|旁边)(?:都|还|的|可|能|没|里)*有")
_MEANT = re.compile(
    r"[这那该][几两些]?[家个部首本位]?[\u4e00-\u9fff]{0,3}|(?:^|[，,。！!；;])[\u4e00-\u9fff]{2}(?=的|周|附|地|电|门|价|要|有)|[他她]"
)
_SOUGHT = re.compile(
    r"\b(?:looking for|want|need|(?:would|'d) like|find|prefer|is there|are there|suggest|recommend|serv(?:es?|ing))\b[^.?!]*\b(?:an?|some|any)\s+\w+",
    re.IGNORECASE,
)
_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers)\b", re.IGNORECASE)
_LEANING = frozenset({"reference", "definite", "unowned"})


def unanswered(history: Sequence[Turn]) -> bool:
    """True when some user turn is followed by the next one without an answer between them."""
    roles = [turn.role for turn in history] + ["user"]
    return any(first == second == "user" for first, second in pairwise(roles))


def missing_signals(case: Case) -> Iterator[Signal]:
    """What speaks for and against the user's own turns, which alone are looked at."""
    said = [turn.content for turn in case.history if turn.role == "user"]
    named = [[one for one in mentions(text, case.language) if _names(one, case.language)] for text in said]
    if match := _LISTED[case.language].search(case.query):
        yield Signal("list", match.group())
    if not any(named):
        yield Signal("nothing_named", " / ".join(said[-2:]))
    last = _last_word(case, said, named)
    if last is not None:
        yield last
    if case.language == "en":
        yield from _english(case, said, named)


def _names(mention: Mention, language: Language) -> bool:
    return mention.kind == "entity" and (language == "en" or mention.text not in GENERIC_NOUNS)


def _last_word(case: Case, said: Sequence[str], named: Sequence[Sequence[Mention]]) -> Signal | None:
    """The newest user turn that brings something new: a name, or a request that only an answer can fill."""
    meant = frozenset(kind for match in _MEANT.finditer(case.query) for kind in _kinds(match.group()))
    for text, names in zip(reversed(said), reversed(named), strict=True):
        match = _OPEN[case.language].search(text)
        asks = match and case.language == "zh" and not _of_another_kind(meant, text[match.start() :])
        if asks and match and not (names and _AROUND.search(text)):
            return Signal("open_request", match.group())
        if names:
            return Signal("named_last", names[-1].text)
    return None


def _of_another_kind(meant: frozenset[str], asked: str) -> bool:
    """True for 这家酒店 after 周边有哪些餐馆: what is meant is not what was asked for."""
    # Where one of the two names no kind of thing, nothing speaks against it.
    wanted = _kinds(asked)
    return bool(meant and wanted and not meant & wanted)


def _kinds(text: str) -> frozenset[str]:
    return frozenset(kind for kind, words in _KINDS.items() if any(word in text for word in words))


def _english(case: Case, said: Sequence[str], named: Sequence[Sequence[Mention]]) -> Iterator[Signal]:
    person = _PERSON.search(case.query)
    if person and not any(named):
        yield Signal("nobody_named", person.group())
    if said and references(case.query, "en") and (match := _OPEN["en"].search(said[-1])) and not named[-1]:
        yield Signal("asked_for", match.group())
    leaning = {signal.name: signal for signal in signals(case.query, case.history, "en")}
    if "reply" in leaning:
        yield leaning["reply"]
    whole = [name for names in named for name in names if not name.text.islower() and not _describes(name.text)]
    if (
        not whole
        and _LEANING & leaning.keys()
        and (match := next(filter(None, map(_SOUGHT.search, reversed(said))), None))
    ):
        yield Signal("sought", match.group())
    known = {word for text in said for word in content_words(text, "en")}
    noun = next((word for word in content_words(case.query, "en") if word in known), None)
    if noun is not None:
        yield Signal("known_noun", noun)


def _describes(name: str) -> bool:
    """True for Italian, Chinese: a name that is an adjective."""
    return bool(re.fullmatch(r"\w+(?:ian|ean|an|ese|ish|ch|i)", name))


def missing_points(found: Sequence[Signal], language: Language) -> float:
    """The sum over the signals."""
    return sum(MISSING_POINTS[language].get(signal.name, 0.0) for signal in found)


def missing_answer(case: Case) -> str | None:
    """Why the user's own turns cannot hold what the query lacks, or None where they may."""
    if not unanswered(case.history):
        return None
    found = list(missing_signals(case))
    if missing_points(found, case.language) <= 0:
        return None
    reasons = [
        f"{signal.name} {signal.evidence[:40]!r}"
        for signal in found
        if MISSING_POINTS[case.language].get(signal.name, 0) > 0
    ]
    return f"its answer is missing: {', '.join(reasons)}"
