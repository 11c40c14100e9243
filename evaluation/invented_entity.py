"""Invented-entity rate: the share of rewrites that name something which nobody said.

An entity, number or time in the rewrite is invented when neither the dialogue, nor the query, nor the reference has it
in any form (:func:`pairwright.core.language.supported`), neither as a whole nor word by word: Chinese recognisers
run names and their neighbours together, and such a span is no invention.
"""

from __future__ import annotations

from pairwright.core.language import mentions, supported, words
from pairwright.core.records import Language
from pairwright.evaluation.metric import Case, Metric, Sums, share


def invented(case: Case) -> tuple[str, ...]:
    """What the rewrite names out of nowhere."""
    said = (*case.row.dialogue_texts, case.row.reference)
    found = mentions(case.prediction.rewrite, case.row.language)
    return tuple(one.text for one in found if one.kind != "noun" and not _said(one.text, case.row.language, said))


def _said(name: str, language: Language, said: tuple[str, ...]) -> bool:
    return supported(name, said) or (language == "zh" and all(supported(word, said) for word in words(name, language)))


def _invents(case: Case) -> Sums:
    return share(bool(invented(case)))


INVENTED_ENTITY = Metric("invented_entity", "the rewrite names something that nobody said", "lower", _invents)
