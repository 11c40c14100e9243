"""Where a rewrite says more than its query, and which entities it brought back from the dialogue.

The two texts are aligned: English by words, Chinese by characters. Each place where they differ is a
:class:`TextChange`; the noun phrases inside it that the dialogue knows are the :class:`Entity` values that matter.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from pairwright.core.records import Case, Language
from pairwright.perturbers.text import chinese, english

LONGEST = 1000  # characters of query or rewrite; longer texts are left alone
_BRIDGE = 8  # characters between two changes that may still be one name
_ZH_UNIT = re.compile(
    r"其他|其它|吉他|[这那该此](?:[一两二三几]?[个家部首张位座本款些]|些个?)?(?:酒店|餐馆|饭店|餐厅|饭馆|景点|地方|电影|影片|片子|歌曲|歌|专辑|乐队|人|书|公司|大学|学校)"
    r"|[这那该此][一两二三几]?[个家部首张位座本款些]|[它他她][家们]?|[这那]里|此处|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class TextChange:
    """``chosen[start:end]`` stands where the query says ``replaced`` (empty for something added)."""

    start: int
    end: int
    text: str
    replaced: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A noun phrase of the rewrite that the query does not have.

    ``start:end`` covers the core, without its determiner; ``added_start:added_end`` is the part of it that is new.
    ``mentions`` counts how often the dialogue says it.
    """

    start: int
    end: int
    text: str
    added_start: int
    added_end: int
    change: TextChange
    mentions: int

    @property
    def added(self) -> str:
        return self.text[self.added_start - self.start : self.added_end - self.start]


def dialogue_text(case: Case) -> str:
    """All turns of the history, newest last, one per line."""
    return "\n".join(turn.content for turn in case.history)


def changes(query: str, chosen: str, language: Language) -> tuple[TextChange, ...]:
    """The places where ``chosen`` differs from ``query``, in order."""
    left, right = _units(query, language), _units(chosen, language)
    codes = SequenceMatcher(
        None, [unit.lower for unit in left], [unit.lower for unit in right], autojunk=False
    ).get_opcodes()
    found: list[TextChange] = []
    for tag, i1, i2, j1, j2 in codes:
        if tag in ("equal", "delete"):
            continue
        start, end = right[j1].start, right[j2 - 1].end
        replaced = query[left[i1].start : left[i2 - 1].end] if i2 > i1 else ""
        found.append(TextChange(start, end, chosen[start:end], replaced))
    return tuple(found)


def restored_entities(case: Case, chosen: str) -> tuple[Entity, ...]:
    """The entities that the rewrite brought back from the dialogue, most important first; none for over-long texts."""
    return find_restored(case.query, chosen, dialogue_text(case), case.language)


@lru_cache(maxsize=1024)
def find_restored(query: str, rewrite: str, history: str, language: Language) -> tuple[Entity, ...]:
    """:func:`restored_entities` of bare texts; ``history`` has one turn per line."""
    if not history or max(len(rewrite), len(query)) > LONGEST or rewrite == query:
        return ()
    found = (
        _chinese_entities(query, rewrite, history) if language == "zh" else _english_entities(query, rewrite, history)
    )
    return tuple(sorted(found, key=lambda item: (-_importance(item), item.start)))


def _importance(entity: Entity) -> float:
    named = any(char.isupper() for char in entity.text) or "《" in entity.text
    # Length and mentions count less the more there is of them, so that neither decides alone.
    return math.sqrt(len(entity.text)) + 2 * min(entity.mentions, 3) + 2 * named


def _units(text: str, language: Language) -> Sequence[english.EnglishToken]:
    if language == "en":
        return english.tokenize(text)
    return [english.EnglishToken(match.group(), match.start(), match.end()) for match in _ZH_UNIT.finditer(text)]


# English


