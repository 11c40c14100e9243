"""Rubric files: what a rubric judge asks, by quality. The packaged ones are ``rubric*.LANGUAGE.txt``.

A user's own file has one of two forms. As text: system message, a line ``=== user ===``, user message, and per quality a
section ``=== clarity ===`` whose first line is the quality's name as the model reads it, the second its question, the
others its grades. As YAML (``.yaml``, ``.yml``)::

    dimensions:
      politeness:
        question: Is it polite?
        bands: |
          five: friendly and respectful.
          ...
          one: insulting.

with ``name`` per quality and ``system`` and ``user`` where the packaged ones should not be used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import NamedTuple

from pydantic import Field, ValidationError

from pairwright.core.config.yaml_file import mapping_in, parse_yaml, read_written_text
from pairwright.core.identity import Row
from pairwright.core.records import Language, TaskKind

_PACKAGED: Mapping[TaskKind, str] = {"rewrite": "rubric", "answer": "rubric_answer"}
_PLACES = frozenset({"dimension", "question", "bands", "setting", "history", "query", "steps", "rewrite", "answer"})
_MARK = re.compile(r"=== (\w+) ===\s*")
_FORM = "expected the quality's name, its question, and one line per grade"


class Quality(Row):
    """One quality: its name as the model reads it, what to ask about it, and the descriptions of its grades."""

    name: str = ""
    question: str = Field(min_length=1)
    bands: str = Field(min_length=1)


class RubricFile(NamedTuple):
    """A rubric: the two messages, and the qualities by their keys."""

    system: str
    user: Template
    dimensions: Mapping[str, Quality]


class _Yaml(Row):
    system: str | None = None
    user: str | None = None
    dimensions: dict[str, Quality] = Field(min_length=1)


class _Section(NamedTuple):
    key: str
    line: int
    text: str


@cache
def packaged_rubric(kind: TaskKind, language: Language) -> RubricFile:
    """The rubric that comes with pairwright."""
    path = files("pairwright.judges.llm").joinpath(f"{_PACKAGED[kind]}.{language}.txt")
    return _from_text(path.read_text(encoding="utf-8"))


@cache
def read_rubric(path: str, kind: TaskKind, language: Language) -> RubricFile:
    """A user's rubric file; ``{language}`` in ``path`` stands for ``zh`` or ``en``.

    Raises:
        ValueError: the file cannot be read or has another form; names file, and line or field.
    """
    file = Path(path.replace("{language}", language))
    try:
        text = read_written_text(file, "utf-8")  # a byte-order mark has always been part of the prompt
        return _from_yaml(text, kind, language) if file.suffix in (".yaml", ".yml") else _from_text(text)
    except (OSError, ValueError) as exc:
        raise ValueError(f"{file}: {exc.strerror if isinstance(exc, OSError) else exc}") from exc


def _from_text(text: str) -> RubricFile:
    system, *sections = _sections(text)
    if not sections or sections[0].key != "user":
        raise ValueError(f"line {sections[0].line if sections else 1}: expected the line '=== user ===' first")
    user, *qualities = sections
    if not qualities:
        raise ValueError("no section for a quality, such as '=== clarity ==='")
    seen: dict[str, Quality] = {}
    for section in qualities:
        if section.key in seen:
            raise ValueError(f"line {section.line}: '=== {section.key} ===' stands here a second time")
        seen[section.key] = _quality(section)
    return RubricFile(system.text.strip(), _template(user.text, user.line + 1), seen)


def _sections(text: str) -> list[_Section]:
    found = [_Section("system", 1, "")]
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if mark := _MARK.fullmatch(line):
            found.append(_Section(mark[1], number, ""))
        else:
            found[-1] = found[-1]._replace(text=found[-1].text + line)
    return found


def _quality(section: _Section) -> Quality:
    lines = section.text.strip().split("\n", 2)
    if len(lines) < 3:
        raise ValueError(f"line {section.line}: section '=== {section.key} ===': {_FORM}")
    return Quality(name=lines[0], question=lines[1], bands=lines[2])


def _template(text: str, first_line: int) -> Template:
    """The user message, checked: unknown places, and those without which nothing would be graded."""
    for number, line in enumerate(text.splitlines(), start=first_line):
        template = Template(line)
        if not template.is_valid():
            raise ValueError(f"line {number}: a '$' that starts no place; write '$$' for the sign itself")
        if unknown := set(template.get_identifiers()) - _PLACES:
            raise ValueError(f"line {number}: unknown place ${min(unknown)}; there are: {_names(_PLACES)}")
    places = set(Template(text).get_identifiers())
    missing = {"question", "bands", "query"} - places
    if missing or not places & {"rewrite", "answer"}:
        raise ValueError(f"the user message lacks {_names(missing or {'rewrite', 'answer'})}")
    return Template(text.strip())


def _names(places: frozenset[str] | set[str]) -> str:
    return ", ".join(f"${place}" for place in sorted(places))


def _from_yaml(text: str, kind: TaskKind, language: Language) -> RubricFile:
    content = mapping_in(parse_yaml(text))
    try:
        found = _Yaml.model_validate(content)
    except ValidationError as exc:
        problem = exc.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise ValueError(f"{where}: {problem['msg']}") from exc
    usual = packaged_rubric(kind, language)
    named = {key: one if one.name else one.model_copy(update={"name": key}) for key, one in found.dimensions.items()}
    user = usual.user if found.user is None else _in_field(found.user)
    return RubricFile(usual.system if found.system is None else found.system.strip(), user, named)


def _in_field(text: str) -> Template:
    try:
        return _template(text, 1)
    except ValueError as exc:
        raise ValueError(f"user: {exc}") from exc
