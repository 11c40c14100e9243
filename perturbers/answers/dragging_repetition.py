"""Dragging repetition: the answer is there, with what was said already once more around it."""

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
from pairwright.perturbers.proof.answer_proof import dragging, prove
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import ending, is_aside, is_json, sentences, wish

# Characters, here and in the next two.
_LONGEST_QUERY = {"en": 240, "zh": 80}
_LONGEST_SENTENCE = {"en": 260, "zh": 90}
_SHORTEST_SENTENCE = {"en": 18, "zh": 8}


class DraggingRepetition(Component):
    """Says again, at length, what was said: ``question_FRAME`` the user's words, ``earlier_FRAME`` an earlier answer of
    the assistant, ``self_FRAME`` a sentence of the answer itself. Frames: ``answers.LANGUAGE.txt``, ``repeat.*``."""

    name: ClassVar[str] = "dragging_repetition"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "dragging_repetition", case, chosen, drafts, dragging, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if is_json(chosen):
        yield impossible("is_json")
        return
    if is_aside(chosen, case.language) and len(chosen) < _LONGEST_SENTENCE[case.language]:
        yield impossible("nothing_to_repeat", chosen)
        return
    drafts = [*_question(case, chosen, rng), *_earlier(case, chosen, rng), *_self(case, chosen, rng)]
    rng.shuffle(drafts)
    yield from drafts
    if not drafts:
        yield impossible("nothing_to_repeat", chosen)


def _joint(case: Case) -> str:
    return " " if case.language == "en" else ""


def _question(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    query = " ".join(case.query.split())
    if (
        not wish(case.query, case.language)
        or not _SHORTEST_SENTENCE[case.language] <= len(query) <= _LONGEST_QUERY[case.language]
        # The frames put the query into quotation marks of their own.
        or '"' in query
        or "”" in query
    ):
        return
    frames = phrase_banks.phrases(case.language, "repeat.words")
    if lang.is_question(query, case.language):
        frames += phrase_banks.phrases(case.language, "repeat.question")
    frame = rng.choice(frames)
    said = frame.text.replace("{query}", query)
    text = said + _joint(case) + chosen
    again = list(_sayable(case, chosen))
    # one echo of the question does not drag a long answer
    if len(said) < 0.4 * len(chosen) and again:
        text += _joint(case) + _once_more(case, again, len(chosen) // 3, rng)
    yield Draft(text, f"question_{frame.slug}", said)


def _earlier(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    wanted = max(len(chosen) // 2, _SHORTEST_SENTENCE[case.language])
    for turn in reversed(case.history):
        # The sentences of a numbered list do not stand alone.
        listed = re.search(r"(?:^|\s)[(（]?\d[.)）、]", turn.content)
        found = [] if turn.role != "assistant" or listed else list(_sayable(case, turn.content))
        if not found:
            continue
        frame = rng.choice(phrase_banks.phrases(case.language, "repeat.earlier"))
        said, length = [], 0
        for sentence in found:
            said.append(sentence)
            length += len(sentence)
            if length >= wanted:
                break
        recap = frame.text.replace("{sentence}", _joint(case).join(said))
        yield Draft(recap + _joint(case) + chosen, f"earlier_{frame.slug}", recap)
        return


def _self(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    again = list(_sayable(case, chosen))
    if again:
        said = _once_more(case, again, max(len(chosen) // 2, 1), rng)
        slug = next(
            frame.slug
            for frame in phrase_banks.phrases(case.language, "repeat.self")
            if said.startswith(frame.text.partition("{")[0])
        )
        text = chosen.rstrip()
        text += "" if ending(text) else "." if case.language == "en" else "。"
        yield Draft(text + _joint(case) + said, f"self_{slug}", said)


def _once_more(case: Case, again: list[str], wanted: int, rng: random.Random) -> str:
    """Sentences of the answer in frames, until about ``wanted`` characters are said twice."""
    parts: list[str] = []
    frames = phrase_banks.shuffled(case.language, "repeat.self", rng)
    for frame, sentence in zip(frames, sorted(again, key=len, reverse=True), strict=False):
        if sum(map(len, parts)) >= wanted:
            break
        parts.append(frame.text.replace("{sentence}", sentence))
    return _joint(case).join(parts)


def _sayable(case: Case, text: str) -> Iterator[str]:
    """The statements of a text that can be said again as they are."""
    for span in sentences(text, case.language):
        fits = _SHORTEST_SENTENCE[case.language] <= len(span.text) <= _LONGEST_SENTENCE[case.language]
        whole = ending(span.text) and not is_aside(span.text, case.language) and span.text[0] not in "-*•"
        if fits and whole and not lang.is_question(span.text, case.language):
            yield span.text
