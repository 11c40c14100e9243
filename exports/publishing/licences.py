"""What the licences of the sources allow together, as far as a program can tell. Not legal advice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Literal, NamedTuple

Kind = Literal["permissive", "attribution", "share-alike", "non-commercial", "no-derivatives", "unknown"]

_PERMISSIVE = re.compile(r"(apache-2\.0|mit|bsd-[234]-clause|cc0-1\.0|unlicense|pddl(-1\.0)?|isc|zlib)")
_ATTRIBUTION = re.compile(r"(cc-by-\d\.\d|odc-by(-1\.0)?)")
_SHARE_ALIKE = re.compile(r"(cc-by-sa-\d\.\d|odbl(-1\.0)?|gfdl.*|a?gpl-.*|lgpl-.*)")
_STRICT: tuple[Kind, ...] = ("share-alike", "non-commercial", "unknown")
_OF_KIND: Mapping[Kind, str] = {
    "permissive": "keep the copyright notices of the sources",
    "attribution": "name the sources and say that they were changed",
    "share-alike": "pass on what is made from it only under the same licence",
    "non-commercial": "no commercial use",
    "no-derivatives": "rewrites of it must not be passed on",
    "unknown": "find out what is allowed before passing it on",
}


class Combined(NamedTuple):
    """What holds for a set made of all sources: the kinds met, strictest last, and why it must not be made, if so."""

    kinds: tuple[Kind, ...]
    problems: tuple[str, ...]

    def terms(self) -> list[str]:
        """What a user of the set has to do, one line for each kind of licence in it."""
        return [f"{kind}: {_OF_KIND[kind]}" for kind in self.kinds]


def kind_of(licence: str) -> Kind:
    """The kind of an SPDX name such as ``CC-BY-SA-4.0``, in any case; anything else is ``unknown``."""
    name = re.sub(r"[\s_]+", "-", licence.strip().lower())
    # Before -nc: a licence may say both, and this is the stricter one.
    if "-nd" in name and name.startswith("cc-"):
        return "no-derivatives"
    if "-nc" in name and name.startswith("cc-"):
        return "non-commercial"
    patterns: Mapping[Kind, re.Pattern[str]] = {
        "permissive": _PERMISSIVE,
        "attribution": _ATTRIBUTION,
        "share-alike": _SHARE_ALIKE,
    }
    return next((kind for kind, pattern in patterns.items() if pattern.fullmatch(name)), "unknown")


def combined(licences: Mapping[str, str]) -> Combined:
    """Judge ``{source: licence}`` of one build.

    A problem is a licence that forbids rewrites, and any two among share-alike, non-commercial and unknown, or two
    different share-alike licences: nobody can meet both. Licences of the other kinds go with all.
    """
    sources: dict[Kind, list[str]] = defaultdict(list)
    for source, licence in sorted(licences.items()):
        sources[kind_of(licence)].append(f"{source} ({licence or 'none given'})")
    problems = [f"{name} forbids derived works, and every rewrite is one" for name in sources["no-derivatives"]]
    strict = [kind for kind in _STRICT if sources[kind]]
    for at, kind in enumerate(strict):
        for other in strict[at + 1 :]:
            problems.append(
                f"{kind} {', '.join(sources[kind])} cannot be combined with {other} {', '.join(sources[other])}"
            )
    if len({name.lower() for source, name in licences.items() if kind_of(name) == "share-alike"}) > 1:
        problems.append(f"different share-alike licences exclude each other: {', '.join(sources['share-alike'])}")
    return Combined(tuple(kind for kind in _OF_KIND if sources[kind]), tuple(problems))
