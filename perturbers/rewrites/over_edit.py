"""Over-edit: a query that stands on its own grows by context that nobody asked for."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import text_analysis as lang
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, grown, impossible, settle
from pairwright.perturbers.text import chinese, english
from pairwright.perturbers.text.antecedents import Antecedent, antecedents, topics
from pairwright.perturbers.text.repair import final_marks, repair, without_final_marks

_EN = (
    ("{body} in relation to {name}{end}", "in_relation_to"),
    ("As for {name}, {lower}{end}", "as_for"),
    ("When it comes to {name}, {lower}{end}", "when_it_comes_to"),
)
_EN_SAID = (
    ("Speaking of {name}, {lower}{end}", "speaking_of"),
    ("{body}, and this is about {name}{end}", "this_is_about"),
)
_EN_OPENING = re.compile(
    r"^(?:[^.!?]*[.!?]\s+|(?:yes|no|ok|okay|thanks|hello|hi|hmm|great|also|and),?\s+)+(?=\S)", re.I
)
_ZH = (
    ("关于{name}，{body}{end}", "about"),
    ("就{name}来说，{body}{end}", "as_for"),
    ("我想问一下{name}的事，{body}{end}", "ask_about"),
)
_ZH_SAID = (("说到{name}，{body}{end}", "speaking_of"), ("还是{name}的事，{body}{end}", "still_about"))


class OverEdit(Component):
    """Mirror of the unchanged copy: adds an entity of the dialogue to a query that needed nothing."""

    name: ClassVar[str] = "over_edit"
    variants: int = Field(2, ge=1, description="At most this many rejected texts per query.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        yield from settle(self.name, "over_edited", case, chosen, _drafts(case, chosen.text, rng), grown, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if lang.normalise(case.query) != lang.normalise(chosen):
        yield impossible("rewrite_needed")
        return
    # a lone common noun (foods, factors) is no entity that anybody would be tempted to add
    names = [one for one in antecedents(case, chosen) if not (one.phrase.islower() and " " not in one.phrase)][:4]
    if not names and case.language == "zh":
        # 景点 beside the name of one adds nothing
        names = [one for one in topics(case, chosen) if not chinese.is_full_class(one.text)][:2]
    if not names:
        yield impossible("nothing_to_add")
    for name in names:
        phrase = _constraint(case, name)
        if phrase:
            text = f"{without_final_marks(chosen)} {phrase}{final_marks(chosen)}"
            yield Draft(repair(text, chosen, case.language), "add_constraint", phrase, {"added": phrase})
        pattern, template = rng.choice(_patterns(case, chosen))
        opening, body = _split_opening(case, without_final_marks(chosen))
        lower = body if body.startswith(("I ", "I'")) or body[1:2].isupper() else body[:1].lower() + body[1:]
        if opening and not opening.rstrip().endswith((".", "!", "?")):
            pattern = pattern[:1].lower() + pattern[1:]
        text = opening + pattern.format(body=body, lower=lower, name=name.phrase, end=final_marks(chosen))
        yield Draft(repair(text, chosen, case.language), template, name.phrase, {"added": name.phrase})


def _split_opening(case: Case, body: str) -> tuple[str, str]:
    """What only greets or answers, and the request itself, which is what the addition belongs to."""
    if case.language == "zh":
        return chinese.split_opening(body)
    found = _EN_OPENING.match(body)
    return (found.group(), body[found.end() :]) if found else ("", body)


def _patterns(case: Case, chosen: str) -> tuple[tuple[str, str], ...]:
    asks = lang.is_question(chosen, case.language)
    if case.language == "zh":
        return _ZH if asks else _ZH_SAID
    if (
        without_final_marks(chosen).split()[-1:]
        and without_final_marks(chosen).split()[-1].lower() in english.PREPOSITIONS
    ):
        return _EN[1:]  # famous for in relation to …
    return _EN if asks else _EN_SAID


def _constraint(case: Case, name: Antecedent) -> str:
    """An English phrase of an earlier user turn that limits what is wanted: in the north part of town."""
    if case.language == "zh" or not name.by_user or name.preposition not in ("in", "near", "during", "without"):
        return ""
    return f"{name.preposition} {name.phrase}"
