"""Phrases to build worse answers from, kept as text files (``answers.LANGUAGE.txt``) so that they can be read and corrected.

``[section]`` opens a list; each line of it is ``slug: phrase``. The slug becomes part of the template's name.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pairwright.core.records import Language


class Phrase(NamedTuple):
    """``text`` has its gaps in braces: {topic}."""

    slug: str
    text: str


def phrases(language: Language, section: str) -> tuple[Phrase, ...]:
    """The phrases of one section, in the order of the file."""
    return _sections(language)[section]


def shuffled(language: Language, section: str, rng: random.Random) -> list[Phrase]:
    """The same in a drawn order."""
    found = phrases(language, section)
    return rng.sample(found, len(found))


def has(language: Language, section: str) -> bool:
    """Whether the bank has that section."""
    return section in _sections(language)


@cache
def _sections(language: Language) -> Mapping[str, tuple[Phrase, ...]]:
    found: dict[str, list[Phrase]] = {}
    current: list[Phrase] = []
    text = (files("pairwright.perturbers.text") / f"answers.{language}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line.strip() and not line.startswith("#"):
            slug, _, phrase = line.partition(": ")
            current.append(Phrase(slug.strip(), phrase.strip()))
    return {name: tuple(lines) for name, lines in found.items()}
