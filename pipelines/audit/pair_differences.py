"""Features of a pair that need no dialogue, each as chosen minus rejected: swapping the sides flips every sign.

Nothing here depends on a language model or on where in the text an edit was made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import pairwise

from pairwright.core.audit_result import Surface
from pairwright.core.records import Language
from pairwright.pipelines.pairing.surface import is_mark, length_position, marks, punctuation_position

Features = Mapping[str, float]

# English words, numbers, and single letters of any other script: a Han character is a word here.
_WORD = re.compile(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)?|[^\W\d_]|\d+")
_LETTERS = re.compile(r"[a-zA-Z ]{1,2}")
_MOST = 2  # a word that one side has three times more tells no more than twice


def length_features(language: Language, chosen: str, rejected: str) -> Features:
    """The difference in characters, its sign and its cell of ``surface``; for English the difference in words too."""
    characters = len(chosen) - len(rejected)
    cell, side = length_position(language, chosen, rejected)
    # Divided to be about as large as the other features: the regression's penalty treats all alike.
    found = {f"{language} characters": characters / 10, f"{language} longer": _sign(characters), f"cell {cell}": side}
    if language == "en":
        words = len(chosen.split()) - len(rejected.split())
        found |= {"en words": words / 5, "en wordier": _sign(words)}
    return found


def punctuation_features(language: Language, chosen: str, rejected: str) -> Features:
    """Differences in each mark, in neighbouring marks and in the last one, and the cell of ``surface``."""
    found = _difference(_marks(chosen), _marks(rejected))
    cell, side = punctuation_position(language, chosen, rejected)
    return {**{f"{language} {mark}": value for mark, value in found.items()}, f"cell {cell}": side}


def word_features(language: Language, chosen: str, rejected: str) -> Features:
    """All of the above and n-grams: characters up to three with the text's ends (``^`` and ``$``), words up to two.

    One or two Latin letters are left out: they stand for nothing.
    """
    return {
        **length_features(language, chosen, rejected),
        **punctuation_features(language, chosen, rejected),
        **_difference(_ngrams(chosen), _ngrams(rejected)),
    }


def is_shown(name: str) -> bool:
    """True for features that say what gives a side away: marks and n-grams, not lengths and cells."""
    return not name.startswith("cell ") and name.split(" ")[-1] not in {"characters", "longer", "words", "wordier"}


FEATURES: Mapping[Surface, Callable[[Language, str, str], Features]] = {
    "length": length_features,
    "punctuation": punctuation_features,
    "words": word_features,
}


def _marks(text: str) -> Counter[str]:
    found = marks(text)
    found.update(f"{one}{two}" for one, two in pairwise(text) if is_mark(one) and is_mark(two))
    return found


def _ngrams(text: str) -> Counter[str]:
    bounded = f"^{text}$"
    parts = (bounded[at : at + n] for n in (1, 2, 3) for at in range(len(bounded) - n + 1))
    found = Counter(f"“{part}”" for part in parts if not _LETTERS.fullmatch(part))
    words = [word.lower() for word in _WORD.findall(text)]
    found.update(f"word {word}" for word in words)
    found.update(f"words {one} {two}" for one, two in pairwise(words))
    return found


def _difference(chosen: Counter[str], rejected: Counter[str]) -> dict[str, float]:
    names = chosen.keys() | rejected.keys()
    found = {name: chosen[name] - rejected[name] for name in sorted(names)}
    return {name: max(-_MOST, min(_MOST, value)) for name, value in found.items() if value}


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
