"""Wrong antecedent: another thing of the same dialogue takes the place of the one that was meant."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, settle, swapped
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.antecedents import Antecedent, antecedents
from pairwright.perturbers.text.noun_phrases import kind_of
from pairwright.perturbers.text.repair import repair
from pairwright.perturbers.text.spans import Entity, dialogue_text, restored_entities
from pairwright.perturbers.text.substitutes import can_be_swapped, class_zh, put_in_place

_ALSO_CALLED = re.compile(r"又叫|也叫|又名|别名|原名|本名|艺名|外号|英文名|简称")


class WrongAntecedent(Component):
    """Puts the most recent competitor of the same kind in the place of a restored entity."""

    name: ClassVar[str] = "wrong_antecedent"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:  # noqa: ARG002
        """See :class:`~pairwright.core.components.Perturber`."""
        yield from settle(
            self.name, "wrong_antecedent", case, chosen, _drafts(case, chosen.text), swapped, self.variants
        )


def _drafts(case: Case, chosen: str) -> Iterator[Draft]:
    entities = restored_entities(case, chosen)
    if not entities:
        yield impossible("nothing_restored")
        return
    rivals = antecedents(case, chosen)
    found = False
    for entity in entities:
        for rival in sorted(rivals, key=lambda one: (-_alikeness(case, chosen, entity, one), one.turn)):
            if _alikeness(case, chosen, entity, rival) <= 0:
                break
            text = put_in_place(chosen, entity, rival.phrase, case.language)
            if text:
                found = True
                evidence = f"{entity.added} → {rival.text}"
                yield Draft(
                    repair(text, chosen, case.language),
                    "swap_entity",
                    evidence,
                    {"entity": entity.added, "put": rival.text},
                )
    if not found:
        yield impossible("no_competitor")


def _alikeness(case: Case, chosen: str, entity: Entity, rival: Antecedent) -> int:
    """0 where the two cannot be mixed up."""
    history = dialogue_text(case)
    if case.language == "zh":
        # Another name may be the same person's or thing's.
        if _ALSO_CALLED.search(history) and ("·" in entity.text or len(entity.text) < 5):
            return 0
        own = class_zh(history, entity.text, entity.change.replaced, chosen[entity.end : entity.end + 8])
        theirs = class_zh(history, rival.text, "", "")
        return 3 if own.name == theirs.name else int(chinese.family(own) == chinese.family(theirs))
    if not can_be_swapped(entity):
        return 0
    if _is_name(entity.text) != _is_name(rival.text) or _first_word_only(rival, history):
        return 0
    own_kind = kind_of(entity.text, history, sentence=chosen)
    their_kind = kind_of(rival.text, history)
    if own_kind and their_kind and own_kind != their_kind:
        return 0
    same_number = english.is_plural(entity.text) == english.is_plural(rival.text)
    return 1 + same_number + 2 * (own_kind == their_kind != "")


def _is_name(text: str) -> bool:
    """Every word has a capital: Little Seoul, but not Korean restaurant, which may describe it."""
    return all(word[0].isupper() or word in ("of", "the", "and") for word in text.split())


def _first_word_only(rival: Antecedent, history: str) -> bool:
    """A capital that only the start of a sentence gave."""
    return " " not in rival.text and rival.text.lower() in history
