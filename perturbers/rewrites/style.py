"""Style: the right content in the wrong register: chatty, stiff, translated, telegraphic, stammering, in two languages."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected
from pairwright.perturbers.proof.registers import off_register
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, of_templates, settle
from pairwright.perturbers.text import english
from pairwright.perturbers.text.repair import final_marks, repair, without_final_marks
from pairwright.perturbers.text.spans import restored_entities

Template = Literal[
    "chatty_filler",
    "chatty_slang",
    "stiff_request",
    "stiff_passive",
    "stiff_formula",
    "translated",
    "mixed_language",
    "telegraphic",
    "missing_articles",
    "missing_particle",
    "doubled_word",
    "doubled_particle",
]

_EN_FRAMES = (
    ("So, um, like, {lower}", "chatty_filler"),
    ("Yo, quick one, {lower}", "chatty_slang"),
    ("I hereby kindly request information on this matter: {lower}", "stiff_request"),
    ("It is desired to obtain knowledge about a certain matter: {lower}", "stiff_passive"),
    ("Please ask, {lower}", "translated"),
    ("I want to ask one time about this thing: {lower}", "translated"),
)
_ZH_FRAMES = (
    ("那啥，{body}哈", "chatty_filler"),
    ("我说哥们儿，{body}嘞", "chatty_slang"),
    ("兹就以下事宜予以咨询：{body}", "stiff_formula"),
    ("烦请贵方就下述问题予以明示：{body}", "stiff_request"),
    ("这是一个关于下面这件事情的提问：{body}", "translated"),
    ("请允许我提出这样的一个问题：{body}", "translated"),
)
_MIXED = (
    ("电影", "movie"), ("酒店", "hotel"), ("地址", "address"), ("电话", "phone number"), ("餐馆", "restaurant"), ("门票", "ticket"), ("评分", "rating"),
    ("推荐", "recommend"), ("价格", "price"), ("专辑", "album"), ("景点", "spot"), ("附近", "nearby"), ("周边", "nearby"), ("时间", "time"),
    ("导演", "director"), ("歌手", "singer"), ("公司", "company"), ("主唱", "vocal"), ("上映", "release"), ("发行", "release"),
    ("什么时候", "when"), ("服务", "service"), ("手机", "phone"), ("天气", "weather"), ("城市", "city"), ("朋友", "friend"),
)  # fmt: skip
_MIXED_EN = (
    ("phone number", "电话"), ("price range", "价位"), ("address", "地址"), ("price", "价格"), ("cost", "花费"), ("restaurant", "餐馆"), ("hotel", "酒店"), ("movie", "电影"),
    ("film", "电影"), ("history", "历史"), ("symptoms", "症状"), ("treatment", "治疗"), ("difference", "区别"), ("differences", "区别"),
    ("advantages", "优点"), ("benefits", "好处"), ("causes", "原因"), ("food", "食物"), ("weather", "天气"), ("city", "城市"), ("music", "音乐"),
    ("company", "公司"), ("university", "大学"), ("museum", "博物馆"), ("population", "人口"), ("effects", "影响"), ("types", "种类"), ("town", "镇"),
    ("area", "地区"), ("song", "歌"), ("album", "专辑"), ("book", "书"), ("science", "科学"), ("famous", "有名"), ("important", "重要"),
)  # fmt: skip
_STAMMERED = re.compile(r"\b(?:the|in|to|is|are|do|does|about|on|with)\b(?=\s+\w)")
_ARTICLE = re.compile(r"\b(?:a|an|the)\s+(?=\w)")
_MADE = "唱演写拍画作曲词导播映行版造成立生世业出办得获明计组装修"  # last characters of verbs after which 是 … asks for a 的: 是谁写的
_PARTICLES = re.compile(r"[吗呢吧啊呀]$")


class Style(Component):
    """Keeps what is asked and spoils how: a frame around the request, words of another language, function words gone."""

    name: ClassVar[str] = "style"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text, rng), self.templates)
        yield from settle(self.name, "wrong_register", case, chosen, drafts, off_register, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    body = without_final_marks(chosen)
    if len(body) < 4:
        yield impossible("nothing_to_spoil")
        return
    drafts = list(_zh(case, chosen, body, rng) if case.language == "zh" else _en(chosen, body, rng))
    rng.shuffle(drafts)
    yield from drafts


def _fitting(frames: tuple[tuple[str, str], ...], chosen: str, language: Language) -> list[tuple[str, str]]:
    """Only a question is announced as one, only what is asked for as a matter: a thank you has nothing but chatty frames."""
    asks = lang.is_question(chosen, language)
    wants = asks or lang.is_request(chosen, language)
    fits = {"chatty": True, "stiff": wants, "translated": asks}
    return [(pattern, template) for pattern, template in frames if fits[template.partition("_")[0]]]


def _en(chosen: str, body: str, rng: random.Random) -> Iterator[Draft]:
    lower = english.uncapitalised(body)
    # There are always two: the chatty ones fit everything.
    for pattern, template in rng.sample(_fitting(_EN_FRAMES, chosen, "en"), 2):
        yield Draft(
            repair(pattern.format(lower=lower) + final_marks(chosen), chosen, "en"), template, pattern.format(lower="…")
        )
    tokens = english.tokenize(body)
    kept = [token.text for token in tokens if token.is_word and not english.is_closed_class(token.lower)]
    # Where a small word carries the meaning, its loss is another defect than the register.
    plain = not re.search(r"\b(?:not|no|than|between|why|how|when|where|who|if|or|like)\b|n't|[.?!]\s", body, re.I)
    if plain and 3 <= len(kept) <= len(tokens) - 3:
        yield Draft(" ".join(kept) + final_marks(chosen), "telegraphic", " ".join(kept))
    mixed, words = _with_words_of(body, _MIXED_EN)
    if words:
        yield Draft(mixed + final_marks(chosen), "mixed_language", ", ".join(words))
    if _ARTICLE.search(body):
        bare = re.sub(r"(?<=\w)['’](?=\w)|,", "", _ARTICLE.sub("", body))
        yield Draft(bare + final_marks(chosen), "missing_articles", bare)
    stammered = [match for match in _STAMMERED.finditer(body) if match.start()]
    if stammered:
        twice = rng.choice(stammered)
        text = f"{body[: twice.end()]} {twice.group()}{body[twice.end() :]}"
        yield Draft(text + final_marks(chosen), "doubled_word", f"{twice.group()} {twice.group()}")


def _with_words_of(body: str, pairs: tuple[tuple[str, str], ...]) -> tuple[str, list[str]]:
    """The text with at most two of its words in the other language: none that stands beside a capital, as in a name."""
    put: list[str] = []
    for word, other in pairs:
        found = re.search(rf"(?<![A-Z]\w )\b{word}\b(?! [A-Z])(?![-'’])", body)
        named = found and re.search(r"[A-Z][\w'’]* $", body[: found.start()][1:])
        if found and not named and len(put) < 2:
            body = f"{body[: found.start()]}{other}{body[found.end() :]}"
            put.append(other)
    return body, put


def _zh(case: Case, chosen: str, body: str, rng: random.Random) -> Iterator[Draft]:
    # Here the particle is the question itself.
    polite = re.search(r"好[吗不]$", body) is not None
    bare = body if polite else re.sub(r"不$", "", _PARTICLES.sub("", body))
    for pattern, template in rng.sample(_fitting(_ZH_FRAMES, chosen, "zh"), 2):
        pattern = pattern.rstrip("哈嘞") if polite else pattern
        text = pattern.format(body=bare if template.startswith("chatty") else body)
        yield Draft(repair(text + final_marks(chosen), chosen, "zh"), template, pattern.format(body="…"))
    mixed, words = body, 0
    names = [
        *re.findall(r"《[^》]*》|[（(][^）)]*[）)]", body),
        *(entity.text for entity in restored_entities(case, chosen)),
    ]
    for chinese_word, english_word in _MIXED:
        if chinese_word in mixed and words < 2 and not any(chinese_word in name for name in names):
            mixed, words = mixed.replace(chinese_word, f" {english_word} ", 1), words + 1
    if words:
        spaced = re.sub(r"\s+(?=[，。？！、：]|$)", "", " ".join(mixed.split()))
        yield Draft(spaced + final_marks(chosen), "mixed_language", spaced)
    lossy = re.sub(rf"(是[^，。？！]*[{_MADE}])的(?=[吗呢啊呀]?$)", r"\1", body)
    if lossy == body:
        lossy = re.sub(r"哪[部首张位座本款所](?=(?:电影|歌|专辑|歌手|演员|导演|景点|书|手机|学校|大学))", "哪", body)
    if lossy != body:
        yield Draft(lossy.replace("，", "") + final_marks(chosen), "missing_particle", lossy)
    particle = _PARTICLES.search(body)
    if particle:
        yield Draft(
            f"{body}{particle.group()}{particle.group()}{final_marks(chosen)}", "doubled_particle", particle.group() * 3
        )
