"""Invented entity: a name that stands nowhere in the dialogue takes the place of the one that was meant."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import ClassVar, Self

from pydantic import Field, PrivateAttr

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, SftRow
from pairwright.perturbers.proof.rewrite_proof import Draft, foreign, impossible, settle
from pairwright.perturbers.text.corpus_names import Names, collect
from pairwright.perturbers.text.noun_phrases import kind_of
from pairwright.perturbers.text.repair import repair
from pairwright.perturbers.text.spans import Entity, dialogue_text, restored_entities
from pairwright.perturbers.text.substitutes import can_be_swapped, class_zh, put_in_place

FEW = 5


class InventedEntity(Component):
    """Replaces a restored entity by a name of the same kind from elsewhere: real places, films, people, companies.

    In a build, elsewhere is another dialogue of the build, as long as it has ``FEW`` names of the kind: names of the
    same domain, each of which is chosen text in its own dialogue, so that the name alone gives no reject away. Else
    it is the packaged names (``names.en.txt``, ``names.zh.txt``), which are grouped by kind. ``pool`` adds names of
    your own domain to every kind.
    """

    name: ClassVar[str] = "invented_entity"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")
    pool: tuple[str, ...] = Field(
        (), description="Names of your own domain, drawn from as well as the packaged ones of the kind."
    )

    corpus: bool = Field(
        True, description="Take names from other dialogues of the build where it has enough of the kind."
    )
    _names: Names = PrivateAttr(default_factory=dict)

    def knowing(self, rows: Iterable[SftRow]) -> Self:
        """See :class:`~pairwright.core.components.CorpusReader`."""
        if not self.corpus:
            return self
        copy = self.model_copy()
        copy._names = collect(rows, lambda row, entity: _kind(row.task, row.chosen.text, entity))
        return copy

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, self.pool, self._names, rng)
        yield from settle(self.name, "invented_entity", case, chosen, drafts, _unheard, self.variants)


def _unheard(case: Case, chosen: str, text: str) -> str:
    return foreign(case, chosen, text)


def _drafts(case: Case, chosen: str, pool: tuple[str, ...], corpus: Names, rng: random.Random) -> Iterator[Draft]:
    entities = restored_entities(case, chosen)
    if not entities:
        yield impossible("nothing_restored")
        return
    known = (dialogue_text(case) + case.query + chosen).lower()
    for entity in entities:
        if case.language == "en":
            neighbour = _neighbour(entity)
            if neighbour:
                text = chosen[: entity.start] + neighbour + chosen[entity.end :]
                yield _draft(case, chosen, text, "neighbour", entity.text, neighbour)
            if not can_be_swapped(entity):
                yield impossible("does_not_fit", entity.text)
                continue
        kind = _kind(case, chosen, entity)
        heard = _unmentioned(corpus.get((case.language, kind), ()), known)
        if len(heard) < FEW:
            heard += _unmentioned(packaged_names(case.language).get(kind, ()), known)
        usable = _unmentioned(pool, known) + heard
        if not usable:
            yield impossible("no_name_of_kind", f"{entity.text}: {kind or 'unknown kind'}")
            continue
        name = rng.choice(usable)
        text = put_in_place(chosen, entity, name, case.language)
        if text:
            yield _draft(case, chosen, text, f"invent_{kind}", entity.added, name)
        else:
            yield impossible("does_not_fit", entity.text)


def _unmentioned(names: Iterable[str], known: str) -> list[str]:
    return [name for name in names if name.removeprefix("the ").lower() not in known]


def _draft(case: Case, chosen: str, text: str, template: str, old: str, new: str) -> Draft:
    return Draft(repair(text, chosen, case.language), template, f"{old} → {new}", {"entity": old, "put": new})


def _neighbour(entity: Entity) -> str:
    """The phrase with one of its restored words turned into its neighbour (pork ribs → beef ribs); may be empty."""
    words = entity.text.split()
    for place, word in enumerate(words):
        other = _NEIGHBOURS.get(word.lower())
        if other and word in entity.added.split():
            words[place] = other.capitalize() if word[0].isupper() else other
            return " ".join(words)
    return ""


_PAIRS = (
    "black white|cheap expensive|north south|east west|french italian|chinese japanese|indian thai|spanish portuguese|"
    "british irish|old new|indoor outdoor|solar wind|male female|hot cold|red green|electric diesel|pork beef|throat lung|"
    "first second|summer winter|public private|early late|left right|small large|young old|northern southern|"
    "eastern western|european american|english german|norwegian swedish|christmas easter|depression anxiety|"
    "turkey duck|meat milk|dog cat|sharks whales|spirits wines|squats lunges|physical mental|software hardware|"
    "android windows|university school|jamaican cuban|korean vietnamese|mexican brazilian|mediterranean lebanese"
)
_NEIGHBOURS = {one: other for pair in _PAIRS.split("|") for one, other in (pair.split(), reversed(pair.split()))}


def _kind(case: Case, chosen: str, entity: Entity) -> str:
    history = dialogue_text(case)
    if case.language == "zh":
        return class_zh(history, entity.text, entity.change.replaced, chosen[entity.end : entity.end + 8]).name
    kind = kind_of(entity.text, history, sentence=chosen).lower()
    groups = packaged_names("en")
    singular = kind.removesuffix("s")
    if not kind and entity.text.lower() in groups:
        return entity.text.lower()
    if kind in groups or singular in groups:
        return kind if kind in groups else singular
    return "name" if entity.text[0].isupper() else "topic"


@cache
def packaged_names(language: Language) -> dict[str, tuple[str, ...]]:
    """The packaged names by kind."""
    text = (files("pairwright.perturbers.rewrites") / f"names.{language}.txt").read_text(encoding="utf-8")
    lines = [line.partition(":") for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {kind.strip(): tuple(name.strip() for name in names.split("|")) for kind, _, names in lines}
