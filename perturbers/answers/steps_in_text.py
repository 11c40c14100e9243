"""The steps of an answer: numbered lines, numbers inside a line, or words that put things in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from pairwright.core.records import Language

_LINE = re.compile(r"^([ \t]*)((?:\*\*)?(?:[Ss]tep )?)(\d{1,2})([.)、:：．])", re.MULTILINE)
_INLINE = re.compile(r"(?:(?<=^)|(?<=[\s：:。；;，,]))([(（]?)()(\d{1,2})([)）.、．])(?=\s?\S)(?!\d)")
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
_FIRST_ZH = re.compile(r"(?:(?<=^)|(?<=[\s。；，：]))第([一二三四五六七八九十])(步|点)?[，,：:、]?")
_HAN = "一二三四五六七八九十"
_ORDER: Mapping[Language, tuple[re.Pattern[str], ...]] = {
    "en": (
        re.compile(r"^(?:First(?:ly| of all)?|To begin(?: with)?|Start by)\b", re.IGNORECASE),
        re.compile(
            r"^(?:Second(?:ly)?|Third(?:ly)?|Fourth|Then|Next|After that|Afterwards|Once (?:that is )?done)\b",
            re.IGNORECASE,
        ),
        re.compile(r"^(?:Finally|Lastly|Last|In the end)\b", re.IGNORECASE),
    ),
    "zh": (
        re.compile(r"^(?:首先|先(?!生|前|是|后)|第一步)"),
        re.compile(r"^(?:其次|再次|再(?!见|说|也)|然后|接着|接下来|之后|随后|第[二三四五六]步)"),
        re.compile(r"^(?:最后|最终)"),
    ),
}


_ASIDE = re.compile(
    r"(?:Additionally|Also|Besides|Remember|Note|Keep in mind|Don't forget)\b|另外|此外|还有|注意|记得|记住",
    re.IGNORECASE,
)


class Step(NamedTuple):
    """``text[start:end]`` is one step with its mark; ``mark`` is what numbers it or puts it in order."""

    start: int
    end: int
    mark: str
    number: int


class Steps(NamedTuple):
    """Steps in order, and how they are marked: ``lines``, ``inline``, ``circled``, ``ordinals`` or ``words``."""

    form: str
    steps: tuple[Step, ...]


def find_steps(text: str, language: Language) -> Steps | None:
    """At least three steps of one form, numbered from one on; None when there are none."""
    for form, pattern in (("lines", _LINE), ("inline", _INLINE)):
        marks = [(match.start(), match.group(), int(match.group(3))) for match in pattern.finditer(text)]
        found = _counted(text, marks, form)
        if found:
            return found
    circled = [(at, char, _CIRCLED.index(char) + 1) for at, char in enumerate(text) if char in _CIRCLED]
    ordinals = [(match.start(), match.group(), _HAN.index(match.group(1)) + 1) for match in _FIRST_ZH.finditer(text)]
    return _counted(text, circled, "circled") or _counted(text, ordinals, "ordinals") or _by_words(text, language)


def _counted(text: str, marks: list[tuple[int, str, int]], form: str) -> Steps | None:
    run: list[tuple[int, str, int]] = []
    for mark in marks:
        if mark[2] == len(run) + 1:
            run.append(mark)
    if len(run) < 3:
        return None
    ends = [start for start, _, _ in run[1:]] + [_last_end(text, run[-1][0], form)]
    return Steps(
        form, tuple(Step(start, end, mark, number) for (start, mark, number), end in zip(run, ends, strict=True))
    )


def _last_end(text: str, start: int, form: str) -> int:
    """Where the last step ends: its line, or its sentence when more sentences follow."""
    line = text.find("\n", start)
    end = line if line >= 0 else len(text)
    if form == "lines":
        return end
    # Behind the mark, whose own full stop ends no sentence.
    stop = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|(?<=[。！？])").search(text, start + 4, end)
    return stop.start() if stop else end


def _by_words(text: str, language: Language) -> Steps | None:
    """Sentences (in Chinese also clauses) that begin with First, Then, Finally, in this order."""
    clauses = re.compile(
        r"[^.!?\n]+(?:\.(?=\S)[^.!?\n]+)*[.!?]*\s*" if language == "en" else r"[^。！？；，\n]+[。！？；，]?"
    )
    order: list[tuple[int, int, int, str]] = []
    for clause in clauses.finditer(text):
        # 最后，再冲入热水: what follows a bare mark is its step
        bare = order and clause.start() - order[-1][0] <= len(order[-1][3]) + 1
        for rank, pattern in enumerate(() if bare else _ORDER[language]):
            mark = pattern.match(clause.group().lstrip())
            # 先擦柜顶 within a later step puts nothing first
            if mark and not (rank == 0 and order):
                order.append(
                    (
                        clause.start() + len(clause.group()) - len(clause.group().lstrip()),
                        clause.end(),
                        rank,
                        mark.group(),
                    )
                )
                break
        else:
            # what follows a step up to the next one belongs to it, unless it speaks of something else
            aside = (
                _ASIDE.match(clause.group().lstrip()) or text[order[-1][1] : clause.start()].strip() if order else ""
            )
            if order and clause.group().strip() and not aside:
                order[-1] = (order[-1][0], clause.end(), *order[-1][2:])
    ranks = [rank for _, _, rank, _ in order]
    if len(order) < 3 or ranks[0] != 0 or ranks != sorted(ranks) or ranks.count(0) > 1 or ranks.count(2) > 1:
        return None
    start, end, rank, word = order[-1]
    order[-1] = (start, _one_sentence(text, start, end, language), rank, word)
    return Steps("words", tuple(Step(start, end, mark, at + 1) for at, (start, end, _, mark) in enumerate(order)))


def _one_sentence(text: str, start: int, end: int, language: Language) -> int:
    stop = re.compile(r"[.!?](?=\s|$)\s*" if language == "en" else r"[。！？]").search(text, start, end)
    return stop.end() if stop else end
