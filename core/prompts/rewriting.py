"""The prompts of teacher and student, and the one place where dialogue text enters a prompt.

The wording stands in ``teacher.LANGUAGE.txt`` and ``student.LANGUAGE.txt`` beside this file: system message, a line
``=== user ===``, user message. A line that starts with ``[word]`` is kept only where that word applies: the target
style (``concise``, ``informative``), the form of the answer (``plain``, ``json``) or that of the prompt (``tags``,
``labels``).

The fixed part of a prompt comes first and the case last, so that servers with a prefix cache read it once. The exported
rows and the :class:`~pairwright.core.prompts.student.Student` that is asked later both call :func:`student_prompt`;
:func:`prompt_hashes` names its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field

from pairwright.core.config.build_file import PromptConfig, Style
from pairwright.core.identity import Row, content_id
from pairwright.core.prompts.escaping import unescape
from pairwright.core.prompts.fenced_json import parse_json
from pairwright.core.prompts.forms import TAGGED, PromptForm, labelled_form
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import Candidate, Case, Example, Language, Rejected, Turn
from pairwright.core.requests import Message

# Characters. In the schema of an answer they also end the loops that small models fall into.
ANALYSIS_LIMIT = 400
REWRITE_LIMIT = 600


class TeacherAnswer(Row):
    """What a teacher answers."""

    analysis: str = Field(max_length=ANALYSIS_LIMIT)
    needs_rewrite: bool
    rewrite: str = Field(min_length=1, max_length=REWRITE_LIMIT)


class StudentAnswer(Row):
    """What a student with ``prompt.analysis`` answers; without it the answer is the bare rewrite."""

    analysis: str = Field(max_length=ANALYSIS_LIMIT)
    rewrite: str = Field(min_length=1, max_length=REWRITE_LIMIT)


class StudentPrompt(NamedTuple):
    """The two messages that a student sees."""

    system: str
    user: str


def _schema(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_ANALYSIS = {"type": "string", "maxLength": ANALYSIS_LIMIT}
_REWRITE = {"type": "string", "maxLength": REWRITE_LIMIT}
ANSWER_SCHEMA = _schema(analysis=_ANALYSIS, needs_rewrite={"type": "boolean"}, rewrite=_REWRITE)
STUDENT_SCHEMA = _schema(analysis=_ANALYSIS, rewrite=_REWRITE)


def teacher_messages(case: Case, style: Style = "concise") -> tuple[Message, ...]:
    """The messages that ask a teacher or weak model for the rewrite of ``case`` as JSON of ``ANSWER_SCHEMA``."""
    shown = [(one, _json(one.analysis, one.rewrite, one.needs_rewrite)) for one in case.examples]
    system, user = _render("teacher", case, frozenset({style}), shown)
    return Message(role="system", content=system), Message(role="user", content=user)


def student_prompt(case: Case, config: PromptConfig) -> StudentPrompt:
    """The prompt of the student: the same for training, serving and evaluation."""
    plain = config.form == "plain"
    words = frozenset({config.style, "json" if config.analysis else "plain", "labels" if plain else "tags"})
    examples = case.examples if config.examples else ()
    shown = [(one, _json(one.analysis, one.rewrite) if config.analysis else one.rewrite) for one in examples]
    form = labelled_form(case.language) if plain else TAGGED
    return StudentPrompt(*_render("student", case, words, shown, form, config.style if config.style_tag else None))


def case_start(prompt: StudentPrompt, case: Case, config: PromptConfig) -> int:
    """Where in ``prompt.user`` the part begins that is this case's own: what stands before it, other cases share."""
    if config.form == "xml":
        # The last one: each example has one as well.
        return prompt.user.rindex("<history>")
    # A turn begins with its speaker and has no line break: no line of the dialogue can be the bare label.
    return f"\n{prompt.user}".rindex(f"\n{labelled_form(case.language).history}\n")


