"""Style: the right content in the wrong register: chatty, stiff, telegraphic, or in two languages at once."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.components import Component
from pairwright.core.records import Candidate, Dropped, Rejected, RewriteTask
from pairwright.perturbers import english
from pairwright.perturbers.repair import final_marks, repair, without_final_marks
from pairwright.perturbers.spans import restored_entities
from pairwright.perturbers.verify import Draft, impossible, off_register, settle

_EN_FRAMES = (
    ("So, um, like, {lower}", "chatty_filler"),
    ("Yo, quick one, {lower}", "chatty_slang"),
    ("I hereby kindly request information on this matter: {lower}", "stiff_request"),
    ("It is desired to obtain knowledge about a certain matter: {lower}", "stiff_passive"),
)
_ZH_FRAMES = (
    ("那啥，{body}哈", "chatty_filler"),
    ("我说哥们儿，{body}嘞", "chatty_slang"),
    ("兹就以下事宜予以咨询：{body}", "stiff_formula"),
    ("烦请贵方就下述问题予以明示：{body}", "stiff_request"),
    ("这是一个关于下面这件事情的提问：{body}", "translated"),
)
_MIXED = (
    ("电影", "movie"), ("酒店", "hotel"), ("地址", "address"), ("电话", "phone number"), ("餐馆", "restaurant"), ("门票", "ticket"), ("评分", "rating"),
    ("推荐", "recommend"), ("价格", "price"), ("专辑", "album"), ("景点", "spot"), ("附近", "nearby"), ("周边", "nearby"), ("时间", "time"),
    ("导演", "director"), ("歌手", "singer"), ("公司", "company"), ("主唱", "vocal"), ("上映", "release"), ("发行", "release"),
    ("什么时候", "when"), ("服务", "service"), ("手机", "phone"), ("天气", "weather"), ("城市", "city"), ("朋友", "friend"),
)  # fmt: skip
_PARTICLES = re.compile(r"[吗呢吧啊呀]$")


class Style(Component):
    """Keeps what is asked and spoils how: a frame around the request, words of another language, function words gone."""

    name: ClassVar[str] = "style"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, task: RewriteTask, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(task, chosen.rewrite, rng)
        yield from settle(self.name, "wrong_register", task, chosen, drafts, off_register, self.variants)


def _drafts(task: RewriteTask, chosen: str, rng: random.Random) -> Iterator[Draft]:
    body = without_final_marks(chosen)
    if len(body) < 4:
        yield impossible("nothing_to_spoil")
        return
    drafts = list(_zh(task, chosen, body, rng) if task.language == "zh" else _en(chosen, body, rng))
    rng.shuffle(drafts)
    yield from drafts


def _en(chosen: str, body: str, rng: random.Random) -> Iterator[Draft]:
    lower = body if re.match(r"I\b|[A-Z][A-Z]|[A-Z]\w+ [A-HJ-Z]", body) else body[:1].lower() + body[1:]
    for pattern, template in rng.sample(_EN_FRAMES, 2):
        yield Draft(
            repair(pattern.format(lower=lower) + final_marks(chosen), chosen, "en"), template, pattern.format(lower="…")
        )
    tokens = english.tokenize(body)
    kept = [token.text for token in tokens if token.is_word and not english.is_closed_class(token.lower)]
    plain = not re.search(r"\b(?:not|no|than|between|why|how|when|where|who|if|or|like)\b|n't|[.?!]\s", body, re.I)
    if plain and 3 <= len(kept) <= len(tokens) - 3:
        yield Draft(" ".join(kept) + final_marks(chosen), "telegraphic", " ".join(kept))


def _zh(task: RewriteTask, chosen: str, body: str, rng: random.Random) -> Iterator[Draft]:
    bare = _PARTICLES.sub("", body)
    for pattern, template in rng.sample(_ZH_FRAMES, 2):
        text = pattern.format(body=bare if template.startswith("chatty") else body)
        yield Draft(repair(text + final_marks(chosen), chosen, "zh"), template, pattern.format(body="…"))
    mixed, words = body, 0
    names = [
        *re.findall(r"《[^》]*》|[（(][^）)]*[）)]", body),
        *(entity.text for entity in restored_entities(task, chosen)),
    ]
    for chinese_word, english_word in _MIXED:
        if chinese_word in mixed and words < 2 and not any(chinese_word in name for name in names):
            mixed, words = mixed.replace(chinese_word, f" {english_word} ", 1), words + 1
    if words:
        spaced = re.sub(r"\s+(?=[，。？！、：]|$)", "", " ".join(mixed.split()))
        yield Draft(spaced + final_marks(chosen), "mixed_language", spaced)
    particle = _PARTICLES.search(body)
    if particle:
        yield Draft(
            f"{body}{particle.group()}{particle.group()}{final_marks(chosen)}", "doubled_particle", particle.group() * 3
        )