def _english_entities(query: str, chosen: str, dialogue: str) -> list[Entity]:
    history = " ".join(token.lower for token in english.tokenize(dialogue))
    query_words = {token.lower for token in english.tokenize(query)}
    known = {stem(word) for word in history.split()}
    found: list[Entity] = []
    for change in changes(query, chosen, "en"):
        for phrase in noun_phrases(chosen, history):
            new = [
                token
                for token in phrase
                if token.start >= change.start and token.end <= change.end and _is_content(token.lower)
            ]
            new = [token for token in new if token.lower not in query_words]
            named = all(token.text[0].isupper() and len(token.text) > 2 for token in new)
            if not new or not (named or any(stem(token.lower) in known for token in new)):
                continue
            if _is_pointer(change.replaced):
                phrase = tuple(token for token in phrase if change.start <= token.start and token.end <= change.end)
            of = next(
                (place for place, token in enumerate(phrase) if token.lower == "of" and token.end < new[0].start), None
            )
            if of is not None:
                phrase = tuple(token for token in phrase[of + 1 :] if token.lower != "the")
            if len(phrase) == 1 and english.is_predicate(phrase[0].text):
                continue
            start, end = phrase[0].start, phrase[-1].end
            text = chosen[start:end]
            mentions = history.count(" ".join(token.lower for token in phrase))
            found.append(Entity(start, end, text, new[0].start, new[-1].end, change, mentions))
    return found


def _is_pointer(replaced: str) -> bool:
    """Whether the query had a pronoun there: then the new words alone are the entity (was it ethical)."""
    words = replaced.lower().split()
    return bool(words) and words[0] in english.PRONOUNS | {
        "this",
        "that",
        "these",
        "those",
        "its",
        "their",
        "his",
        "her",
    }


def noun_phrases(text: str, history: str = "") -> tuple[tuple[english.EnglishToken, ...], ...]:
    """Noun phrases without their determiners. ``history`` (lower case, tokens parted by spaces) tells which
    possessives and ``of`` belong inside a name."""
    tokens = english.tokenize(text)
    runs: list[list[int]] = []
    for index in range(len(tokens)):
        if not english.is_nominal(tokens, index):
            continue
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        elif runs and _bridges(tokens, runs[-1], index, history):
            runs[-1].extend(range(runs[-1][-1] + 1, index + 1))
        else:
            runs.append([index])
    return tuple(tuple(tokens[place] for place in _without_adjectives(tokens, run)) for run in runs)


def _always_together(tokens: Sequence[english.EnglishToken], run: list[int], index: int, history: str) -> bool:
    """Whether the dialogue says the two sides of ``and`` more than once and never apart: frankie and bennys."""
    left, right = " ".join(tokens[place].lower for place in run), tokens[index].lower
    together = history.count(f"{left} and {right}")
    asks_for_place = any(token.lower in ("address", "postcode", "phone") for token in tokens)
    return together > (0 if asks_for_place else 1) and together == history.count(left) == history.count(right)


def _without_adjectives(tokens: Sequence[english.EnglishToken], run: list[int]) -> list[int]:
    """The run without adjectives at its end: they belong to the verb (is melatonin effective)."""
    end = len(run)
    while end > 1 and english.is_predicate(tokens[run[end - 1]].text):
        end -= 1
    return run[:end]


def _bridges(tokens: Sequence[english.EnglishToken], run: list[int], index: int, history: str) -> bool:
    between = [token.lower for token in tokens[run[-1] + 1 : index]]
    if (
        not between
        or between[0] == "the"
        or len(between) > 2
        or not all(word in ("'s", "of", "the", "and", "for", "in", "&") for word in between)
    ):
        return False
    if (between == ["of"] or between == ["of", "the"]) and tokens[run[-1]].lower in (
        "part",
        "side",
        "type",
        "types",
        "kind",
        "kinds",
        "area",
        "style",
        "centre",
        "center",
    ):
        return True
    if between == ["and"] and _always_together(tokens, run, index, history):
        return True
    if between[0] in ("and", "in", "for") and not all(tokens[place].text[0].isupper() for place in (run[-1], index)):
        return False
    following = index + 1
    joined = " ".join(token.lower for token in tokens[run[0] : following])
    return len(joined) > 3 and f" {joined} " in f" {history} "


