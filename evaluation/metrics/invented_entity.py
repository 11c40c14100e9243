"""Invented-entity rate: the share of rewrites that name something which nobody said.

A name, number or time of the rewrite is invented when most of its content words, or one that begins with a capital
letter or a digit, are neither in the dialogue, nor in the query, nor in the reference. A common noun phrase is
invented when any of its words is, but only in a rewrite that lacks something which the reference restores: there it
stands in its place, while elsewhere it is wording. What counts as said is as forgiving as in the judge ``invented_entity``: misspellings,
derivations and abbreviations are.
"""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.language.en import analyse
from pairwright.core.language.entities import Mention
from pairwright.core.language.text_analysis import light_words, mentions, normalise, restored, supported
from pairwright.core.records import Language
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, share
from pairwright.judges.rules.rule_verdicts import unsaid_words


def invented(case: MetricCase) -> tuple[str, ...]:
    """What the rewrite names out of nowhere."""
    row, rewrite = case.row, case.prediction.rewrite
    said = (*row.dialogue_texts, row.reference)
    replaced = any(_rarer(span, rewrite, row.reference) for span in restored(row.query, row.reference, row.language))
    found = (*mentions(rewrite, row.language), *(_gerunds(rewrite) if row.language == "en" else ()))
    return tuple(
        mention.text
        for mention in found
        if (replaced or mention.kind != "noun")
        and mention.text not in row.reference
        and not supported(mention.text, said)
        and _foreign(mention, said, row.language)
    )


def _rarer(span: str, rewrite: str, reference: str) -> bool:
    """True when the rewrite has the span less often than the reference."""
    wanted = normalise(span)
    return normalise(rewrite).count(wanted) < normalise(reference).count(wanted)


def _gerunds(rewrite: str) -> Iterator[Mention]:
    """Activities (recycling, swimming), which are no mentions because the tagger calls them verbs."""
    for token in analyse(rewrite).tokens:
        if token.tag == "VBG":
            yield Mention(token.text, token.start, token.end, "noun")


def _foreign(mention: Mention, said: tuple[str, ...], language: Language) -> bool:
    words, unsaid = unsaid_words(mention.text, said, language)
    if light_words(language).issuperset(unsaid):
        return False
    if mention.kind == "noun":
        return True
    marked = [word for word in mention.text.split() if word[0].isupper() or word[0].isdigit()]
    return 2 * len(unsaid) > len(words) or any(unsaid_words(word, said, language)[1] for word in marked)


def _invents(case: MetricCase) -> Sums:
    return share(bool(invented(case)))


INVENTED_ENTITY = Metric("invented_entity", "the rewrite names something that nobody said", "lower", _invents)
