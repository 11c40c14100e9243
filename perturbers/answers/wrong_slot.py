"""Wrong slot: one value of the answer belongs to something else: a price, a phone number, an address, a date, a name."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected, TaskKind
from pairwright.perturbers.answers.tool_text import result_leaves
from pairwright.perturbers.proof.answer_proof import prove, slot_changed
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import english
from pairwright.perturbers.text.answer_text import is_json, turns, wish
from pairwright.perturbers.text.names import Name, names, rivals
from pairwright.perturbers.text.values import near, others, values

_OPEN = re.compile(
    r"推荐|有[什哪啥没]|哪些|[哪啥].*[去吃住玩好]|(?:景点|餐馆|酒店|饭店|地方).{0,4}[没吗呢]|[找想要][^，。]*(?:景点|餐馆|酒店|饭店|地方)"
    r"|\b(?:recommend|suggest|any|some|other|examples?|which|looking for|find|list)\b",
    re.IGNORECASE,
)
"""A wish that many things would meet: another name of the dialogue might be right too."""
_BRACKETS = re.compile(r"[（(][^（()）]*[)）]")


class WrongSlot(Component):
    """Puts another value of the same kind in the place of one that the answer states.

    ``other_KIND`` takes it from elsewhere in the dialogue or from the tools' results, ``near_KIND`` is a value of the
    same form that is not far off (01062751230 → 01062751320), ``other_name_KIND`` names another thing of the dialogue
    and ``other_record`` another record of the tools' results.
    """

    name: ClassVar[str] = "wrong_slot"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "wrong_slot", case, chosen, drafts, slot_changed, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if is_json(chosen):
        yield impossible("is_json")
        return
    stated = [*_records(case, chosen), *_stated(case, chosen, rng)]
    rng.shuffle(stated)
    # another value of the dialogue is the more instructive mistake
    stated.sort(key=lambda draft: draft.template.startswith("near_") and rng.random() < 0.7)
    makers = (iter(stated), _named(case, chosen))
    empty = True
    for maker in makers if rng.random() < 0.7 else reversed(makers):
        for draft in maker:
            empty = False
            yield draft
    if empty:
        yield impossible("no_slot_value", chosen)


def _stated(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    texts = tuple(turn.content for turn in turns(case))
    for value in values(chosen, case.language):
        other = next((one for one in others(value, texts, case.language) if one not in chosen), "")
        if other:
            yield _draft(chosen, value.text, other, value.start, f"other_{value.kind}")
        shifted = near(value, case.language, rng)
        if shifted and shifted not in chosen:
            yield _draft(chosen, value.text, shifted, value.start, f"near_{value.kind}")


def _records(case: Case, chosen: str) -> Iterator[Draft]:
    leaves = [leaf for leaf in result_leaves(case) if 1 < len(leaf.text) <= 60]
    for leaf in leaves:
        at = chosen.find(leaf.text)
        if at < 0 or _runs_on(chosen, at, at + len(leaf.text)):
            continue
        rival = next((one.text for one in leaves if one.key == leaf.key and one.text not in chosen), "")
        if rival:
            yield _draft(chosen, leaf.text, rival, at, "other_record")


def _runs_on(text: str, start: int, end: int) -> bool:
    """Whether the value is but part of a longer word or number."""
    around = text[max(start - 1, 0) : start], text[end : end + 1]
    return any(one.isascii() and one.isalnum() for one in around)


def _named(case: Case, chosen: str) -> Iterator[Draft]:
    if _OPEN.search(wish(case.query, case.language) or case.query):
        return
    known: dict[str, tuple[Name, ...]] = {}
    taken = [(value.start, value.end) for value in values(chosen, case.language)]
    taken += [match.span() for match in _BRACKETS.finditer(chosen)]
    for name in names(chosen, case.language):
        if any(start < name.end and name.start < end for start, end in taken if (start, end) != (name.start, name.end)):
            continue
        if name.kind not in known:
            known[name.kind] = rivals(case, chosen, name.kind)
        for rival in known[name.kind][:1]:
            # what the user just named may be true of the answer too
            if rival.text in case.query and name.text not in case.query:
                continue
            yield _draft(chosen, name.text, rival.text, name.start, f"other_name_{name.kind}")


def _draft(chosen: str, old: str, new: str, start: int, template: str) -> Draft:
    text = _with_article(chosen[:start], new) + new + chosen[start + len(old) :]
    # A name that is said twice has to change twice, or the answer names both.
    if template.startswith("other_name"):
        text = chosen.replace(old, new)
    return Draft(text, template, f"{old} → {new}", {"slot": lang.normalise(old), "put": new})


def _with_article(before: str, word: str) -> str:
    """What stands before the value, its a or an made to fit."""
    article = re.search(r"\b([Aa])n? $", before)
    if not article or not word[:1].isalpha():
        return before
    fitting = english.article_for(word)
    return before[: article.start()] + (fitting.capitalize() if article.group(1) == "A" else fitting) + " "
