"""Answers as text: sentences with their places, the words that carry what is said, and what stands behind them.

Nothing here loads a language model except :func:`subject`, which looks at the user's turn alone.
"""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Case, Language, Turn
from pairwright.core.tool_calls import strict_json
from pairwright.perturbers.text import english
from pairwright.perturbers.text.spans import stem

LONGEST_ANSWER = 4000  # characters
_ABBREVIATION = r"(?<!\b[A-Z]\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bU\.S\.)(?<!\bMrs\.)"
_BREAK: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(rf"(?:(?<=[.!?])|(?<=[.!?][\"”')])){_ABBREVIATION}\s+(?=[^\sa-z])|\s*\n\s*"),
    "zh": re.compile(r"(?<=[。！？!?])(?![。！？!?”」』）)])\s*|(?<=[。！？!?][”」』）)])\s*|\s*\n\s*"),
}
_HAN_WORD = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[A-Za-z]+|\d+(?:\.\d+)?")
_ASIDE: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:thank(?:s| you)|bye|goodbye|you(?:'|’)re welcome|no problem|have a (?:nice|good|great)|enjoy your|my pleasure)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(r"谢谢|感谢|多谢|再见|拜拜|^没事[。！]?$|不客气|不用客气|不用谢|举手之劳|祝您|祝你|客气了|应该的"),
}
_EVASION: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"\b(?:I(?:'|’)?m not sure|I am not sure|I (?:don(?:'|’)t|do not) (?:know|have)|can(?:'|’)t (?:help|find|say)|cannot (?:help|find|say)"
        r"|unable to|no information|sorry)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"不太?清楚|不太?知道|不太?了解|没有?听说|没有?注意|抱歉|不好意思|对不起|没有?查到|记不清|不确定|不熟"
    ),
}
_RHETORICAL: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(r"^(?:really|right|is that so|is it|oh yeah|you know what)\s*\?$", re.IGNORECASE),
    "zh": re.compile(
        r"^(?:[哦啊嗯是，]*)(?:真的|是|是这样|这样|对)[吗嘛么]?[？?！]?$|(?:吧|厉害不|对不对|是不是|不是吗|怎么样|好不好)[？?！!]$|^[^？?]*[呢啊呀吧][。！!]?$"
    ),
}
_QUESTION_ZH = re.compile(
    r"[?？]$|吗$|(?<![没不])(?:什么|怎么样?|哪[里个家位些]|几[个位点]|多少|谁)[^，。]{0,8}[。！]?$"
)
_ORDER_ZH = re.compile(
    r"请|帮[我忙]|麻烦(?:[您你]|帮|把|再|查|给)|推荐|介绍|告诉|说说|讲讲|查[一下]|发给我|发我|给我|想(?:知道|了解|问)|要知道|求"
)
_FIGURE = re.compile(r"\d+(?:[.,:：]\d+)*")


class Span(NamedTuple):
    """``text[start:end]``, without the space around it."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=512)
def sentences(text: str, language: Language) -> tuple[Span, ...]:
    """The sentences in order. A line break ends one; an item of a numbered list is one or more of its own."""
    found, start = [], 0
    for match in (*_BREAK[language].finditer(text), None):
        end = match.start() if match else len(text)
        part = text[start:end]
        if part.strip():
            lead = len(part) - len(part.lstrip())
            found.append(Span(part.strip(), start + lead, start + len(part.rstrip())))
        start = match.end() if match else end
    return tuple(found)


@lru_cache(maxsize=512)
def pieces(text: str, language: Language) -> frozenset[str]:
    """What carries the meaning: English stems without closed classes, Chinese character pairs, Latin words, figures."""
    if language == "en":
        return frozenset(
            stem(token.lower)
            for token in english.tokenize(text)
            if token.is_word and not english.is_function_word(token.lower)
        )
    found: set[str] = set()
    for run in _HAN_WORD.findall(text.lower()):
        found.update([run] if run[0].isascii() else (run[at : at + 2] for at in range(len(run) - 1)))
    return frozenset(found)


def kept(text: str, source: str, language: Language) -> float:
    """The share of the meaningful pieces of ``source`` that ``text`` has; 1.0 when it has none."""
    wanted = pieces(source, language)
    return len(wanted & pieces(text, language)) / len(wanted) if wanted else 1.0


def is_json(text: str) -> bool:
    """Whether the text is a JSON object or array, as a program would read it."""
    if text.strip()[:1] not in ("{", "["):
        return False
    try:
        strict_json(text)
    except ValueError:
        return False
    return True


def wish(query: str, language: Language) -> str:
    """The last sentence of a user's turn that wants something, a question or a request; empty for thanks and remarks."""
    for sentence in reversed(sentences(query, language)):
        text = sentence.text
        if _RHETORICAL[language].search(text) or (_ASIDE[language].search(text) and not re.search(r"[?？]", text)):
            continue
        if lang.is_request(text, language) if language == "en" else _ORDER_ZH.search(text):
            return text
        if lang.is_question(text, language) and (language == "en" or _QUESTION_ZH.search(text)):
            return text
    return ""


def is_aside(text: str, language: Language) -> bool:
    """Whether a sentence is thanks, a farewell or a wish."""
    return bool(_ASIDE[language].search(text))


