"""Entity deletion: the rewrite loses an entity that it had brought back from the dialogue."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible, missing, settle
from pairwright.perturbers.text import english
from pairwright.perturbers.text.noun_phrases import HEADS, Frame, generic_head
from pairwright.perturbers.text.repair import agree, repair
from pairwright.perturbers.text.spans import Entity, noun_phrases, restored_entities

_JOINERS = ("、", "和", "与")
_OF_SEVERAL = re.compile(r"哪[个家些部首]|[这那][些几两]|都")
_TAIL = re.compile(r"(?:这?[部张首个家]?(?:电影|影片|专辑|乐队|组合|歌曲|歌)|公司)?的")


class EntityDeletion(Component):
    """Deletes each restored entity in turn, the most important first.

    English deletes what hangs on the entity too: its preposition, its possessive 's, its place in a list; of a name
    that the sentence cannot do without, the common noun stays (the Milgram experiment → the experiment). Chinese
    deletes the entity and the 的 that joins it.
    """

    name: ClassVar[str] = "entity_deletion"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:  # noqa: ARG002
        """See :class:`~pairwright.core.components.Perturber`."""
        yield from settle(self.name, "missing_entity", case, chosen, _drafts(case, chosen.text), missing, self.variants)


def _drafts(case: Case, chosen: str) -> Iterator[Draft]:
    entities = restored_entities(case, chosen)
    if not entities:
        yield impossible("nothing_restored")
    for entity in entities:
        cuts = _cuts_zh(chosen, entity) if case.language == "zh" else _cuts_en(chosen, entity)
        found = False
        for text, template in cuts:
            found = True
            yield Draft(repair(text, chosen, case.language), template, entity.added, {"entity": entity.added})
        if not found:
            yield impossible("needed_by_grammar", entity.text)


def _cuts_zh(chosen: str, entity: Entity) -> Iterator[tuple[str, str]]:
    before, after = chosen[: entity.start], chosen[entity.end :]
    if before.endswith(_JOINERS) or after.startswith(_JOINERS):
        clause = re.split(r"[，。？！]", before)[-1] + re.split(r"[，。？！]", after)[0]
        # 哪个 and 都 speak of several: of two things neither can go.
        if len(re.findall(r"[、和与]", clause)) > 1 or not _OF_SEVERAL.search(clause):
            yield _without_list_item(before, after), "drop_list_item"
        return
    tail = _TAIL.match(after)
    # In 现在 and the like 在 is part of the word, and no preposition that would go with its noun.
    if tail and before.endswith(("去", "在")) and not before.endswith(("现在", "实在", "正在")):
        yield before[:-1] + after[tail.end() :], "drop_phrase"
    elif tail:
        yield before + after[tail.end() :], "drop_with_particle"
    else:
        yield before + after, "drop_name"


def _without_list_item(before: str, after: str) -> str:
    if before.endswith(_JOINERS):
        return before[:-1] + after if not after.startswith(_JOINERS) else before + after[1:]
    return before + after[1:]


def _cuts_en(chosen: str, entity: Entity) -> Iterator[tuple[str, str]]:
    frame = Frame.around(chosen, entity)
    if entity.added != entity.text:
        rest = chosen[entity.added_end :]
        if frame.determiner and rest.strip().split()[:1] == [entity.text.split()[-1]]:
            rest = _lower_head(rest)
        yield chosen[: entity.added_start] + rest, "drop_modifier"
        return
    if frame.next_word in ("'s", "’s"):
        yield chosen[: frame.phrase_start] + "the" + chosen[frame.after_possessive :], "drop_possessor"
    elif frame.is_listed:
        yield _without_conjunct(chosen, frame), "drop_list_item"
    elif frame.preposition and frame.can_lose_its_preposition and not frame.runs_on and not frame.is_held:
        yield _without_phrase(chosen, frame), "drop_phrase"
    elif frame.ends_clause and english.can_stand_alone(frame.word_before_phrase):
        yield chosen[: frame.phrase_start] + chosen[frame.end :], "drop_object"
    head = generic_head(entity.text, bare=not frame.determiner)
    if head:
        bare = (
            english.is_mass(head)
            or frame.continues_a_phrase
            or frame.after_adverb
            or frame.word_before_phrase in ("one", "other", "another")
        )
        article = frame.determiner or ("" if bare else "the")
        yield f"{chosen[: frame.phrase_start]}{article} {head}{chosen[entity.end :]}", "keep_head"


def _lower_head(rest: str) -> str:
    """The Mediterranean Diet → the diet: the head of a name is no name by itself."""
    head = rest.split()[0]
    return rest.replace(head, head.lower(), 1) if head.istitle() and head.lower() in HEADS else rest


def _without_phrase(chosen: str, frame: Frame) -> str:
    """Without preposition and phrase, nor the and that joined them to another one."""
    before, after = (
        re.sub(r"\b(?:located|based|situated|found)\s+$", "", chosen[: frame.preposition_start]),
        chosen[frame.end :],
    )
    joined = re.search(r"\s+(?:and|or)\s+$", before)
    if joined:
        return before[: joined.start()] + after
    return before + re.sub(r"^\s+(?:and|or)(?=\s+(?:in|on|at|for|with|of|from|about)\b)", "", after)


def _without_conjunct(chosen: str, frame: Frame) -> str:
    """Without one of the phrases in a list; the verb beside the rest follows when only one is left."""
    if frame.joined_before:
        text, place = (
            chosen[: frame.joiner_start].rstrip() + chosen[frame.end :],
            len(chosen[: frame.joiner_start].rstrip()),
        )
    else:
        text, place = chosen[: frame.start] + chosen[frame.joiner_end :], frame.start
    if frame.joined_before and frame.joined_after:
        return text
    for phrase in noun_phrases(text):
        start, end = phrase[0].start, phrase[-1].end
        if start <= place <= end:
            return agree(text, start, end, english.is_plural(text[start:end]) or text[end:].startswith((" and", ",")))
    return text
