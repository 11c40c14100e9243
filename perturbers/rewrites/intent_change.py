"""Intent change: the same things, but something else is asked of them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, of_templates, other_intent, settle
from pairwright.perturbers.text.repair import repair

Template = Literal[
    "question_word",
    "question_type",
    "yes_no_to_why",
    "negation",
    "comparison",
    "superlative",
    "aspect",
    "attribute",
    "other_thing",
    "value",
    "place",
    "number",
    "time",
]

Swap = tuple[str, str, str]  # pattern, replacement, template; "@name" looks the match up in _EN_WORDS or _ZH_WORDS
_EN: tuple[Swap, ...] = (
    (
        r"\bmore (?=(?:expensive|popular|common|dangerous|difficult|important|effective|efficiently)\b)",
        "less ",
        "comparison",
    ),
    (r"\b(better|cheaper|bigger|larger|faster|easier|higher|longer|safer|older)\b", "@comparison", "comparison"),
    (
        r"\b(best|cheapest|biggest|largest|fastest|easiest|highest|longest|most expensive|newest|oldest|most famous|most important)\b",
        "@superlative",
        "superlative",
    ),
    (
        r"(?<=the |its |are |key |ome |ain )(advantages|benefits|pros|similarities|causes|strengths|differences?|symptoms|side effects)\b",
        "@aspect",
        "aspect",
    ),
    (
        r"\b(phone number|address|postcode|(?<!expensive )(?<!moderate )(?<!cheap )price range|(?:(?<=the )|(?<='s )|(?<=average )|(?<=total )|(?<=what )|(?<=What ))cost|salary|location|price(?! range))\b",
        "@attribute",
        "attribute",
    ),
    (r"^(Who|When|Where|Why) (?=(?:is|are|was|were|did|does|do|can)\b)", "@wh", "question_word"),
    (r"^(Is|Are|Was|Were|Does|Do|Did|Can|Should) (?!you\b|I\b|there\b|we\b)(?=[^?]{6,}\?)", "@why", "yes_no_to_why"),
    (r"\bHow (?=(?:do|does|did|can|should|is|are|was|were|has|have)\b)", "Why ", "question_word"),
    (r"\bwhy (?=(?:do|does|did|can|is|are|was|were)\b)", "when ", "question_word"),
    (
        r"\b(cheap|expensive|north|south|east|west|(?:before|after)(?= (?:a|the|my|eating|taking|starting|dinner|lunch)\b))(?!\w)",
        "@value",
        "value",
    ),
    (r"\bTell me (?:more )?about\b", "Tell me what is wrong with", "question_type"),
    (r"\b(How|What) about\b", r"\1 about anything but", "negation"),
    (r"\b(?:I would like|I'd like|I want|I need)\b", "I do not want", "negation"),
    (r"^What (is|are) (?=\S+(?: \S+){0,3}[?]?$)", r"Where \1 ", "question_word"),
    (
        r"\b([2-9]|[1-9]\d|two|three|four|five|six|seven|eight|nine|ten)\b(?=[ -](?:people|persons?|guests?|adults|children|nights?|days?|weeks?|months?|years?"
        r"|hours?|minutes?|stars?|miles?|km|kilomet(?:er|re)s|tickets?|rooms?|cups?|eggs?|grams?|pounds|dollars|euros|degrees)\b)",
        "@number",
        "number",
    ),
    (
        r"\b(today|tomorrow|tonight|yesterday|this weekend|next week|next month|next year|last week|last month|last year)\b",
        "@time",
        "time",
    ),
    (r"\b(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b", "@day", "time"),
    (r"\b(?:in|since|before|after|by|until|of) ((?:1[5-9]|20)\d\d)\b", "@year", "time"),
    (r"^What (did|do|does) (?=.*\b(?:eat|drink|play|read|study|cook|learn)\?$)", r"When \1 ", "question_word"),
)
# Pairs, parted by bars; "#" is a space inside one side of a pair.
_EN_WORDS = {
    "comparison": "better worse|cheaper pricier|bigger smaller|larger smaller|faster slower|easier harder|higher lower|longer shorter|safer riskier|older newer",
    "superlative": "best worst|cheapest priciest|biggest smallest|largest smallest|fastest slowest|easiest hardest|highest lowest|longest shortest|most#expensive cheapest|newest oldest|oldest newest|most#famous least#famous|most#important least#important",
    "aspect": "advantages disadvantages|benefits risks|pros cons|similarities differences|causes effects|strengths weaknesses|similar different|difference similarity|differences similarities|symptoms causes|side#effects benefits",
    "attribute": "phone#number website|address website|postcode website|price#range food#type|cost duration|salary workload|history future|location price|price location",
    "wh": "Who Where|When Where|Where When|Why When",
    "time": "today tomorrow|tomorrow the#day#after#tomorrow|tonight tomorrow#night|yesterday the#day#before#yesterday|this#weekend next#weekend"
    "|next#week the#week#after#next|next#month the#month#after#next|next#year the#year#after#next|last#week the#week#before#last|last#month the#month#before#last"
    "|last#year the#year#before#last",
    "day": "monday Thursday|tuesday Friday|wednesday Saturday|thursday Sunday|friday Monday|saturday Tuesday|sunday Wednesday",
    "value": "cheap expensive|expensive cheap|north south|south north|east west|west east|with without|before after|after before|without with",
}
_ZH: tuple[Swap, ...] = (
    (r"(以上)", "以下", "comparison"),
    (r"(以下|以内)", "以上", "comparison"),
    (r"最(高|低|贵|便宜|大|小|新|早|好|近)", "@zh_superlative", "superlative"),
    (r"(景点|餐馆|酒店|饭店)(?=好?[吗呢啊呀么没]?[？?。，]|都?有[什哪啥]|有哪)", "@zh_thing", "other_thing"),
    (
        r"(?<![要打])(?<!门票)(电话|评分|门票|票价|价格|人均消费|营业时间|开放时间|游玩时间)(?!是?\d)",
        "@zh_attribute",
        "attribute",
    ),
    (r"地址(?=是?在)", "停车场", "attribute"),
    (r"地址(?!是?在)", "营业时间", "attribute"),
    (r"(?<=要)门票", "预约", "attribute"),
    (r"(?<!址)(?<!置)(?<!场)(在哪里|在哪儿|在哪)(?=[？?。]|$)", "几点开门", "question_type"),
    (r"(?<![要都])(是多少钱|多少钱|是多少|多钱)(?=[吗呢啊呀]?[？?。]|$)", "为什么变了", "question_type"),
    (r"(?<!时间)(是哪一年|是哪年|是什么时候|是在哪年)", "是在哪里", "question_word"),
    (r"(哪一年|哪年)", "在哪里", "question_word"),
    (r"(是谁|都有谁)(?=[呢呀啊]?[？?。]|$)", "得过什么奖", "question_type"),
    (r"(多大)(?=了?[吗呢啊呀]?[？?。]|$)", "多高", "attribute"),
    (r"岁数(?!不)", "身高", "attribute"),
    (r"(?<!有)(?<!并)(提供|接待)", r"不\1", "negation"),
    (r"(?<![\d.~到-])(?<![~到-]\s)([2-9])(?=(?:\.\d)?(?:个?小时|元|分|点|公里)(?!\s*[-~到]))", "@zh_digit", "number"),
    (r"帮我推荐", "别帮我推荐", "negation"),
    (r"都?(?:有什么|有哪些|有啥)", "没有哪些", "negation"),
    (r"有没有(?![谁能什哪])", "有多少", "question_type"),
    (r"(?<=有)(周边|附近)", "远处", "place"),
    (r"(首张)", "最新", "value"),
    (
        r"(?<![一二三四五六七八九十两几多\d第周期])([两三四五六七八])(?=(?:个人|位|张|间|天|晚|个?小时|点|份|杯)(?!均|半))",
        "@zh_digit",
        "number",
    ),
    (r"(?<![\d.~到-])(?<![~到-]\s)([2-9])(?=(?:个人|位|人|张|间|天|晚|份|杯)(?!均))", "@zh_digit", "number"),
    (
        r"(?<!大)(今天|明天|后天|昨天|今晚|明晚|今年|去年|明年|(?<![下上])下周|(?<!上)上周|(?:周|星期)[一二三四五六](?!到|至)|上午|下午|早上(?!好)|晚上(?!好))",
        "@zh_time",
        "time",
    ),
    (r"(?<!\d)((?:19|20)\d\d)(?=年)", "@year", "time"),
    (r"喜欢的?(?=[^，。？！]{0,12}[？?]$)", "讨厌的", "negation"),
)
_ZH_WORDS = {
    "zh_superlative": {
        "高": "最低", "低": "最高", "贵": "最便宜", "便宜": "最贵", "大": "最小", "小": "最大", "新": "最旧", "早": "最晚", "好": "最差", "近": "最远",
    },
    "zh_thing": {"景点": "酒店", "餐馆": "景点", "酒店": "餐馆", "饭店": "景点"},
    "zh_attribute": {
        "电话": "邮箱", "评分": "价格", "门票": "停车费", "票价": "停车费", "价格": "停车费", "人均消费": "停车费", "营业时间": "休息时间",
        "开放时间": "闭馆时间", "游玩时间": "排队时间",
    },
    "zh_digit": {
        **{str(digit): str(digit - 1) for digit in range(2, 10)},
        "两": "三", "三": "五", "四": "三", "五": "四", "六": "四", "七": "六", "八": "六",
    },
    "zh_time": {
        "今天": "明天", "明天": "后天", "后天": "大后天", "昨天": "前天", "今晚": "明晚", "明晚": "后天晚上", "今年": "去年", "去年": "前年", "明年": "后年",
        "下周": "下下周", "上周": "上上周", "上午": "下午", "下午": "上午", "早上": "晚上", "晚上": "早上",
        **{f"{name}{day}": f"{name}{other}" for name in ("周", "星期") for day, other in zip("一二三四五六", "三四五一二日", strict=True)},
    },
}  # fmt: skip


class IntentChange(Component):
    """Turns the question word, the comparison, the negation, the attribute asked for or a number into another."""

    name: ClassVar[str] = "intent_change"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text, rng), self.templates)
        yield from settle(self.name, "intent_changed", case, chosen, drafts, other_intent, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    table = _ZH if case.language == "zh" else _EN
    found: list[Draft] = []
    for pattern, put, template in table:
        matches = [
            match
            for match in re.finditer(pattern, chosen, re.I if case.language == "en" else 0)
            if not _inside_name(chosen, match.start(), case)
        ]
        if not matches:
            continue
        match = matches[-1]
        new = _replacement(match, put)
        if new:
            text = chosen[: match.start()] + new + chosen[match.end() :]
            if new.strip().lower() in chosen[: match.start()].lower() and template == "attribute":
                continue
            found.append(
                Draft(repair(text, chosen, case.language), template, f"{match.group().strip()} → {new.strip()}")
            )
    weak = [draft for draft in found if draft.evidence.startswith("有")]
    found = [draft for draft in found if draft not in weak] + weak
    first, rest = (found[:2], found[2:]) if not weak else ([], found)
    rng.shuffle(first)
    yield from (*first, *rest)
    if not found:
        yield impossible("no_intent_word")


def _replacement(match: re.Match[str], put: str) -> str:
    if put == "@why":
        return f"Why {match.group(1).lower()} "
    if put == "@year":
        return match.group().replace(match.group(1), str(int(match.group(1)) - 2))
    if put == "@number":
        return _other_number(match.group(1))
    if not put.startswith("@"):
        new = match.expand(put)
    elif put[1:] in _ZH_WORDS:
        return _ZH_WORDS[put[1:]].get(match.group(1), "")
    else:
        pairs = dict(pair.split(" ", 1) for pair in _EN_WORDS[put[1:]].split("|"))
        tail = " " if match.group().endswith(" ") else ""
        new = (
            pairs.get(match.group(1).lower().replace(" ", "#"), pairs.get(match.group(1), "")).replace("#", " ") + tail
        )
        if not new.strip():
            return ""
    return new[0].upper() + new[1:] if match.group()[0].isupper() else new[0].lower() + new[1:]


def _other_number(said: str) -> str:
    """One more of what is counted, in the same form; of five, which may be stars, one less."""
    if said.isdigit():
        return str(int(said) + (1 if said != "5" else -1))
    return _COUNT[(_COUNT.index(said.lower()) + 1) % len(_COUNT)]


_COUNT = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def _inside_name(text: str, place: int, case: Case) -> bool:
    """Whether the place lies in brackets or book marks, or in a Chinese name that the dialogue says."""
    before = text[:place]
    if case.language == "en":
        return False
    return any(before.count(opening) > before.count(closing) for opening, closing in ("《》", "（）", "()"))
