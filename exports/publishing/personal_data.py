"""Personal data and keys in what a build exports, and rows that were flagged: what speaks against publishing them.

Five kinds are looked for, each by a form that hardly anything else has: e-mail addresses, Chinese mobile numbers,
Chinese resident identity numbers (GB 11643, with their check digit), payment cards (ISO/IEC 7812, Luhn) and keys of
services (the prefixes that their makers gave them). Landline numbers are not: in dialogues they belong to restaurants
and hotels. Names cannot be told from public ones, and are not looked for either: what this finds is the least that must
not be published unseen.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.core.files.file_errors import storage_error
from pairwright.core.pages.printable import printable
from pairwright.core.secret_patterns import API_KEY
from pairwright.core.untrusted_json import well_formed

# Names of hosts may have letters of any script, with the full stop of Chinese for the dot.
_EMAIL = re.compile(
    r"[\w.%+-]{1,64}@(?:[\w-]{1,63}[.。]){1,8}(?:xn--[A-Za-z0-9-]+|[A-Za-z]{2,}|рф|онлайн|中国|公司|网络|香港|台湾)"
)
_DASH = "-\u2010-\u2015\u2212"
# What people put between the groups of a mobile number.
_BETWEEN = rf"(?:[ \t]{{0,3}}[{_DASH}.·_/][ \t]{{0,3}}|\s{{0,3}})"
_PIECES = rf"(?:[{_DASH}.·_]| {{0,2}})"  # between those of longer numbers, which a check digit holds together
# Behind a decimal point it is a fraction; behind "Tel." it is none, and behind "1." an item of a list.
_BEGINS = r"(?<!\d)(?:(?<!\.)|(?<=[^\W\d_]\.))"
_MOBILE = re.compile(
    rf"(?:{_BEGINS}|(?<=(?<![\d.])[1-9]\.))(?:(?:\+|00)?86[{_DASH} ]?)?(?:\(1[3-9]\d\)|1[3-9]\d)"
    rf"(?:{_BETWEEN}\d{{4}}{_BETWEEN}\d{{4}}|{_BETWEEN}\d{{3}}{_BETWEEN}\d{{5}}|\d[{_DASH} ]\d{{4}}[{_DASH} ]\d{{3}})(?!\d)"
)
# Not before an X: after the number of a list ("1 1101…2X") the eighteenth digit is not its last letter.
_IDENTITY = re.compile(rf"(?<!\d)[1-8](?:{_PIECES}\d){{16}}{_PIECES}[\dXx×ХхΧχ](?!\d|[Xx×ХхΧχ](?![A-Za-z0-9]))")
_BORN = re.compile(r"\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}")
_CARD = re.compile(
    rf"{_BEGINS}(?:[3-6]\d{{3}}|2[2-7]\d{{2}})(?:{_PIECES}\d{{6}}{_PIECES}\d{{5}}(?!\d)"
    rf"|(?:{_PIECES}\d{{4}}){{2}}{_PIECES}\d{{3,4}}(?:{_PIECES}\d{{3}})?|\d\d{_PIECES}\d{{13}})(?![\d.]*\d)"
)
# A key, or a URL with a password or a key in it.
_KEY = re.compile(
    rf"{API_KEY.pattern}|://[^/\s:@]*:[^/\s@]+@"
    r"|[?&](?i:api[_-]?key|access[_-]?token|auth[_-]?token|token|secret|password)=(?=[^&\s\"']*\d)[^&\s\"']{8,}"
)
_ESCAPED = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|[bfnrt])")
# Full-width forms and invisible characters between the digits: people read the same number.
_PLAIN = re.compile(r"[\x00-\x7f\u4e00-\u9fff。！？、；《》“”‘’…]*")
_DASHES = re.compile(rf"(?!-)[{_DASH}]")
_AT = re.compile("%(?:25)*40|&#(?:0*64|x0*40);|&commat;", re.IGNORECASE)  # in the addresses of links, and in HTML
# Weights and check characters of GB 11643.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
# What we made ourselves, and never out of what it stands for: hashes and counters.
_OURS = frozenset({"id", "task.id", "task.conversation", "chosen.id", "chosen.task"})
_COUNTED = frozenset({"prompt_hash", "request_hash", "request_hashes", "seed", "tokens", "cut_turns", "line"})


class Concern(NamedTuple):
    """One thing that should not be published: the kind, its file, line and field, and a hint that hides most of it."""

    kind: str
    place: str
    hint: str


def concerns(rows: Path) -> Iterator[Concern]:
    """What speaks against publishing the rows below ``rows`` (``sft.jsonl``, ``pairs.jsonl``), in order.

    Every text of a row is searched, whatever field it is in, also the texts inside tool definitions and arguments.

    Raises:
        StorageError: a file cannot be read.
    """
    for name in ("sft.jsonl", "pairs.jsonl"):
        try:
            with (rows / name).open(encoding="utf-8", newline="\n") as file:
                for number, line in enumerate(file, start=1):
                    yield from _of_row(json.loads(line), f"rows/{name}:{number}")
        except OSError as exc:
            raise storage_error(exc, rows / name) from exc


def rows_by_kind(found: Iterable[Concern]) -> dict[str, list[Concern]]:
    """One concern of each row and file that has some of a kind, by kind."""
    rows: dict[str, dict[str, Concern]] = {}
    for concern in found:
        rows.setdefault(concern.kind, {}).setdefault(concern.place.partition(" ")[0], concern)
    return {kind: list(places.values()) for kind, places in rows.items()}


def text_concerns(text: str, name: str) -> Iterator[Concern]:
    """What speaks against publishing ``text``, the content of the file that is called ``name``."""
    for number, line in enumerate(text.splitlines(), start=1):
        for kind, found in personal_data(line):
            yield Concern(kind, f"{name}:{number}", _hint(found))


def _of_row(row: Mapping[str, Any], place: str) -> Iterator[Concern]:
    for flag in row["task"].get("flags", ()):
        kind, _, detail = flag.partition(": ")
        yield Concern(kind, place, detail)
    texts = list(_texts(row, ""))
    # Most rows hold nothing: one search tells.
    if any(personal_data("\n".join(text for _, text in texts))):
        for field, text in texts:
            yield from (Concern(kind, f"{place} {field}", _hint(found)) for kind, found in personal_data(text))


def _texts(value: object, field: str) -> Iterator[tuple[str, str]]:
    """Each text and number in ``value``, and each key, with the field that it stands in."""
    if field in _OURS or field.rpartition(".")[2] in _COUNTED:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield field, str(key)
            yield from _texts(inner, f"{field}.{key}" if field else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, field)
    elif isinstance(value, str):
        yield field, value
        if "\\" in value:
            yield field, _decoded(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield field, str(value)


def _decoded(text: str) -> str:
    """``text`` with the characters that JSON in it, or JSON in JSON, writes as escapes."""
    return _ESCAPED.sub(lambda found: well_formed(chr(int(found[1], 16))) if found[1] else "\n", text)


def personal_data(text: str) -> Iterator[tuple[str, str]]:
    """Kind and wording of each piece of personal data in ``text``."""
    if not _PLAIN.fullmatch(text):
        text = _DASHES.sub("-", printable(unicodedata.normalize("NFKC", text)))
    if "%" in text or "&" in text:
        text = _AT.sub("@", text)
    if "@" in text:
        yield from (("email", found[0]) for found in _EMAIL.finditer(text))
    for kind, (pattern, check) in _PATTERNS.items():
        yield from ((kind, found[0]) for found in pattern.finditer(text) if check(found[0]))


def _hint(found: str) -> str:
    return f"{found[:3]}…{found[-2:]}"


def _identity(number: str) -> bool:
    digits = [letter for letter in number if letter.isdigit()][:17]
    if not _BORN.fullmatch("".join(digits) + "0"):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECKS[total % 11] == (number[-1] if number[-1].isdigit() else "X")


def _card(number: str) -> bool:
    digits = [int(digit) for digit in number if digit.isdigit()]
    if digits[0] == 2 and not 2221 <= int("".join(map(str, digits[:4]))) <= 2720:
        return False
    # Three more may be the code from its back.
    return _luhn(digits) or (len(digits) == 19 and _luhn(digits[:16]))


def _luhn(digits: Sequence[int]) -> bool:
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_PATTERNS: Mapping[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "mobile_number": (_MOBILE, bool),
    "identity_number": (_IDENTITY, _identity),
    "payment_card": (_CARD, _card),
    "api_key": (_KEY, bool),
}
KINDS = ("email", *_PATTERNS)
