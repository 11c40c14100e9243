"""Wrong tool argument: the call parses, and one thing in it is wrong."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import pairwise, zip_longest
from typing import Any, ClassVar

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected, TaskKind
from pairwright.perturbers.answers.argument_values import wrong_values
from pairwright.perturbers.answers.tool_text import Tool, in_the_style_of, read_calls, read_tools
from pairwright.perturbers.proof.answer_proof import CODE, miscalled, prove
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text.answer_text import said


class WrongToolArgument(Component):
    """Changes one argument of a tool call, or the tool.

    A value of the right kind that is another one (of the dialogue, of an earlier call, of a tool's result, or near), one
    outside the enum or of another type, a placeholder, two values in each other's place, an argument left out or
    under another name, another tool. The call stays readable JSON.
    """

    name: ClassVar[str] = "wrong_tool_argument"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "wrong_tool_argument", case, chosen, drafts, miscalled, self.variants, CODE)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    calls = read_calls(chosen)
    if not calls:
        yield impossible("no_tool_call", chosen[:80])
        return
    tools = read_tools(case)
    drafts = [
        draft
        for at, call in enumerate(calls)
        for draft in (*_arguments(case, chosen, calls, at, tools, rng), *_shapes(case, chosen, calls, at, tools, rng))
    ]
    yield from _by_turns(drafts, rng)
    if not drafts:
        yield impossible("nothing_to_get_wrong", chosen[:80])


def _by_turns(drafts: list[Draft], rng: random.Random) -> Iterator[Draft]:
    """One draft of each kind of mistake after the other: calls with many arguments would else give mostly placeholders."""
    rng.shuffle(drafts)
    kinds: dict[str, list[Draft]] = {}
    for draft in drafts:
        kinds.setdefault(draft.template, []).append(draft)
    order = sorted(kinds)
    rng.shuffle(order)
    for round_of in zip_longest(*(kinds[kind] for kind in order)):
        yield from (draft for draft in round_of if draft is not None)


def _arguments(
    case: Case, chosen: str, calls: list[dict[str, Any]], at: int, tools: Mapping[str, Tool], rng: random.Random
) -> Iterator[Draft]:
    call = calls[at]
    tool = tools.get(call["name"])
    for key, value in call["arguments"].items():
        schema = tool.properties.get(key, {}) if tool else {}
        for wrong in wrong_values(case, key, value, schema, rng):
            edited = copy.deepcopy(calls)
            edited[at]["arguments"][key] = wrong.value
            yield _draft(chosen, edited, wrong.template, call["name"], key, value, wrong.value)


def _shapes(
    case: Case, chosen: str, calls: list[dict[str, Any]], at: int, tools: Mapping[str, Tool], rng: random.Random
) -> Iterator[Draft]:
    """Arguments left out, renamed or exchanged; another tool."""
    call = calls[at]
    arguments: dict[str, Any] = call["arguments"]
    tool = tools.get(call["name"])
    for key, value in arguments.items():
        edited = copy.deepcopy(calls)
        del edited[at]["arguments"][key]
        needed = tool is not None and key in tool.required
        if needed or (isinstance(value, str) and value and _is_said(case, value)):
            yield _draft(
                chosen, edited, "missing_required" if needed else "missing_argument", call["name"], key, value, None
            )
        other = _other_key(key, rng)
        if tool and tool.properties and other not in tool.properties and other != key:
            edited = copy.deepcopy(calls)
            edited[at]["arguments"] = {(other if one == key else one): inner for one, inner in arguments.items()}
            yield _draft(chosen, edited, "unknown_argument", call["name"], key, key, other)
    yield from _exchanged(chosen, calls, at)
    similar = sorted(
        (name for name in tools if name != call["name"]), key=lambda name: (-_likeness(call, tools[name]), name)
    )
    for name in [name for name in similar[:1] if _likeness(call, tools[name]) > _ALIKE]:
        edited = copy.deepcopy(calls)
        edited[at]["name"] = name
        yield _draft(chosen, edited, "other_tool", call["name"], "", call["name"], name)


def _is_said(case: Case, value: str) -> bool:
    """Whether the dialogue gives the value: then the call must have it, whatever the schema says."""
    return any(value.casefold() in text.casefold() for text in said(case))


def _exchanged(chosen: str, calls: list[dict[str, Any]], at: int) -> Iterator[Draft]:
    arguments = calls[at]["arguments"]
    keys = list(arguments)
    for first, second in pairwise(keys):
        one, other = arguments[first], arguments[second]
        alike = SequenceMatcher(None, first, second).ratio() > 0.4 or {first, second} in _PAIRS
        dated = [bool(re.search(r"\d", str(value))) for value in (one, other)]
        if (
            dated[0] is dated[1]
            and type(one) is type(other)
            and isinstance(one, str | int | float)
            and one != other
            and alike
            # file_name1 and file_name2, cityA and cityB: which comes first may not matter
            and _stem(first) != _stem(second)
        ):
            edited = copy.deepcopy(calls)
            edited[at]["arguments"][first], edited[at]["arguments"][second] = other, one
            yield _draft(chosen, edited, "exchanged", calls[at]["name"], f"{first}, {second}", one, other)


def _stem(key: str) -> str:
    return re.sub(r"[_-]?(?:\d+|[A-Z])$", "", key)


_PAIRS = (
    {"source", "destination"},
    {"from", "to"},
    {"start", "end"},
    {"sender", "receiver"},
    {"price", "amount"},
    {"出发地", "目的地"},
)


_ALIKE = 0.5  # of 2 at most: one for the names, one for the arguments


def _likeness(call: Mapping[str, Any], tool: Tool) -> float:
    """How easily the tool is taken for the called one: a name like its name, arguments like its arguments."""
    keys = set(call["arguments"])
    shared = len(keys & set(tool.properties)) / max(len(keys | set(tool.properties)), 1)
    return SequenceMatcher(None, call["name"], tool.name).ratio() + shared


_SYNONYMS_ZH = {
    "名称": ("name", "店名"),
    "评分": ("rating", "分数"),
    "价格": ("price", "价位"),
    "门票": ("ticket", "票价"),
    "地址": ("address", "位置"),
    "电话": ("phone", "电话号码"),
    "人均消费": ("人均", "average_cost"),
    "游玩时间": ("游玩时长", "duration"),
    "推荐菜": ("菜品", "dish"),
    "酒店类型": ("类型", "hotel_type"),
    "出发地": ("起点", "from"),
    "目的地": ("终点", "to"),
}


def _other_key(key: str, rng: random.Random) -> str:
    """The name as a model would make it up: camelCase for snake_case and back, a shorter or longer form."""
    if "_" in key:
        head, *rest = key.split("_")
        return rng.choice(
            (head + "".join(part.title() for part in rest if part), rest[-1] or head, key.replace("_", ""))
        )
    if re.search(r"[a-z][A-Z]", key):
        return re.sub(r"(?<=[a-z])([A-Z])", lambda match: "_" + match.group().lower(), key)
    if not key.isascii():
        return rng.choice(_SYNONYMS_ZH.get(key, (f"{key}信息", f"{key}要求")))
    return rng.choice(
        (f"{key}_name", f"{key}_value", key.removesuffix("s") if key.endswith("s") else f"{key}s", f"target_{key}")
    )


def _draft(chosen: str, calls: list[dict[str, Any]], template: str, name: str, key: str, old: Any, new: Any) -> Draft:
    was, put = (json.dumps(one, ensure_ascii=False) for one in (old, new))
    evidence = f"{name}.{key}: {was} → {'(missing)' if new is None else put}" if key else f"{was} → {put}"
    return Draft(in_the_style_of(calls, chosen), template, evidence, {"tool": name, "argument": key})
