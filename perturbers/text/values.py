"""Values that an answer states, by their form: prices, phone numbers, times, dates, ratings, addresses, names of a kind.

:func:`values` finds them, :func:`near` gives a value of the same form that is not far off.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from pairwright.core.records import Language
from pairwright.perturbers.text import english, phrase_banks

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


class Value(NamedTuple):
    """``text[start:end]`` of one kind; two values of a kind can stand in each other's place."""

    kind: str
    text: str
    start: int
    end: int


def figures(text: str) -> frozenset[str]:
    """The numbers of a text in digits, without thousands' commas and trailing zeros: 1,500.0 → 1500."""
    found = set()
    for match in _FIGURE.finditer(unicodedata.normalize("NFKC", text)):
        plain = re.sub(r",(?=\d{3}\b)", "", match.group())
        found.add(plain.rstrip("0").rstrip(".") if re.fullmatch(r"\d+\.\d+", plain) else plain)
    return frozenset(found)


_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
_RANGE_ZH = rf"{_NUMBER}(?:\s?[-~－—–至到]\s?{_NUMBER})?"
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
# The first form that matches at a place counts. Those of kind "" are no values, and come first so that nothing inside
# of them (a model's name, a title, an address of the web) is taken for one.
_PATTERNS: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "zh": (
        ("", r"https?://[\w./?=&%-]+|[\w.]+@[\w.]+|《[^》]*》|[A-Za-z]+[-·]?\d\w*|\d+[A-Za-z]\w*|7天(?:连锁|优品|酒店)|24小时(?=热水|服务|营业|开放)"),
        ("phone", r"(?<![\d.])(?:400[- ]?\d{3}[- ]?\d{4}|0\d{2,3}-\d{7,8}(?:-\d+)?|1[3-9]\d{9}|[2-8]\d{7})(?![\d.])"),
        ("address", r"(?<=地址是在)[^，。；！？、\s]{5,40}(?=[，。；！？\s]|$)|(?<=地址在|地址是|地址：|位于在)(?!在)[^，。；！？、\s]{5,40}(?=[，。；！？\s]|$)|(?<=位于)[^，。；！？、\s]{5,40}?(?=[，。；！？]|$)"),
        ("time", r"\d{1,2}[:：]\d{2}(?:\s?[-~－—–至到]\s?(?:次日)?\d{1,2}[:：]\d{2})?"),
        ("date", r"\d{4}-\d{2}-\d{2}|\d{4}年\d{1,2}月(?:\d{1,2}[日号])?|\d{1,2}月\d{1,2}[日号]|(?<!\d)(?:1[0-9]|20)\d{2}年"),
        ("price", rf"{_RANGE_ZH}\s?(?:元|块钱|块|万元|美元)"),
        ("rating", r"(?<![\d.])(?:10|\d)(?:\.\d)?分(?![钟之店公校\d])"),
        ("percent", rf"{_NUMBER}\s?[%％]"),
        ("duration", rf"\d+分\d+秒|{_NUMBER}\s?(?:小时|分钟|天)(?:\s?[-~－—–至到]\s?{_NUMBER}\s?(?:小时|分钟|天))?"),
        ("distance", rf"{_NUMBER}\s?(?:平方米|平方公里|公里|千米|厘米|米|公斤|千克|毫克|毫升|克|斤)"),
        ("count", r"(?<![\d.第])\d{1,4}(?=[个家首位部层间张名岁道种次座口集届])"),
    ),
    "en": (
        ("", r"https?://\S+|[\w.]+@[\w.]+|\b[A-Za-z]+-?\d\w*|\b\d+[A-Za-z]{3,}\w*"),
        ("phone", r"(?<![\d.])\+?\d{5} \d{6}(?!\d)|(?<![\d.])(?:\+\d{1,2} )?\(?\d{3,4}\)?[- ]\d{3}[- ]?\d{3,4}(?!\d)"),
        ("postcode", r"\b[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}\b|\bC\.? ?B\.? ?\d,? ?\d ?[A-Z]\.? ?[A-Z]\b"),
        ("address", r"\b\d{1,4}(?: - \d{1,4})? [A-Z]\w+(?: [A-Z]\w+){0,3} (?:Road|Street|Lane|Avenue|Square|Parade|Drive|Way|road|street|avenue)\b"),
        ("time", r"\b\d{1,2}:\d{2}(?: ?[ap]\.?m\.?)?(?: ?[-–] ?\d{1,2}:\d{2}(?: ?[ap]\.?m\.?)?)?|\b\d{1,2} ?[ap]\.?m\b\.?"),
        ("date", rf"\b(?:{_MONTHS}) \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|\b\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})(?: \d{{4}})?|\b\d{{4}}-\d{{2}}-\d{{2}}\b"),
        ("year", r"(?<![\d.,$£€])\b(?:1[5-9]|20)\d{2}\b(?![.,]\d|%| (?:dollars|people|km|steps|calories))"),
        ("price", rf"[$£€]\s?{_NUMBER}(?:\s?[-–]\s?[$£€]?{_NUMBER})?|\b{_NUMBER} (?:dollars|pounds|euros|USD|GBP|EUR)\b"),
        ("percent", rf"\b{_NUMBER}(?:\s?[-–]\s?{_NUMBER})?\s?(?:%|percent\b|per cent\b)"),
        ("rating", r"\b(?:10|\d)(?:\.\d)?(?= stars?\b| out of (?:5|10)\b|/(?:5|10)\b)"),
        ("duration", rf"\b{_NUMBER}(?:\s?(?:[-–]|to)\s?{_NUMBER})?[ -](?:hours?|minutes?|days?|weeks?|months?|years?|seconds?)\b"),
        ("measure", rf"\b{_NUMBER}(?:\s?(?:[-–]|to)\s?{_NUMBER})?\s?(?:km|kg|mg|g|ml|miles?|meters?|metres?|calories|pounds|lbs|grams?|ounces|liters?|litres?|cups?|GB|MB|mph)\b"),
    ),
}  # fmt: skip


