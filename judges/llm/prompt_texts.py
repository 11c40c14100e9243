"""The packaged prompts of judges and improvers: text files beside this one, filled with a case."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from string import Template

from pairwright.core.prompts.escaping import escape
from pairwright.core.prompts.rewriting import read_prompt
from pairwright.core.records import Case, Language
from pairwright.core.requests import Message
from pairwright.judges.llm.case_text import case_of


def messages(name: str, case: Case, text: str = "", **places: str) -> tuple[Message, Message]:
    """The prompt ``name.LANGUAGE.txt`` about ``case``: of its marked lines those for the case's kind.

    ``text`` is the candidate, and escaped here; ``places`` are filled in as they are.
    """
    system, user = _prompt(name, case.language, frozenset({case.kind}))
    filled = user.substitute(case_of(case), text=escape(text), **places)
    return Message(role="system", content=system), Message(role="user", content=filled)


@cache
def _prompt(name: str, language: Language, words: frozenset[str]) -> tuple[str, Template]:
    text = files("pairwright.judges.llm").joinpath(f"{name}.{language}.txt").read_text(encoding="utf-8")
    return read_prompt(text.rstrip("\n"), words)
