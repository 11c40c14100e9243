"""Personal data in the rows of a build, and rows that were flagged: what speaks against publishing them.

Four kinds are looked for, each by a form that hardly anything else has: e-mail addresses, Chinese mobile numbers,
Chinese resident identity numbers (GB 11643, with their check digit) and payment cards (ISO/IEC 7812, Luhn). Landline
numbers are not: in dialogues they belong to restaurants and hotels. Names cannot be told from public ones, and are not
looked for either: what this finds is the least that must not be published unseen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_MOBILE = re.compile(r"(?<![\d.])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\d.]*\d)")
_IDENTITY = re.compile(r"(?<!\d)[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)")
_CARD = re.compile(r"(?<![\d.])[3-6]\d{3}(?:[- ]?\d{4}){2}[- ]?\d{3,4}(?:\d{3})?(?![\d.]*\d)")
# Weights and check characters of GB 11643.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


class Concern(NamedTuple):
    """One row that should not be published: its file and line in ``rows/``, the kind, and a hint that hides most of it."""

    kind: str
    place: str
    hint: str


def concerns(rows: Path) -> Iterator[Concern]:
    """What speaks against publishing the rows below ``rows`` (``sft.jsonl``, ``pairs.jsonl``), in order."""
    for name in ("sft.jsonl", "pairs.jsonl"):
        with (rows / name).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                yield from _of_row(json.loads(line), f"rows/{name}:{number}")


def _of_row(row: Mapping[str, object], place: str) -> Iterator[Concern]:
    task = row["task"]
    assert isinstance(task, dict)
    for flag in task.get("flags", ()):
        kind, _, detail = flag.partition(": ")
        yield Concern(kind, place, detail)
    text = "\n".join(_texts(row, task))
    for kind, found in personal_data(text):
        yield Concern(kind, place, f"{found[:3]}…{found[-2:]}")


def _texts(row: Mapping[str, object], task: Mapping[str, object]) -> Iterator[str]:
    history, chosen, rejected = task["history"], row["chosen"], row.get("rejected")
    assert isinstance(history, list)
    assert isinstance(chosen, dict)
    yield from (turn["content"] for turn in history)
    yield from (str(task["query"]), str(task.get("reference") or ""), chosen["rewrite"])
    if isinstance(rejected, dict):
        yield rejected["text"]


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Kind and wording of each piece of personal data in ``text``."""
    if "@" in text:
        yield from (("email", found[0]) for found in _EMAIL.finditer(text))
    for kind, (pattern, check) in _NUMBERS.items():
        yield from ((kind, found[0]) for found in pattern.finditer(text) if check(found[0]))


def _identity(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return _CHECKS[total % 11] == number[17].upper()


def _luhn(number: str) -> bool:
    digits = [int(digit) for digit in number if digit.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_NUMBERS: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "mobile_number": (_MOBILE, bool),
    "identity_number": (_IDENTITY, _identity),
    "payment_card": (_CARD, _luhn),
}
KINDS = ("email", *_NUMBERS)