@cache
def _pattern(language: Language) -> re.Pattern[str]:
    # Numbered, because a group's name must not come twice; lastgroup tells which form it was.
    forms = [f"(?P<k{at}_{kind}>{form})" for at, (kind, form) in enumerate(_PATTERNS[language])]
    words = [
        f"(?P<w_{at}>{_one_of(phrase.text, language)})"
        for at, phrase in enumerate(phrase_banks.phrases(language, "slot_words"))
    ]
    return re.compile("|".join((*forms, *words)))


def _one_of(line: str, language: Language) -> str:
    words = "|".join(re.escape(word) for word in sorted(choices(line), key=len, reverse=True))
    return rf"\b(?:{words})\b" if language == "en" else f"(?:{words})"


def choices(line: str) -> tuple[str, ...]:
    """The words of one list of the bank: they are parted by bars."""
    return tuple(word.strip() for word in line.split("|"))


@lru_cache(maxsize=512)
def values(text: str, language: Language) -> tuple[Value, ...]:
    """The values in order, without overlaps. Lists of the bank (weekdays, price ranges, kitchens …) are kinds too."""
    found = []
    lists = phrase_banks.phrases(language, "slot_words")
    for match in _pattern(language).finditer(text):
        group = str(match.lastgroup)
        kind = lists[int(group[2:])].slug if group.startswith("w_") else group.partition("_")[2]
        if kind and not (kind in ("city", "country") and _in_a_name(text, match)):
            found.append(Value(kind, match.group(), match.start(), match.end()))
    return tuple(found)


@cache
def _places() -> frozenset[str]:
    return frozenset(
        word
        for line in phrase_banks.phrases("en", "slot_words")
        if line.slug in ("city", "country")
        for word in choices(line.text)
    )


