"""Wrong values for the arguments of a tool call: what a small model puts there instead."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pairwright.core.records import Case, Language
from pairwright.perturbers.answers.tool_text import parsed, result_leaves
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import turns
from pairwright.perturbers.text.names import names, rivals
from pairwright.perturbers.text.values import Value, near, others, values

_LONGEST_VALUE = 40  # characters; longer ones are rather free text
# In this order: the first shape that fits counts, and a date or an id has what a number has, too.
_SHAPES = (
    ("file", re.compile(r"[\w-]+\.[A-Za-z]\w{1,4}")),
    ("handle", re.compile(r"@\w+")),
    ("tag", re.compile(r"#\w+")),
    ("date", re.compile(r"\d{4}-\d{2}-\d{2}")),
    ("id", re.compile(r"(?=\w*\d)(?=\w*[A-Za-z])\w{4,}")),
    ("number", re.compile(r"\d{3,}")),
    ("code", re.compile(r"[A-Z]{3,5}")),
)
_FREE_TEXT = re.compile(
    r"message|content|description|text|comment|note|reason|summary|body|query|question|password|内容|备注|描述",
    re.IGNORECASE,
)


class Wrong(NamedTuple):
    """A value to put in an argument's place, and how it came about."""

    value: Any
    template: str


def wrong_values(case: Case, key: str, value: Any, schema: Mapping[str, Any], rng: random.Random) -> Iterator[Wrong]:
    """Wrong values for the argument ``key``, in no order. Free text (a message, a description) has none of its own kind."""
    yield from _by_schema(value, schema, rng)
    yield from _of_another_type(value, rng)
    if isinstance(value, bool):
        yield Wrong(not value, "flipped")
    elif isinstance(value, int | float):
        yield from _numbers(case, value, rng)
    elif isinstance(value, list) and len(value) > 1:
        left_out = rng.randrange(len(value))
        yield Wrong([one for at, one in enumerate(value) if at != left_out], "shorter_list")
    elif (
        isinstance(value, str)
        and value
        and len(value) <= _LONGEST_VALUE
        and not _FREE_TEXT.search(key)
        and not schema.get("enum")
    ):
        yield from _strings(case, key, value, rng)


def _by_schema(value: Any, schema: Mapping[str, Any], rng: random.Random) -> Iterator[Wrong]:
    enum = schema.get("enum")
    if not isinstance(enum, list) or value not in enum:
        return
    rest = [one for one in enum if one != value]
    if rest:
        yield Wrong(rng.choice(rest), "other_enum")
    if isinstance(value, str):
        other = value.title() if value != value.title() else value.upper()
        if other not in enum:
            yield Wrong(other, "outside_enum")


def _of_another_type(value: Any, rng: random.Random) -> Iterator[Wrong]:
    if isinstance(value, bool):
        yield Wrong(rng.choice(("yes", "true") if value else ("no", "false")), "wrong_type_boolean")
    elif isinstance(value, int | float):
        yield Wrong(str(value), "wrong_type_number")
    elif isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        yield Wrong(", ".join(value), "wrong_type_list")
    elif isinstance(value, dict) and value:
        yield Wrong(json.dumps(value, ensure_ascii=False), "wrong_type_object")


_LARGEST = 1e15


def _numbers(case: Case, value: float, rng: random.Random) -> Iterator[Wrong]:
    said = {
        float(match) for turn in turns(case) for match in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", turn.content)
    }
    rest = sorted(said - {float(value)})
    if rest:
        number = rng.choice(rest)
        if isinstance(value, float) or number == int(number):
            yield Wrong(number if isinstance(value, float) else int(number), "other_number")
    if abs(value) > _LARGEST:  # arithmetic on such a number ends at infinity, which is no JSON
        return
    step = (
        rng.choice((-2, -1, 1, 2, 5, 10))
        if abs(value) < 100
        else round(value * rng.choice((-0.5, -0.1, 0.1, 0.5, 9.0)))
    )
    shifted = value + step if value + step > 0 else value + abs(step) + 1
    if isinstance(value, float) or shifted == int(shifted):
        yield Wrong(type(value)(shifted), "near_number")


def _strings(case: Case, key: str, value: str, rng: random.Random) -> Iterator[Wrong]:
    texts = tuple(turn.content for turn in turns(case))
    for other in _under_the_same_key(case, key):
        if other != value and not _alike(other, value):
            yield Wrong(other, "other_call")
            break
    for shape, pattern in _SHAPES:
        if pattern.fullmatch(value):
            found = [
                one
                for text in reversed(texts)
                for one in pattern.findall(text)
                if not _alike(one, value) and _form(one) == _form(value)
            ]
            if found:
                yield Wrong(rng.choice(sorted(set(found))), f"other_{shape}")
            break
    yield from _typed(value, texts, case.language, rng)
    named = next((name for name in names(value, case.language) if name.text == value), None)
    if named:
        for rival in rivals(case, value, named.kind)[:1]:
            yield Wrong(rival.text, f"other_name_{named.kind}")
    yield from _slips(value, case.language, rng)


def _typed(value: str, texts: tuple[str, ...], language: Language, rng: random.Random) -> Iterator[Wrong]:
    for inner in values(value, language)[:1]:
        rest = value[: inner.start], value[inner.end :]
        other = next(iter(others(inner, texts, language)), "")
        if other:
            yield Wrong(rest[0] + other + rest[1], f"other_{inner.kind}")
        shifted = near(Value(inner.kind, inner.text, 0, 0), language, rng)
        if shifted:
            yield Wrong(rest[0] + shifted + rest[1], f"near_{inner.kind}")


def _slips(value: str, language: Language, rng: random.Random) -> Iterator[Wrong]:
    """What models write that did not look: a placeholder, a file without its ending, a digit that is wrong."""
    yield Wrong(rng.choice(phrase_banks.phrases(language, "placeholders")).text, "placeholder")
    stem, dot, ending = value.rpartition(".")
    if dot and re.fullmatch(r"[A-Za-z]\w{1,4}", ending):
        yield Wrong(stem, "cut_ending")
        yield Wrong(
            f"{stem}.{rng.choice([one for one in ('txt', 'pdf', 'csv', 'md', 'docx') if one != ending])}",
            "other_ending",
        )
    digits = [at for at, char in enumerate(value) if char.isdigit()]
    if digits and len(value) > 3 and not values(value, language):
        at = rng.choice(digits[-3:])
        digit = rng.choice([one for one in "0123456789" if one != value[at]])
        # No number begins with a 0 that it did not begin with.
        if at or digit != "0":
            yield Wrong(value[:at] + digit + value[at + 1 :], "near_digit")


def _under_the_same_key(case: Case, key: str) -> Iterator[str]:
    """What earlier calls had under this key and what the tools gave back under it, the newest first."""
    found = [leaf.text for leaf in result_leaves(case) if leaf.key == key and len(leaf.text) <= _LONGEST_VALUE]
    for turn in turns(case):
        for call in turn.calls:
            arguments = parsed(call.arguments)
            if isinstance(arguments, dict) and isinstance(arguments.get(key), str):
                found.append(arguments[key])
    yield from reversed(found)


def _form(text: str) -> str:
    """USR001 and USR02 have one form, A0; Q4_summary has another. File names may differ in all but their ending."""
    return text.rpartition(".")[2] if "." in text else re.sub(r"[A-Za-z]+", "A", re.sub(r"\d+", "0", text))


def _alike(one: str, other: str) -> bool:
    return one.casefold().strip() == other.casefold().strip()
