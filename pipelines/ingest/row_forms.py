"""The forms of raw rows, and how each becomes a :class:`Conversation`.

Two forms are known by their keys. A *dialogue* has ``conversation``, ``messages`` or ``conversations``: a list of
turns with ``role``/``content`` or ``from``/``value``, tool calls and their results among them (see tool_forms.py), and
beside it, where there are such, ``system`` and ``tools``. A *rewriting row* has ``history``, ``query`` and, where a
person wrote one, ``rewrite``. A :class:`RowMapping` names other keys.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pairwright.core.language.text_analysis import detect_language
from pairwright.core.records import Conversation, Language, Role
from pairwright.pipelines.ingest.tool_forms import CALLING, call_content, calls_in, in_call_order, tools_text

TurnFields = dict[str, Any]

ROLES: Mapping[str, Role] = {
    "user": "user",
    "human": "user",
    "usr": "user",
    "用户": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "model": "assistant",
    "sys": "assistant",  # CrossWOZ and MultiWOZ write "usr" and "sys" for the two speakers
    **dict.fromkeys(CALLING, "assistant"),
    "助手": "assistant",
    "客服": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "tool_response": "tool",
}
DIALOGUE_KEYS = ("conversation", "messages", "conversations")
GROUP_KEYS = ("dialogue", "dialogue_id", "dialog_id", "conversation_id")
# Anything but spaces, marks of direction and what takes no room.
_SEEN = re.compile(r"[^\s\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class RowMapping(BaseModel):
    """Where a row keeps what is needed. Each value is a key, or a path of keys with dots (``meta.topic.name``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field("id", description="The row's own key in its source.")
    dialogue: str | None = Field(
        None, description="What rows of one dialogue share; such rows never end up in different splits."
    )
    domain: str = Field("domain", description="Topic or scenario.")
    language: str | None = Field(None, description="Language of the row ('zh', 'en', 'zh-CN' ...).")
    conversation: str | None = Field(None, description="The list of turns of a dialogue.")
    history: str = Field("history", description="The turns before the query.")
    query: str = Field("query", description="The query to rewrite.")
    rewrite: str = Field("rewrite", description="The rewrite that a person wrote.")
    # Left out of the resolved build file where they are as they were before there were answers: its hash names a build.
    system: str = Field(
        "system",
        description="The system prompt of a dialogue, where it is no turn of its own.",
        exclude_if=lambda key: bool(key == "system"),
    )
    tools: str = Field(
        "tools",
        description="Definitions of the tools that the assistant of a dialogue may call.",
        exclude_if=lambda key: bool(key == "tools"),
    )
    role: str | None = Field(None, description="In a turn: who speaks. Default: 'role' or 'from'.")
    content: str | None = Field(None, description="In a turn: what is said. Default: 'content' or 'value'.")
    roles: Mapping[str, Role] = Field(
        default_factory=dict, description="Speakers' names in the data, for example {customer: user, agent: assistant}."
    )
    strings: Literal["user", "alternating"] = Field(
        "user",
        description="Who speaks where the history is a plain list of strings: only the user, or user and assistant in turns.",
    )


class RowError(Exception):
    """A row that is not usable; ``error`` is the slug that the funnel counts."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


@dataclass(frozen=True)
class RowReader:
    """Turns the raw rows of one source into conversations."""

    source: str
    licence: str
    language: Language | None
    mapping: RowMapping

    def conversation(self, fields: Mapping[str, Any], file: str, line: int) -> Conversation:
        """The conversation that a raw row holds.

        Raises:
            RowError: a key is missing, empty or of the wrong type.
        """
        key = _optional_text(_at(fields, self.mapping.id))
        is_rewriting_row = self._is_rewriting_row(fields)
        turns = self._rewriting_turns(fields) if is_rewriting_row else self._dialogue_turns(fields)
        tools = clean(tools_text(_at(fields, self.mapping.tools)))
        # Plain dicts, not Turn and Origin: pydantic builds those itself, and the id needs no dump of them.
        return Conversation.create(
            dialogue=self._group(fields, None if is_rewriting_row else key, turns),
            language=self.language or self._language_of(fields, turns),
            domain=_optional_text(_at(fields, self.mapping.domain)),
            turns=turns,
            reference=self._reference(fields) if is_rewriting_row else None,
            origin={
                "source": self.source,
                "file": file,
                "line": line,
                "key": key or str(line),
                "licence": self.licence,
            },
            **({"tools": tools} if tools else {}),  # no key without tools: the id is made from the keys that are there
        )

    def _is_rewriting_row(self, fields: Mapping[str, Any]) -> bool:
        """Whether it has a query. In a table of both forms every row has both keys, one of them empty."""
        if _is_filled(_at(fields, self.mapping.query)):
            return True
        return _has(fields, self.mapping.query) and not any(_is_filled(_at(fields, key)) for key in self._dialogue_keys)

    @property
    def _dialogue_keys(self) -> Sequence[str]:
        return (self.mapping.conversation,) if self.mapping.conversation else DIALOGUE_KEYS

    def _rewriting_turns(self, fields: Mapping[str, Any]) -> list[TurnFields]:
        query = _text(_at(fields, self.mapping.query) or "", "query")
        if not _SEEN.search(query):
            raise RowError("empty_query", f"{self.mapping.query!r} is empty")
        history = self._history(_at(fields, self.mapping.history))
        return [*history, {"role": "user", "content": query}]

    def _reference(self, fields: Mapping[str, Any]) -> str | None:
        value = _at(fields, self.mapping.rewrite)
        if value is None:
            return None
        rewrite = _text(value, "rewrite")
        if not _SEEN.search(rewrite):
            raise RowError(
                "empty_rewrite", f"{self.mapping.rewrite!r} is empty; leave the key out where there is no rewrite"
            )
        return rewrite

    def _history(self, value: object) -> list[TurnFields]:
        if value is None or value == "":
            return []
        items = _list(value, "history")
        if all(isinstance(item, str) for item in items):
            speakers: tuple[Role, ...] = ("user",) if self.mapping.strings == "user" else ("user", "assistant")
            turns = [_turn(speakers[number % len(speakers)], text) for number, text in enumerate(items)]
        elif all(isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2 for item in items):
            if all(self._role(first) for first, _ in items):
                turns = [self._turn({"role": speaker, "content": text}) for speaker, text in items]
            else:
                turns = [_turn(role, text) for pair in items for role, text in zip(_PAIR, pair, strict=True)]
        else:
            turns = [self._turn(item) for item in items]
        return [turn for turn in turns if turn["content"]]

    def _dialogue_turns(self, fields: Mapping[str, Any]) -> list[TurnFields]:
        present = [name for name in self._dialogue_keys if _has(fields, name)]
        name = next((name for name in present if _is_filled(_at(fields, name))), present[0] if present else None)
        if name is None:
            wanted = " or ".join(repr(name) for name in (self.mapping.query, *self._dialogue_keys))
            raise RowError("missing_key", f"no {wanted}; the row has: {_few(fields)}")
        items = _list(_at(fields, name), name)
        if items and all(isinstance(item, list) for item in items):
            items = [message for part in items for message in part]  # BFCL: a list of messages per user turn
        turns = [turn for turn in map(self._turn, in_call_order(items)) if _says_something(turn)]
        system = _at(fields, self.mapping.system)
        if _is_filled(system) and (first := _turn("system", system, self.mapping.system))["content"]:
            turns.insert(0, first)
        if not any(turn["role"] == "user" for turn in turns):
            raise RowError("no_user_turn", "nobody with the role of the user says anything")
        return turns

    def _turn(self, item: object) -> TurnFields:
        if not isinstance(item, Mapping):
            raise RowError("wrong_type", f"a turn must be an object with role and content, not {type(item).__name__}")
        # Plain look-ups where nothing is mapped: this runs once per turn of every row.
        speaker = _at(item, self.mapping.role) if self.mapping.role else item.get("role") or item.get("from")
        content = _at(item, self.mapping.content) if self.mapping.content else item.get("content")
        if not self.mapping.content and not _is_filled(content):
            # Where turns of both forms are in one table, each has the keys of both.
            content = item.get("value", content)
        role = self._role(speaker)
        if role is None:
            raise RowError("unknown_role", f"unknown speaker {speaker!r}; name it in the source's mapping.roles")
        if role != "assistant":
            self._require_content(item, content)
            return _turn(role, content)
        calls = [{key: clean(text) for key, text in call.items()} for call in calls_in(item, str(speaker), content)]
        turn = _turn(role, call_content(content) if speaker in CALLING else content)
        if calls:
            return {**turn, "calls": calls}
        self._require_content(item, content)
        return turn

    def _role(self, speaker: object) -> Role | None:
        if not isinstance(speaker, str):
            return None
        return self.mapping.roles.get(speaker) or ROLES.get(speaker) or ROLES.get(speaker.strip().lower())

    def _require_content(self, item: Mapping[str, Any], content: object) -> None:
        """What is said may stand under a key that we do not know: such a turn is not one in which nothing is said."""
        names = (self.mapping.content,) if self.mapping.content else ("content", "value")
        if content is not None or any(name in item for name in names):
            return
        if any(isinstance(value, str) and value.strip() for key, value in item.items() if key not in _NO_CONTENT):
            raise RowError(
                "missing_key",
                f"a turn has no {' or '.join(map(repr, names))}; it has: {_few(item)}; name the key in mapping.content",
            )

    def _group(self, fields: Mapping[str, Any], key: str | None, turns: Sequence[TurnFields]) -> str:
        """What ties the rows of one dialogue together.

        Rows cut from one dialogue at different turns have its first turn in common, and often nothing else.
        """
        given = self._given_group(fields) or key
        if given is not None:
            return f"{self.source}:{given}"
        spoken = next((turn for turn in turns if turn["role"] != "system"), turns[0])
        first = " ".join(spoken["content"].casefold().split())
        return hashlib.sha256(first.encode()).hexdigest()[:16]

    def _given_group(self, fields: Mapping[str, Any]) -> str | None:
        if self.mapping.dialogue:
            return _optional_text(_at(fields, self.mapping.dialogue))
        for place in (fields, fields.get("meta"), fields.get("metadata")):
            if isinstance(place, Mapping):
                for name in GROUP_KEYS:
                    if (found := _optional_text(place.get(name))) is not None:
                        return found
        return None

    def _language_of(self, fields: Mapping[str, Any], turns: Sequence[TurnFields]) -> Language:
        given = _first(fields, (self.mapping.language,) if self.mapping.language else ("lang", "language"))
        if given is None:
            spoken = [turn for turn in turns if turn["role"] in _PAIR and "calls" not in turn]
            return detect_language(" ".join(turn["content"] for turn in spoken))
        for language, names in _LANGUAGE_NAMES.items():
            if str(given).lower().startswith(names):
                return language
        raise RowError("unsupported_language", f"language {given!r}: only Chinese (zh) and English (en) are supported")


_PAIR: tuple[Role, Role] = ("user", "assistant")
_NO_CONTENT = frozenset({"role", "from", "name", "id", "tool_call_id", "timestamp", "time", "date"})
_TEXT_PARTS = ("text", "input_text", "output_text", None)
_LANGUAGE_NAMES: Mapping[Language, tuple[str, ...]] = {"zh": ("zh", "cn", "chinese", "中文"), "en": ("en",)}


def _turn(role: Role, content: object, name: str = "content") -> TurnFields:
    """A turn without text (a pure tool call, an answer still to come) is empty."""
    if isinstance(content, str):
        return {"role": role, "content": clean(content)}
    if isinstance(content, list):
        parts = [text for part in content if (text := _part(part, name)) is not None]
        return {"role": role, "content": clean("\n".join(parts))}
    return {"role": role, "content": "" if content is None else _text(content, name)}


def _part(part: object, name: str) -> str | None:
    """The text of one part of a content; None for an image and the like."""
    if part is None or isinstance(part, str):
        return part
    if not isinstance(part, Mapping):
        raise RowError("wrong_type", f"a part of {name!r} must be text or an object, not {type(part).__name__}")
    text = part.get("text")
    if isinstance(text, Mapping):
        text = text.get("value")  # OpenAI's Assistants
    if isinstance(text, str):
        return text
    if part.get("type") not in _TEXT_PARTS:
        return None
    if not isinstance(text := part.get("content", text), str | None):
        raise RowError("wrong_type", f"a text in {name!r} must be text, not {type(text).__name__}")
    return text


def _says_something(turn: TurnFields) -> bool:
    """A result of a tool may be empty and still answers a call."""
    return bool(turn["content"] or turn.get("calls") or turn["role"] == "tool")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise RowError("wrong_type", f"{name!r} must be text, not {type(value).__name__}")
    return clean(value)


def clean(text: str) -> str:
    """``text`` without control characters but line breaks and tabs, lone surrogates as U+FFFD, outer space removed."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _NOT_TEXT.search(text):
        text = _NOT_TEXT.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)
    return text.strip()


