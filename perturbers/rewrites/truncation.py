"""Truncation: a constraint, a time, a place or a condition of the request is cut off."""

# ruff: noqa: SIM905 - word lists are easier to read and to edit as text

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, of_templates, settle, shortened
from pairwright.perturbers.text import english
from pairwright.perturbers.text.repair import repair
from pairwright.perturbers.text.spans import noun_phrases, restored_entities

Template = Literal[
    "cut_condition",
    "cut_relative_clause",
    "cut_comparison",
    "cut_second_question",
    "cut_list_item",
    "cut_adjective",
    "cut_last_phrase",
    "cut_number",
    "cut_time",
    "cut_place",
    "cut_qualifier",
    "cut_clause",
]

_ATTRIBUTE = r"(?:phone number|telephone number|address|post ?code|price range|food type|area|location|price|size|type)"
_EN_CLAUSES = (
    (
        re.compile(r",?\s+(?:if|when|because|since|although|while|unless)\s+[^,.?!]{6,}(?=[.?!]*$)", re.I),
        "cut_condition",
    ),
    (
        re.compile(
            r",?\s+(?:that|which|who)\s+(?:is|are|was|were|serves?|has|have|can|won|offers?)\b[^,.?!]{3,}(?=[.?!]*$)",
            re.I,
        ),
        "cut_relative_clause",
    ),
    (
        re.compile(r"\s+(?:versus|vs\.?|compared (?:to|with)|rather than|instead of)\s+[^,.?!]{2,}(?=[.?!]*$)", re.I),
        "cut_comparison",
    ),
    (
        re.compile(
            r",?\s+and\s+(?:what|how|why|when|where|which|who|can|could|does|do|is|are)\b[^.?!]{3,}(?=[.?!]*$)", re.I
        ),
        "cut_second_question",
    ),
    (re.compile(rf",?\s+and\s+(?:the\s+)?{_ATTRIBUTE}(?=\s+(?:of|for|please)\b|[,.?!]|$)", re.I), "cut_list_item"),
    (
        re.compile(
            r"\b(?:cheap|expensive|(?:moderately|moderate|mid) priced?|famous|traditional|modern|free|healthy|vegan|electric)\s+"
            r"(?!price)(?=[a-z])",
            re.I,
        ),
        "cut_adjective",
    ),
)
_NUMBER = (
    r"(?:评分|人均消费|价格|门票|票价|游玩时间|游玩时长|最低价格|(?:能|可以)玩)?(?:是|在|为)?\d[\d.]*(?:元|块|分|个?小时|分钟)?(?:\s*[-~到至]\s*\d[\d.]*)?"
    r"(?:元|块|分|个?小时|分钟|公里|米|点|岁|天)(?:以上|以下|以内|左右)?"
)
_TIME = (
    r"(?:\d{4}(?=[-~到至]\d{4}年)|(?:\d{4}|[一二三四五六七八九零〇]{4})年代?|(?:上世纪|二十世纪|20世纪)?[二三四五六七八九]十年代|[今去前明后]年)(?:\d{1,2}月份?(?:\d{1,2}[日号])?)?"
    r"|(?:\d{1,2}月\d{1,2}[日号]|[今明后昨前]天|[今明昨]晚|明早|[上下这本]个?(?:周|星期)[一二三四五六日天末]?|(?:周|星期)[一二三四五六日天末])(?:早上|上午|中午|下午|晚上)?"
    r"|早上|上午|中午|下午|晚上"
)
_ZH_CUTS = (
    (re.compile(rf"[，、]{_NUMBER}(?=的[\u4e00-\u9fff])"), "cut_number"),
    (
        re.compile(rf"(?<![，、分费格票价间长\d.是~到至-])(?<!人均消费){_NUMBER}的(?![呢吗啊呀吧])(?=[\u4e00-\u9fff])"),
        "cut_number",
    ),
    (
        # the whole expression goes: 2001年 without its 在, 下周一 without its 一, 1999年到2005年 as one
        re.compile(
            rf"(?:[在从自于]|(?<![\d是有那在从自于年月-]))(?:{_TIME})(?:\s*[-~到至]\s*(?:{_TIME}))?(?:以[前后来]|之[前后间]|期间|[左前]右|开始|[起间](?!草|点|来|床|飞))?"
            r"(?:(?:上映|发行|出生|成立|发布|推出|建成|举办|举行|获奖)的|的)?(?=[\u4e00-\u9fff《A-Z])(?![呢吗吧的]|多大|几岁|多少岁)"
        ),
        "cut_time",
    ),
    (re.compile(r"的?(?:周边|附近|旁边|周围)(?=有|还有|都有|哪|什么|吃)"), "cut_place"),
    (re.compile(r"(?:(?<!门票)(?<!不)免费的?(?=景点)|首张|最新的?|最有名的?)(?=[\u4e00-\u9fff])"), "cut_qualifier"),
)
_ZH_ASKS = re.compile(r"[吗么没][？?]?$|什么|怎么|怎样|哪|谁|多少|几|多[大久长远高钱]|啥|咋|是[？?]$|没[？?]?$")


