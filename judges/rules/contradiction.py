"""An answer whose parts contradict each other: what it says of the query, and the rewrite that it then gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.language.text_analysis import content_words, light_words, mentions, normalise, restored, supported
from pairwright.core.records import Candidate, Case, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.rules.rule_verdicts import known_texts, same_question, verdicts

_COMPLETE = re.compile(
    r"\b(?:no|not (?:need|require)(?: any)?(?: a)?|without(?: a| any)?) (?:rewrit\w+|change\w*|context)\b"
    r"|(?:needs?|requires?) no \w+|\b(?:does|do)(?:n't| not) (?:need|require) (?:a |any |to be )?(?:rewrit|chang|context)\w*"
    r"|(?<!not )(?<!n't )(?:already|fully|completely) (?:complete|clear|standalone|self-contained|understandable)"
    r"|(?<!not )(?<!n't )(?:stands|understood|complete|makes sense|clear) (?:on its own|by itself|without the dialogue)"
    r"|(?:不|无)(?:需要?|用|必)(?:再)?(?:做|进行)?(?:任何)?(?:改写|改动|修改|补充|重写)|(?<!不)(?<!没有)(?:已经|本身)(?:很)?(?:完整|清楚|明确)"
    r"|(?<!不能)(?<!无法)(?<!难以)(?:单独|独立)(?:就|也|即|便)?(?:能|可以?)(?:被)?(?:看懂|理解|成立)|照抄|原样",
    re.IGNORECASE,
)
_INCOMPLETE = re.compile(
    r"\b(?:cannot|can't|not|n't|unclear|incomplete|but|however|refers?)\b|不能|无法|难以|不完整|但|指", re.IGNORECASE
)


class Contradiction(Component):
    """Fails an answer that contradicts itself.

    ``needs_rewrite`` false with a rewrite that asks something else, ``needs_rewrite`` true with a copy; an analysis
    that calls the query complete with a rewrite that adds to it; an analysis that names what the query means with a
    rewrite that brings none of it. Answers without analysis and ``needs_rewrite`` pass.
    """

    name: ClassVar[str] = "contradiction"

    async def judge(self, case: Case, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        return verdicts(self.name, "contradiction", (contradiction(case, one) for one in candidates))


def contradiction(case: Case, candidate: Candidate) -> str | None:
    """The two parts that contradict each other, quoted, or None."""
    copied = normalise(candidate.text) == normalise(case.query)
    if candidate.needs_rewrite is True and copied:
        return f"needs_rewrite: true / {candidate.text}"
    if candidate.needs_rewrite is False and not same_question(case.query, candidate.text, case.language):
        return f"needs_rewrite: false / {candidate.text}"
    if candidate.analysis is None:
        return None
    added = restored(case.query, candidate.text, case.language)
    complete = _COMPLETE.search(candidate.analysis)
    # "Clear, but it refers to …" says both: an analysis is only held to what it says plainly.
    if complete and added and not _INCOMPLETE.search(candidate.analysis):
        return f"{complete.group()} / {added[0]}"
    return None if complete else _forgotten(case, candidate.analysis, candidate.text)


def _forgotten(case: Case, analysis: str, rewrite: str) -> str | None:
    """What the analysis takes from the dialogue, where the rewrite has nothing of it."""
    dialogue = known_texts(case)[:-1]  # without the query, which is the last
    named = [
        mention.text
        for mention in mentions(analysis, case.language)
        if supported(mention.text, dialogue)
        and not supported(mention.text, [case.query])
        and not light_words(case.language).issuperset(content_words(mention.text, case.language))
    ]
    if not named or any(_shares(name, rewrite, case) for name in named):
        return None
    return f"{named[0]} / {rewrite}"


def _shares(name: str, rewrite: str, case: Case) -> bool:
    return supported(name, [rewrite]) or any(
        supported(span, [name]) for span in restored(case.query, rewrite, case.language)
    )
