"""Skipped step: one of the steps is missing, and the others are numbered anew."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.language import en
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.answers.steps_in_text import Step, Steps, find_steps
from pairwright.perturbers.proof.answer_proof import prove, step_missing
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import english
from pairwright.perturbers.text.answer_text import is_json

_PROCEDURE = re.compile(
    r"\bsteps?\b|\bprocess\b|\bprocedure\b|\binstructions?\b|\brecipe\b|步骤|流程|做法|教程|分[一二三四五六七八九两\d]+步",
    re.IGNORECASE,
)
_HOW = re.compile(
    r"\bhow (?:do|can|to|should|would|does|is|are)\b|\btips?\b|\badvice\b|\bprepare|\bguide\b|\bbest way\b|怎么|怎样|如何|方法|操作|攻略|办理|申请|建议|计划|准备|要注意",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\bsteps? \d|\bnumber \d|第[一二三四五六七八九十\d]步(?!，|：|:|、)|上一步|the previous step|as (?:described )?above",
    re.IGNORECASE,
)
_NUMBERS_EN = "one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
_HAN = "一二三四五六七八九十"


class SkippedStep(Component):
    """Leaves out one step of a procedure and numbers the rest anew, so that it reads smoothly.

    Numbered lines, numbers inside a line, 第一步 …, and steps put in order by words (First … Then … Finally; 首先 …
    然后 … 最后). A count in the text (these five steps) follows. The template says which step went.
    """

    name: ClassVar[str] = "skipped_step"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "skipped_step", case, chosen, drafts, step_missing, self.variants)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    found = None if is_json(chosen) else find_steps(chosen, case.language)
    if found is None:
        yield impossible("no_steps", chosen[:80])
        return
    if found.form != "words" and not _is_procedure(case, chosen, found):
        yield impossible("no_procedure", chosen[:80])
        return
    if _REFERS.search("".join(chosen[step.start + len(step.mark) : step.end] for step in found.steps)):
        yield impossible("steps_refer_to_each_other", chosen[:80])
        return
    for at in rng.sample(range(len(found.steps)), len(found.steps)):
        gone = chosen[found.steps[at].start : found.steps[at].end].strip()
        text = _count_down(_without(chosen, found, at, case.language), len(found.steps), case.language)
        place = "first" if at == 0 else "last" if at == len(found.steps) - 1 else f"step_{at + 1}"
        yield Draft(text, f"{found.form}_{place}", gone[:120], {"step": at + 1})


def _is_procedure(case: Case, chosen: str, found: Steps) -> bool:
    """Whether the numbers order things to do: the question or the introduction says so, or how is asked and the items tell."""
    told = case.query + "\n" + chosen[: found.steps[0].start]
    if _PROCEDURE.search(told):
        return True
    items = [chosen[step.start + len(step.mark) : step.end].strip(" *:") for step in found.steps]
    orders = sum(_is_order(item, case.language) for item in items)
    return bool(_HOW.search(told)) and orders * 2 > len(items)


def _is_order(item: str, language: Language) -> bool:
    """Whether an item tells to do something: Press the button; Chinese verbs do not show."""
    if language == "zh":
        return True
    first = re.match(r"\W*([A-Za-z]+)", item)
    tokens = en.analyse(item[:80]).tokens
    return bool(first and english.is_verb(first.group(1).lower())) or bool(tokens and tokens[0].tag in ("VB", "VBP"))


def _without(chosen: str, found: Steps, at: int, language: Language) -> str:
    text, last = "", 0
    place = 0
    for index, step in enumerate(found.steps):
        text += chosen[last : step.start]
        last = step.end
        if index == at:
            text = _closed(text, chosen, found.steps, at)
            continue
        body = chosen[step.start + len(step.mark) : step.end]
        text += _mark(found, index, place, at, language) + body
        place += 1
    return (text + chosen[last:]).strip()


def _closed(text: str, chosen: str, steps: Sequence[Step], at: int) -> str:
    """When the last step goes, the one before it closes the list with the last one's punctuation."""
    if at != len(steps) - 1:
        return text
    mark = re.search(r"[.;,。；，]?\s*$", chosen[steps[at].start : steps[at].end])
    return re.sub(r"(?:[;,；，]|\band)?\s*$", "", text) + (
        mark.group() if mark and not re.search(r"[.。!！?？]\s*$", text) else ""
    )


def _mark(found: Steps, index: int, place: int, gone: int, language: Language) -> str:
    """The mark of a step that stays: its number counts anew, a word that opens or closes the list moves on."""
    step = found.steps[index]
    if found.form in ("lines", "inline"):
        return re.sub(r"\d+", str(place + 1), step.mark, count=1)
    if found.form == "circled":
        return chr(ord("①") + place)
    if found.form == "ordinals" or re.fullmatch(r"第.步", step.mark):
        return re.sub(rf"[{_HAN}]", _HAN[place], step.mark, count=1)
    last = len(found.steps) - 1
    if index == 1 and gone == 0:
        # Start by taking photos → First, write down the readings
        return "First" if found.steps[0].mark.lower() == "start by" else found.steps[0].mark
    if index == last - 1 and gone == last and last > 1:
        return found.steps[last].mark
    if re.match(r"(?:Second|Third|Fourth)", step.mark) and gone < index:
        return "Then" if language == "en" else step.mark
    return step.mark


def _count_down(text: str, number: int, language: Language) -> str:
    """These five steps → these four steps."""
    if language == "en":
        wanted, put = _NUMBERS_EN[number - 1 : number], _NUMBERS_EN[number - 2 : number - 1]
        noun = r"(?=(?: [\w-]+){0,2} (?:[\w-]*-)?(?:steps|tips|ways|things|stages|points|phases|rules)\b)"
        if wanted:
            text = re.sub(rf"\b{wanted[0]}\b{noun}", put[0], text)
        return re.sub(rf"\b{number}\b{noun}", str(number - 1), text)
    # Not after 第: 第三步 is one of the steps, and no count of them. 三 becomes 两, as before any measure word.
    noun = r"(?=(?:个|大|点)?(?:步骤|步|点|方法|建议|要点|阶段|方面|条))"
    if number <= len(_HAN):
        text = re.sub(rf"(?<![第\d{_HAN}]){_HAN[number - 1]}{noun}", "两" if number == 3 else _HAN[number - 2], text)
    return re.sub(rf"(?<![第\d]){number}{noun}", str(number - 1), text)