class Truncation(Component):
    """Cuts what narrows the request down: a trailing phrase, a condition, a number, a time, a second question."""

    name: ClassVar[str] = "truncation"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:  # noqa: ARG002
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text), self.templates)
        yield from settle(self.name, "constraint_cut", case, chosen, drafts, shortened, self.variants)


def _drafts(case: Case, chosen: str) -> Iterator[Draft]:
    found = False
    cuts = _cuts_zh(case, chosen) if case.language == "zh" else _cuts_en(chosen)
    for start, end, template in cuts:
        found = True
        text = repair(chosen[:start] + chosen[end:], chosen, case.language)
        yield Draft(text, template, chosen[start:end].strip(" ,，"), {"cut": chosen[start:end].strip()})
    if not found:
        yield impossible("no_constraint")


def _cuts_en(chosen: str) -> Iterator[tuple[int, int, str]]:
    for pattern, template in _EN_CLAUSES:
        for match in pattern.finditer(chosen):
            # Of "a, b and c" the rest would lack its "and".
            if template == "cut_list_item" and re.search(r",[^.?!]*$", chosen[: match.start()]):
                continue
            yield match.start(), match.end(), template
    tokens = english.tokenize(chosen)
    ends = [place for place, token in enumerate(tokens) if token.is_word]
    phrases = {phrase[-1].end: phrase for phrase in noun_phrases(chosen)}
    if not ends or tokens[ends[-1]].end not in phrases:
        return
    first = phrases[tokens[ends[-1]].end][0].start
    lead = next(place for place, token in enumerate(tokens) if token.start == first)
    while lead and (tokens[lead - 1].lower in english.DETERMINERS or english.is_adverb(tokens[lead - 1].lower)):
        lead -= 1
    inside_name = lead and tokens[lead - 1].lower == "of" and tokens[lead - 2].text[0].isupper()
    if (
        lead > 2
        and not inside_name
        and not chosen[tokens[lead - 1].start :].lower().startswith(("of town", "of the town", "of the city"))
        and tokens[lead - 1].lower in _LIMITING
        and tokens[lead - 2].is_word
        and tokens[lead - 2].lower not in _CARRIERS
    ):
        place = lead - 2 if tokens[lead - 2].lower in ("located", "based", "situated") else lead - 1
        yield tokens[place].start, tokens[ends[-1]].end, "cut_last_phrase"


_LIMITING = frozenset(
    "in on at for with without during before after near from since until within under over around through of".split()
)
_CARRIERS = (
    english.WH
    | english.AUXILIARIES
    | english.PREPOSITIONS
    | frozenset(
        "you thanks closest expensive related difference differences depend depends talk look looking part kind type".split()
    )
)


def _cuts_zh(case: Case, chosen: str) -> Iterator[tuple[int, int, str]]:
    for pattern, template in _ZH_CUTS:
        for match in pattern.finditer(chosen):
            before = chosen[: match.start()]
            if before.count("《") == before.count("》"):
                # 李安2000年的电影 keeps its 的, 订明天的机票 does not
                keeps = template == "cut_time" and match.group().endswith("的") and _ends_in_name(chosen, len(before))
                yield match.start(), match.end() - keeps, template
    named = {entity.text for entity in restored_entities(case, chosen)}
    named |= {mention.text for mention in lang.mentions(chosen, "zh") if mention.kind == "entity"}
    clauses = list(re.finditer(r"[^，。？！?!]+[，。？！?!]*", chosen))
    asking = [match for match in clauses if _ZH_ASKS.search(match.group().rstrip("，。！")) and len(match.group()) > 4]
    asking = asking or clauses[-1:]
    for match in clauses:
        clause = match.group()
        needed = match in asking and len(asking) < 2
        says = match in asking or re.search(r"\d(?:元|块|分|个?小时|公里|点|岁|人)", clause)
        # to lose a name is another defect, the missing entity
        names = any(name in clause and chosen.count(name) == 1 for name in named)
        carries = re.search(r"帮我|推荐|找一|找个|给我|麻烦", clause)
        # what opens the text says what the rest is about
        if match.start() and len(clause) > 4 and says and not names and not needed and not carries:
            yield match.start(), match.end(), "cut_clause"


def _ends_in_name(text: str, place: int) -> bool:
    return any(mention.end == place and mention.kind == "entity" for mention in lang.mentions(text, "zh"))