def _in_a_name(text: str, match: re.Match[str]) -> bool:
    """Whether a place belongs to a longer name, or to a list of other things: Berlin Wall; Pistachio, Brazil and Macadamia."""
    beside = (
        re.search(r"([A-Z]\w+),? (?:and |or )?$", text[: match.start()]),
        re.match(r",? (?:and |or )?([A-Z]\w+)", text[match.end() :]),
    )
    if all(one and one.group(1) not in _places() for one in beside):
        return True
    before = re.search(r"\b([A-Z][\w'’-]*)(?: of)? $", text[: match.start()])
    led = before is not None and before.group(1).lower() not in english.PREPOSITIONS | english.CONJUNCTIONS
    return led or bool(re.match(r" [A-Z]", text[match.end() :]))


def near(value: Value, language: Language, rng: random.Random) -> str:
    """Another value of the same form, not far off; empty for kinds that have no neighbours (addresses)."""
    for phrase in phrase_banks.phrases(language, "slot_words"):
        if phrase.slug == value.kind:
            return rng.choice([word for word in choices(phrase.text) if word != value.text])
    change = _CHANGES.get(value.kind)
    text = change(value.text, rng) if change else ""
    return text if figures(text) != figures(value.text) else ""


def _scaled(text: str, rng: random.Random) -> str:
    """All numbers by one factor, each in its own number of digits: 100-150元 → 140-210元."""
    factor = rng.choice((0.5, 0.6, 0.7, 0.8, 1.25, 1.3, 1.4, 1.5, 1.6))
    return re.sub(r"\d+(?:,\d{3})*(?:\.\d+)?", lambda match: _times(match.group(), factor), text)


def _shared(text: str, rng: random.Random) -> str:
    """As ``_scaled``, and no more than the whole unless it was more."""
    shifted = _scaled(text, rng)
    most = max((float(one) for one in figures(text)), default=0.0)
    if most <= 100 and any(float(one) > 100 for one in figures(shifted)):
        return re.sub(r"\d+(?:\.\d+)?", lambda match: _times(match.group(), 0.8), text)
    return shifted


def _times(number: str, factor: float) -> str:
    plain = number.replace(",", "")
    places = len(plain.partition(".")[2])
    new = float(plain) * factor
    # A round number stays as round: 300 becomes 210 and not 213.
    step = 10 ** (len(plain) - len(plain.rstrip("0"))) if plain.endswith("0") and not places else 1
    while step > 1 and round(new / step) * step in (0, int(plain)):
        step //= 10
    if not places:
        new = round(new / step) * step
        new += new == int(plain)
    return f"{max(new, 10**-places):{',' if ',' in number else ''}.{places}f}"


def _rated(text: str, rng: random.Random) -> str:
    number = float(re.sub(r"[^\d.]", "", text))
    # Of five or of ten: the smaller scale that the number can be on.
    steps = [step for step in (-0.9, -0.6, -0.4, -0.3, 0.2, 0.3) if 1 <= number + step <= (5 if number <= 5 else 10)]
    new = number + rng.choice(steps or [0.5])
    return re.sub(r"\d+(?:\.\d+)?", f"{new:.1f}", text, count=1)


def _dialled(text: str, rng: random.Random) -> str:
    """Two neighbouring digits change places, or one digit differs: how numbers are really got wrong."""
    places = [at for at, char in enumerate(text) if char.isdigit()][4:]
    pairs = [at for at in places[:-1] if text[at + 1].isdigit() and text[at] != text[at + 1]]
    if pairs and rng.random() < 0.6:
        at = rng.choice(pairs)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if not places:
        return ""
    at = rng.choice(places)
    return text[:at] + rng.choice([digit for digit in "0123456789" if digit != text[at]]) + text[at + 1 :]


