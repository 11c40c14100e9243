"""Redundancy: the rewrite says the same thing twice, or drags a preamble along."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, of_templates, repeats, settle
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.repair import final_marks, repair, without_final_marks
from pairwright.perturbers.text.spans import restored_entities
from pairwright.perturbers.text.substitutes import spoken_name

Template = Literal[
    "talked_about",
    "question_about",
    "i_mean",
    "mentioned_before",
    "in_other_words",
    "say_again",
    "repeat_sentence",
]

_EN_NAMED = (
    ("Regarding {name}, which we have been talking about, {lower}", "talked_about"),
    ("I have another question about {name}. My question about {name} is this: {lower}", "question_about"),
    ("About {name}, I mean {name} from before, {lower}", "i_mean"),
)
_EN_BARE = (
    ("{body}, or in other words, {lower}", "in_other_words"),
    ("{body}{stop} Let me say that again: {lower}", "say_again"),
)
_ZH_NAMED = (
    ("关于我们刚才一直在说的{name}，{body}", "talked_about"),
    ("我想再问一个关于{name}的问题，{name}的这个问题就是，{body}", "question_about"),
    ("{name}，也就是前面提到的{name}，{body}", "mentioned_before"),
)
_ZH_BARE = (("{body}，也就是说，{body}", "in_other_words"), ("{body}，我再说一遍，{body}", "say_again"))


class Redundancy(Component):
    """Repeats the entity in a preamble, or the whole request in other clothes."""

    name: ClassVar[str] = "redundancy"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    templates: tuple[Template, ...] = Field((), description="Only these kinds of edit; empty for all of them.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = of_templates(_drafts(case, chosen.text, rng), self.templates)
        yield from settle(self.name, "redundant", case, chosen, drafts, repeats, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    body = without_final_marks(chosen)
    if not body:
        yield impossible("nothing_to_repeat")
        return
    zh = case.language == "zh"
    entities = restored_entities(case, chosen)
    named = list(_ZH_NAMED if zh else _EN_NAMED)
    bare = list(_ZH_BARE if zh else _EN_BARE)
    rng.shuffle(named)
    rng.shuffle(bare)
    name = next(
        (
            name
            for name in (spoken_name(chosen, entity, case.language) for entity in entities)
            if not name.startswith(("我", "my ")) and name
        ),
        "",
    )
    lower = english.uncapitalised(body)
    one_sentence = not re.search(r"[.?!。？！]", body)
    patterns = (named if name and one_sentence else []) + (bare if one_sentence and len(body) < 80 else [])
    greeting, body = chinese.split_opening(body) if zh else ("", body)
    for pattern, template in patterns:
        text = (
            greeting
            + pattern.format(name=name, body=body, lower=lower, stop="?" if "?" in final_marks(chosen) else ".")
            + final_marks(chosen)
        )
        yield Draft(repair(text, chosen, case.language), template, name or body)
    if not patterns:
        sentences = re.findall(r"[^。？！]+[。？！]*" if zh else r"[^.?!]+[.?!]*\s*", chosen)
        joint = "" if zh else " " if final_marks(chosen) else ". "
        yield Draft(chosen.strip() + joint + sentences[-1].strip(), "repeat_sentence", sentences[-1].strip())
