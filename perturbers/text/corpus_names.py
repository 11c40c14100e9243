"""The names that a build's own dialogues speak of, by language and kind."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping

from pairwright.core.records import Language, SftRow
from pairwright.perturbers.text.spans import Entity, restored_entities
from pairwright.perturbers.text.substitutes import spoken_name

Names = Mapping[tuple[Language, str], tuple[str, ...]]
"""Names by (language, kind), in an order that does not depend on the rows'."""

MOST = 200
LONGEST_NAME = 30

# Kinds of which only a title in its marks is surely a name, and kinds whose members are no names at all.
_TITLED = frozenset({"film", "album", "song", "book"})
_VAGUE = frozenset({"topic", "name", "thing", "person", "people", "company", "area", "city", "disease"})
_DESCRIBED_ZH = re.compile(r"[的这那我你您他她它]|以上|以下|左右|^\d+(?:分|元|年)")
_NAMED_EN = re.compile(r"(?:the )?[A-Z0-9][\w.'’&-]*(?: (?:of|the|and|de|[A-Z0-9&][\w.'’&-]*))*")


def collect(rows: Iterable[SftRow], kind_of: Callable[[SftRow, Entity], str]) -> Names:
    """Of every kind at most ``MOST`` names that a chosen rewrite brought back from its dialogue.

    Only what is surely a name is taken: a phrase that merely describes ("景点", "the second one") would make a reject
    that nobody writes. Where there are more, those with the smallest hashes stay: a choice that the order of the rows
    cannot change, in memory that a larger build does not need more of. An English name comes with its article.
    """
    found: dict[tuple[Language, str], dict[str, bytes]] = {}
    for row in rows:
        language = row.task.language
        for entity in restored_entities(row.task, row.chosen.text):
            kind = kind_of(row, entity)
            name = spoken_name(row.chosen.text, entity, language)
            if entity.mentions and is_name(name, kind, language):
                names = found.setdefault((language, kind), {})
                names[name] = hashlib.sha256(name.encode()).digest()
                # Now and then only: sorting them for each name would take longer than finding it.
                if len(names) > 2 * MOST:
                    _shrink(names)
    for names in found.values():
        _shrink(names)
    return {key: tuple(sorted(names)) for key, names in found.items()}


def is_name(text: str, kind: str, language: Language) -> bool:
    """Whether ``text``, said to be of that kind, is a name and no description."""
    if not 1 < len(text) <= LONGEST_NAME or kind in _VAGUE:
        return False
    if language == "en":
        return _NAMED_EN.fullmatch(text) is not None
    titled = text.startswith("《") and text.endswith("》")
    return titled or (kind not in _TITLED and not _DESCRIBED_ZH.search(text))


def _shrink(names: dict[str, bytes]) -> None:
    for name in sorted(names, key=names.__getitem__)[MOST:]:
        del names[name]