def _clocked(text: str, rng: random.Random) -> str:
    """One end of an opening time, or the time itself, by half an hour to two hours."""
    clocks = list(re.finditer(r"(\d{1,2})([:：]\d{2})?", text))
    clock = rng.choice(clocks)
    hour = int(clock.group(1))
    twelve = re.search(r"[ap]\.?m", text) is not None
    hours = [hour + step for step in (-2, -1, 1, 2) if 1 <= hour + step <= (12 if twelve else 23)]
    others = {int(other.group(1)) for other in clocks if other is not clock}
    fresh = [one for one in hours if one not in others] or hours
    if not fresh:
        return ""
    new = rng.choice(fresh)
    width = len(clock.group(1)) if clock.group(1).startswith("0") else 1
    return text[: clock.start()] + f"{new:0{width}d}" + (clock.group(2) or "") + text[clock.end() :]


def _dated(text: str, rng: random.Random) -> str:
    """The year by up to nine, else the day or the month."""
    year = re.search(r"(?<!\d)\d{4}(?!\d)", text)
    if year and (rng.random() < 0.7 or year.group() == text.strip("年")):
        new = int(year.group()) + rng.choice((-9, -6, -4, -3, -2, -1, 1, 2, 3))
        return text[: year.start()] + str(new) + text[year.end() :]
    days = list(re.finditer(r"(?<!\d)\d{1,2}(?!\d)", text))
    if not days:
        return ""
    day = days[-1]
    # A month, or a day that every month has.
    top = 12 if text[day.end() : day.end() + 1] == "月" else 28
    width = len(day.group()) if day.group().startswith("0") else 1
    new = rng.choice([number for number in range(1, top + 1) if abs(number - int(day.group())) in (1, 2, 3, 5)] or [1])
    return text[: day.start()] + f"{new:0{width}d}" + _ordinal(text[day.end() :], new)


def _ordinal(rest: str, day: int) -> str:
    if not re.match(r"st|nd|rd|th", rest):
        return rest
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return ending + rest[2:]


def _counted(text: str, rng: random.Random) -> str:
    number = int(text)
    return str(rng.choice([one for one in (number - 2, number - 1, number + 1, number + 2, number + 3) if one > 1]))


def _lettered(text: str, rng: random.Random) -> str:
    """A postcode with another letter at its end."""
    at = max((place for place, char in enumerate(text) if char.isalpha()), default=-1)
    # The letters that a British postcode may end in.
    letters = [letter for letter in "ABDEFGHJLNPQRSTUWXYZ" if at >= 0 and letter != text[at]]
    return text[:at] + rng.choice(letters) + text[at + 1 :] if letters else ""


def _addressed(text: str, rng: random.Random) -> str:
    """Another number in the same street."""
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return ""
    number = rng.choice(numbers)
    old = int(number.group())
    new = rng.choice([one for one in (old - 12, old - 6, old - 2, old + 2, old + 4, old + 10, old + 20) if one > 0])
    return text[: number.start()] + str(new) + text[number.end() :]


_CHANGES = {
    "address": _addressed,
    "price": _scaled,
    "percent": _shared,
    "duration": _scaled,
    "distance": _scaled,
    "measure": _scaled,
    "rating": _rated,
    "phone": _dialled,
    "time": _clocked,
    "date": _dated,
    "year": _dated,
    "count": _counted,
    "postcode": _lettered,
}


def others(value: Value, texts: tuple[str, ...], language: Language) -> Iterator[str]:
    """Values of the same kind in other texts, the last text first, that are not this one in another form."""
    seen = {_plain(value.text)}
    for text in reversed(texts):
        for other in values(text, language):
            alike = value.kind not in _FORMED or _form(other.text) == _form(value.text)
            if other.kind == value.kind and alike and _plain(other.text) not in seen:
                seen.add(_plain(other.text))
                yield other.text


_FORMED = ("date", "duration")


def _form(text: str) -> str:
    """2026-04-15 and April 15th may be the same day, 24 hours are no stay of 1 to 2: these keep their form."""
    return re.sub(r"[A-Z][a-z]+", "M", re.sub(r"\d+(?:\.\d+)?(?:st|nd|rd|th)?", "0", text))


def _plain(text: str) -> str:
    return re.sub(r"[\s,]", "", unicodedata.normalize("NFKC", text)).casefold()