def student_answer(answer: Candidate | Rejected, config: PromptConfig) -> str | None:
    """The text that the student learns to give (or to avoid) for ``answer``.

    With ``config.analysis`` this is JSON of ``STUDENT_SCHEMA``; None where the answer has no analysis: human rewrites
    bring none, and none is invented for them.
    """
    rewrite = answer.text
    if not config.analysis:
        return rewrite
    return None if answer.analysis is None else _json(answer.analysis, rewrite)


def parse_answer(text: str) -> TeacherAnswer:
    """Read a teacher's answer: one JSON object, at most wrapped in white space or one code fence.

    Raises:
        ValueError: what is wrong with it, in one line.
    """
    answer = parse_json(text, TeacherAnswer)
    return answer.model_copy(update={"rewrite": unescape(answer.rewrite), "analysis": unescape(answer.analysis)})


def parse_student_answer(text: str, config: PromptConfig) -> Reply:
    """The rewrite in what a student answered to :func:`student_prompt`, with its analysis where the prompt asks for one.

    Raises:
        ValueError: what is wrong with it, in one line.
    """
    said = parse_json(text, StudentAnswer) if config.analysis else None
    rewrite = text if said is None else said.rewrite
    if not rewrite.strip():
        raise ValueError("the answer is empty")
    return Reply(text=unescape(rewrite.strip()), analysis=None if said is None else said.analysis)


def prompt_hashes(config: PromptConfig) -> dict[str, str]:
    """Hashes that name the text of each prompt, as ``{"teacher.zh": "…", "student.zh": "…", …}``.

    They are taken over a rendered probe, so a change of the wording, of the rendering or of the options changes them.
    """
    hashes = {}
    for language in get_args(Language):
        probe = _probe(language)
        hashes[f"teacher.{language}"] = content_id(
            [message.content for message in teacher_messages(probe, config.style)]
        )
        hashes[f"student.{language}"] = content_id(list(student_prompt(probe, config)))
    return hashes


def _render(
    kind: Literal["teacher", "student"],
    case: Case,
    words: frozenset[str],
    shown: Iterable[tuple[Example, str]],
    form: PromptForm = TAGGED,
    style: Style | None = None,
) -> tuple[str, str]:
    system, user = _template(kind, case.language, words)
    return system, user.substitute(
        examples="".join(form.example(example, answer) for example, answer in shown),
        style=form.style(style) if style else "",
        history=form.turns(case.history),
        query=form.text(case.query),
    )


@cache
def _template(kind: str, language: Language, words: frozenset[str]) -> tuple[str, Template]:
    text = files("pairwright.core.prompts").joinpath(f"{kind}.{language}.txt").read_text(encoding="utf-8")
    return read_prompt(text, words)


def read_prompt(text: str, words: frozenset[str]) -> tuple[str, Template]:
    """The system message and the user message of a prompt file, of its marked lines only those marked with ``words``.

    Raises:
        ValueError: the line ``=== user ===`` is missing, or stands there twice.
    """
    lines = []
    for line in text.splitlines():
        word = re.match(r"\[([a-z]+)\] ", line)
        if word is None or word[1] in words:
            lines.append(line[word.end() :] if word else line)
    parts = "\n".join(lines).split("\n=== user ===\n")
    if len(parts) != 2:
        raise ValueError("expected the system message, one line '=== user ===' and the user message")
    return parts[0], Template(parts[1])


def _json(analysis: str, rewrite: str, needs_rewrite: bool | None = None) -> str:
    # The analysis first: what is written after it can follow from it.
    answer: dict[str, Any] = {"analysis": analysis, "needs_rewrite": needs_rewrite, "rewrite": rewrite}
    if needs_rewrite is None:
        del answer["needs_rewrite"]
    return json.dumps(answer, ensure_ascii=False)


def _probe(language: Language) -> Case:
    turns = (Turn(role="user", content="1"), Turn(role="assistant", content="2"))
    example = Example(
        id="0", language=language, history=turns, query="3", analysis="4", needs_rewrite=True, rewrite="5"
    )
    return Case(
        id="",
        language=language,
        history=turns,
        query="6",
        examples=(example,),
    )
