"""Missing clarification: the question that the answer must ask is replaced by a guess."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.proof.answer_proof import asks_nothing, inquires, prove
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import english, phrase_banks
from pairwright.perturbers.text.answer_text import Span, is_json, sentences
from pairwright.perturbers.text.values import choices


class MissingClarification(Component):
    """Drops the clarifying questions of an answer and takes something for granted instead.

    ``taken_FRAME``: the question itself turned into a statement (Are you looking for X? → I take it that you are
    looking for X). ``guessed_FRAME``: a value for what was asked, from ``assume.slot`` of ``answers.LANGUAGE.txt``.
    Offers (Would you like the address?) are no clarifying questions.
    """

    name: ClassVar[str] = "missing_clarification"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "missing_clarification", case, chosen, drafts, asks_nothing, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    asked = [span for span in sentences(chosen, case.language) if inquires(span.text, case.language)]
    if is_json(chosen) or not asked:
        yield impossible("asks_nothing", chosen[:80])
        return
    question = asked[-1].text
    if len(chosen) - sum(len(span.text) for span in asked) > max(_LONGEST_REST[case.language], 2 * len(question)):
        yield impossible("answers_first", chosen[:80])
        return
    lead, core = _parted(question, case.language)
    guesses = list(_taken(core, case.language)) or list(_guessed(core, case.language, rng))
    # Each guess in up to three frames: the first ones may not pass the proof.
    for (assumption, origin), frame in zip(
        guesses * 3, phrase_banks.shuffled(case.language, "assume.frame", rng), strict=False
    ):
        text = _replaced(chosen, asked, lead + frame.text.format(assumption=assumption), case.language, rng)
        yield Draft(text, f"{origin}_{frame.slug}", f"{question} → {assumption}")


_LONGEST_REST = {"en": 150, "zh": 40}
"""Characters: an answer that says more than this before it asks does not depend on what it asks."""
_LEAD = {
    "en": re.compile(
        r"^(.{12,}?)[,;:.]\s+(?=(?:so |and |but )?(?:which|what|do you|did you|are you|would you|where|when|how (?:many|much)|can you|could you)\b)",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"^(.{6,}?)[，,；](?=(?:请问|那|不知)?[您你](?:是|想|要|需|打|希|更|喜|的|对|说|指)|请问|请提供|请告)"
    ),
}


def _parted(question: str, language: Language) -> tuple[str, str]:
    """A statement that leads up to the question, as a sentence, and the question itself."""
    lead = _LEAD[language].match(question)
    if not lead:
        return "", question
    return lead.group(1) + (". " if language == "en" else "。"), question[lead.end() :]


def _replaced(chosen: str, asked: list[Span], said: str, language: Language, rng: random.Random) -> str:
    """The answer with ``said`` for its last question and without the others; a little more where that is very short."""
    text, last = "", 0
    for span in asked:
        text += chosen[last : span.start] + (said if span is asked[-1] else "")
        last = span.end
    if len(text.strip()) + len(chosen[last:].strip()) < len(chosen) * 0.9:
        text += (" " if language == "en" else "") + rng.choice(phrase_banks.phrases(language, "assume.go_on")).text
    return re.sub(r" {2,}", " ", text + chosen[last:]).strip()


def _taken(question: str, language: Language) -> Iterator[tuple[str, str]]:
    """The question as the statement that it asks about; of alternatives, one."""
    for pattern, put in _STATEMENTS[language]:
        match = pattern.search(question)
        if match:
            yield _one_of(match.expand(put).strip(), language), "taken"
            return


_OPENER = (
    r"^(?:(?:and|but|so|sure|yes|ok|okay|also|well|great|hmm|i am sorry|i'm sorry|sorry|i apologi[sz]e)\b[,!.]?\s*)*"
)
_STATEMENTS: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "en": tuple(
        (re.compile(_OPENER + pattern, re.IGNORECASE), put)
        for pattern, put in (
            (r"do you have (?:a|any) (?:[\w ]*)(?:preference|preferences)[^?]*\?", "you have no preference"),
            (
                r"do you (?:prefer|want|need|have) (?:an? )?(?:particular|certain|specific)[^?]*\?",
                "you have no preference",
            ),
            (r"do you think ((?:it|that|this)\b[^?]*)\?", r"\1"),
            (r"are you (\w+ing\b[^?]*|from [^?]*|in [^?]*)\?", r"you are \1"),
            (r"(?:do|did) you (mean|want|prefer|need) ([^?]*)\?", r"you \1 \2"),
            (r"would you (prefer|rather|like) ([^?]*)\?", r"you would \1 \2"),
        )
    ),
    "zh": tuple(
        (re.compile(pattern), put)
        for pattern, put in (
            (
                r"(?:请问)?([您你](?:是指|指的是|说的是|的意思是)[^，。？?]+?(?:，?还是[^，。？?]+?)?)[吗么]?[？?]",
                r"\1",
            ),
            (
                r"(?:请问)?([您你](?:是)?(?:想要?|需要|打算|希望|喜欢|更喜欢|偏好|倾向于?)(?![^？?]*(?:什么|哪|多少|几|怎|啥|谁))[^，。？?]+?)[吗么呢]?[？?]",
                r"\1",
            ),
            (r"(?:请问)?(?:是)([^，。？?哪什多几]+还是[^，。？?]+?)[呢吗]?[？?]", r"您说的是\1"),
        )
    ),
}


def _one_of(statement: str, language: Language) -> str:
    """The first of the alternatives: to Rome or to Paris → to Rome."""
    if language == "zh":
        return re.sub(r"，?还是.*$", "", statement)
    if re.search(r"\bor\b", statement, re.IGNORECASE):
        first, *_, last = re.split(r",\s*(?:or\s+)?|\s+or\s+", statement.strip(" ,"), flags=re.IGNORECASE)
        return f"{first}{_shared_noun(first, last)}".rstrip(" ,")
    return statement.rstrip(" ,")


def _shared_noun(first: str, last: str) -> str:
    """What the last alternative says for all of them: British, Indian or Chinese | food."""
    head, *tail = last.split()
    fits = 0 < len(tail) <= 2 and not english.is_function_word(head.lower()) and not head.lower().startswith("some")
    if not fits or tail[-1] == "else" or not " ".join(tail).islower() or first.lower().split()[-1] == tail[-1]:
        return ""
    return " " + (" ".join(tail) if tail == ["price", "range"] or tail[0] == "of" else tail[-1])


def _guessed(question: str, language: Language, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Values for what is asked for, the most telling words of the question deciding."""
    low = question.lower()
    for slot in phrase_banks.phrases(language, "assume.slot"):
        words = slot.slug.partition("|")[2].split(",")
        if any(re.search(rf"\b{word}", low) if language == "en" else word in low for word in words):
            found = choices(slot.text)
            for guess in rng.sample(found, len(found)):
                yield guess, "guessed"
            return