def stem(word: str) -> str:
    """A word without its plural ending, so that goat and goats are one."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _is_content(word: str) -> bool:
    return word[0].isalnum() and not english.is_function_word(word)


# Chinese


def _chinese_entities(query: str, chosen: str, history: str) -> list[Entity]:
    found: list[Entity] = []
    for change in _merged(changes(query, chosen, "zh"), chosen, history):
        for start, end in _known_parts(change, chosen, history) or _unknown_name(change, chosen):
            text = chosen[start:end]
            if text in query or chinese.is_full_class(text) or len(chinese.bare_name(text)) < 2:
                continue
            found.append(Entity(start, end, text, start, end, change, history.count(text)))
    return found


def _merged(found: Sequence[TextChange], chosen: str, history: str) -> list[TextChange]:
    """Join changes that one name spans: 7天连锁 + 酒店 + (天坛店), where the query only said 酒店."""
    merged: list[TextChange] = []
    for change in found:
        if merged:
            last = merged[-1]
            whole = chosen[last.start : change.end]
            gap = chosen[last.end : change.start]
            if len(gap) <= _BRIDGE and not any(char in "，。？！" for char in gap) and whole.strip("的是") in history:
                merged[-1] = TextChange(last.start, change.end, whole, last.replaced + gap + change.replaced)
                continue
        merged.append(change)
    return [_grown(change, chosen, history) for change in merged]


def _grown(change: TextChange, chosen: str, history: str) -> TextChange:
    """Take in the rest of a name that the query happened to share: 北京西单 + 饭店."""
    start, end = change.start, change.end
    for ending in sorted({ending for item in chinese.CLASSES for ending in item.endings}, key=len, reverse=True):
        if len(ending) > 1 and chosen.startswith(ending, end) and chosen[start : end + len(ending)] in history:
            return TextChange(start, end + len(ending), chosen[start : end + len(ending)], change.replaced + ending)
    for opening, closing in ("《》", "（）", "()", "“”"):
        if chosen[start - 1 : start] == opening and chosen[end : end + 1] == closing:
            return TextChange(start - 1, end + 1, chosen[start - 1 : end + 1], opening + change.replaced + closing)
    return change


def _known_parts(change: TextChange, chosen: str, history: str) -> list[tuple[int, int]]:
    """The longest parts of a change that the dialogue says, at least two characters, trimmed of particles."""
    parts: list[tuple[int, int]] = []
    place = change.start
    while place < change.end:
        end = place
        while end < change.end and chosen[place : end + 1] in history and chosen[end] not in "、，。？！\n":
            end += 1
        for start, stop in _split_pair(chosen, *_trimmed(chosen, place, end)):
            if stop - start >= 2:
                parts.append((start, stop))
        place = max(end, place + 1)
    return parts


def _unknown_name(change: TextChange, chosen: str) -> list[tuple[int, int]]:
    """A name that the rewrite spells in its own way, so that the dialogue does not have it."""
    start, end = _trimmed(chosen, change.start, change.end)
    return [(start, end)] if chinese.is_name_like(chosen[start:end]) else []


def _split_pair(text: str, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """A和B as two names, where both sides are long enough not to be halves of one (颐和园)."""
    middle = text.find("和", start + 3, end - 3)
    return ((start, end),) if middle < 0 or "《" in text[start:middle] else ((start, middle), (middle + 1, end))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in chinese.EDGE_WORDS:
        start += 1
    while end > start and text[end - 1] in chinese.EDGE_WORDS:
        end -= 1
    if "(" in text[start:end] and ")" not in text[start:end] and text[end : end + 1] == ")":
        end += 1
    for noun in ("乐队", "乐团", "公司", "这部电影", "这部影片", "这张专辑", "这首歌", "这个乐队"):
        if text.startswith(noun, end):
            end += len(noun)
            break
    if text[start : start + 1] != "《" and text[start - 1 : start] == "《" and text[end : end + 1] == "》":
        start, end = start - 1, end + 1
    return start, end
