"""Word lists, kept as text files beside this one (``lexicon.LANGUAGE.txt``) so that they can be read and corrected."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from pairwright.core.records import Language


def lexicon(language: Language, section: str) -> frozenset[str]:
    """The words under ``[section]`` of the language's list."""
    return _sections(language)[section]


@cache
def _sections(language: Language) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    current: set[str] = set()
    text = files("pairwright.core.language").joinpath(f"lexicon.{language}.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            current.update(line.split())
    return {name: frozenset(words) for name, words in found.items()}