def _optional_text(value: object) -> str | None:
    if value is None or isinstance(value, Mapping | list):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # tables with gaps in them make floats of whole numbers
    return clean(str(value)) or None


def _list(value: object, name: str) -> Sequence[Any]:
    if isinstance(value, Mapping) and value and all(isinstance(column, list) for column in value.values()):
        # Some data sets keep a list of turns as columns: {"role": [...], "content": [...]}.
        if len({len(column) for column in value.values()}) > 1:
            lengths = ", ".join(f"{clean(str(key)[:40])} {len(column)}" for key, column in islice(value.items(), 8))
            raise RowError("wrong_type", f"{name!r} has columns of unequal length: {lengths}")
        return [dict(zip(value, item, strict=True)) for item in zip(*value.values(), strict=True)]
    if not isinstance(value, list):
        raise RowError("wrong_type", f"{name!r} must be a list, not {type(value).__name__}")
    return value


def _at(fields: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; a key that itself contains dots is found as well; None where there is nothing."""
    if path in fields or "." not in path:
        return fields.get(path)
    value: Any = fields
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _has(fields: Mapping[str, Any], path: str) -> bool:
    return path in fields or _at(fields, path) is not None


def _is_filled(value: object) -> bool:
    return value is not None and value not in ("", [], {})


def _first(fields: Mapping[str, Any], paths: Sequence[str]) -> Any:
    return next((value for path in paths if (value := _at(fields, path)) is not None), None)


def _few(fields: Mapping[str, Any]) -> str:
    names = [clean(str(name)[:40]) for name in islice(fields, 9)]
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "") if names else "nothing"