def evades(text: str, language: Language) -> bool:
    """Whether an answer says that it has none."""
    return bool(_EVASION[language].search(text)) and not _FIGURE.search(text)


def turns(case: Case) -> tuple[Turn, ...]:
    """The turns of the dialogue in order, the calls since the user's turn and their results among them."""
    return (*case.history, Turn(role="user", content=case.query), *case.steps)


def said(case: Case) -> tuple[str, ...]:
    """Everything that an answer may lean on: system prompt, turns, calls and what the tools said."""
    calls = (call.arguments for turn in turns(case) for call in turn.calls)
    return tuple(text for text in (case.system, *(turn.content for turn in turns(case)), *calls) if text)


def is_grounded(case: Case) -> bool:
    """Whether a tool has said something since the user's turn that the answer must keep to."""
    return any(turn.role == "tool" for turn in case.steps)


def ending(text: str) -> str:
    """The punctuation that closes a sentence, brackets and quotes included."""
    found = re.search(r"[.!?。！？~～…\"”'’)）]*$", text)
    return found.group() if found else ""


@lru_cache(maxsize=512)
def subject(query: str, language: Language) -> str:
    """A noun phrase of what the user asks, as an assistant would say it back (my knee → your knee); may be empty."""
    asked = wish(query, language) or query
    return _subject_zh(asked) if language == "zh" else _subject_en(asked)


def read_subjects(cases: Iterable[Case]) -> None:
    """Parse what :func:`subject` will look at in English queries together: one by one takes the parser three times as long."""
    asked = (wish(case.query, "en") or case.query for case in cases if case.language == "en")
    lang.mentions_many(list(asked), "en")


_NO_SUBJECT = frozenset(
    "help thing things way ways tip tips idea ideas one ones option options information recommendation recommendations lot "
    "please kind kinds example examples time times today question questions suggestion suggestions detail details step "
    "steps type types north south east west part side area centre center place places something anything everything name "
    "names note hand fact addition while behalf sake".split()
)


def _subject_en(query: str) -> str:
    best, weight = "", 0.0
    for mention in lang.mentions(query, "en"):
        words = mention.text.split()
        if (
            mention.kind in ("number", "time")
            or re.search(r"[a-z]\d|\d[a-z]", mention.text)
            or len(words) > 5
            or not re.fullmatch(r"[^\W_][\w' &.,-]{2,40}", mention.text)
        ):
            continue
        before = re.search(
            r"\b(my|your|our|the|their|its|his|her|this|that|these|those|a|an)\s+$",
            query[: mention.start],
            re.IGNORECASE,
        )
        article = before.group(1).lower() if before else ""
        bare = mention.kind == "entity" or english.is_plural(mention.text) or english.is_mass(mention.text)
        nation = len(words) == 1 and re.search(r"(?:ish|ese|ian|ean|can)$", mention.text)
        if (
            nation
            or words[-1].lower() in _NO_SUBJECT
            or not (article or bare)
            or (article in ("a", "an") and len(words) == 1)
        ):
            continue
        # Names before nouns, longer ones before shorter ones; of two that are equal the later one.
        value = 2.0 * (mention.kind == "entity") + min(len(words), 3) * 0.5 + 0.01 * mention.start / len(query)
        if value > weight:
            best, weight = f"{ {'my': 'your', 'our': 'your'}.get(article, article) } {mention.text}".strip(), value
    return best


_ATTRIBUTE_ZH = re.compile(
    r"电话|地址|位置|门票|票价|价格|评分|开放时间|营业时间|游玩时间|人均消费|[周附][边近]的?(?:景点|餐馆|酒店)|上映时间|发行时间|导演|主演|演员"
    r"|歌词|票房|配料|症状|退款|发票|账单|密码|订单|套餐|天气|路线|地铁站|推荐菜|服务|保险|合同|贷款"
)
_ASKED_FOR_ZH = re.compile(
    rf"(?:{_ATTRIBUTE_ZH.pattern})(?=[^，。；]{{0,3}}(?:多少|多钱|是(?!\d)|有(?!\d)|在(?=哪|什)|几|哪|啥|什么|[吗呢么]|怎|给我|发|告诉)|[呢啊呀呗]?[？?。]?$)"
)


_REFERS_ZH = re.compile(r"[他她它]")


def _subject_zh(query: str) -> str:
    mentions = lang.mentions(query, "zh")
    named = [
        m
        for m in mentions
        if m.kind == "entity"
        and 2 <= len(m.text) <= 16
        and not re.search(r"[区市县路街号镇]$", m.text)
        and not query.startswith("间", m.end)  # 水云|间
    ]
    # 导演是张艺谋，影片得过什么奖？ asks for a prize
    clause = next((part for part in reversed(re.split(r"[，,]", query)) if _QUESTION_ZH.search(part)), query)
    asked = _ASKED_FOR_ZH.search(clause)
    attribute = asked.group() if asked else ""
    # 影片是他执导的，你知道是哪家公司发行的吗？ does not ask about him
    name = next((m.text for m in named if attribute or m.text in clause or _REFERS_ZH.search(clause)), "")
    if name and attribute and attribute not in name:
        return f"{name}的{attribute}"
    return name or attribute
