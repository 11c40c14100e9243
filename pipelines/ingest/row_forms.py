"""The forms of raw rows, and how each becomes a :class:`Conversation`.

Two forms are known by their keys. A *dialogue* has ``conversation``, ``messages`` or ``conversations``: a list of
turns with ``role``/``content`` or ``from``/``value``, tool calls and their results among them (see tool_forms.py), and
beside it, where there are such, ``system`` and ``tools``. A *rewriting row* has ``history``, ``query`` and, where a
person wrote one, ``rewrite``. A :class:`RowMapping` names other keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pairwright.core.language.text_analysis import detect_language
from pairwright.core.records import Conversation, Language, Role
from pairwright.pipelines.ingest.row_values import (
    SEEN,
    RowError,
    TurnFields,
    at,
    clean,
    few,
    first_of,
    has,
    is_filled,
    list_of,
    optional_text,
    result_of,
    text_of,
    turn_of,
)
from pairwright.pipelines.ingest.tool_forms import (
    CALLING,
    call_content,
    calls_in,
    in_call_order,
    is_calling,
    tools_text,
    with_own_turns,
)

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
        key = optional_text(at(fields, self.mapping.id))
        is_rewriting_row = self._is_rewriting_row(fields)
        turns = self._rewriting_turns(fields) if is_rewriting_row else self._dialogue_turns(fields)
        tools = clean(tools_text(at(fields, self.mapping.tools)))
        # Plain dicts, not Turn and Origin: pydantic builds those itself, and the id needs no dump of them.
        return Conversation.create(
            dialogue=self._group(fields, None if is_rewriting_row else key, turns),
            language=self.language or self._language_of(fields, turns),
            domain=optional_text(at(fields, self.mapping.domain)),
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
        if is_filled(at(fields, self.mapping.query)):
            return True
        return has(fields, self.mapping.query) and not any(is_filled(at(fields, key)) for key in self._dialogue_keys)

    @property
    def _dialogue_keys(self) -> Sequence[str]:
        return (self.mapping.conversation,) if self.mapping.conversation else DIALOGUE_KEYS

    def _rewriting_turns(self, fields: Mapping[str, Any]) -> list[TurnFields]:
        query = text_of(at(fields, self.mapping.query) or "", "query")
        if not SEEN.search(query):
            raise RowError("empty_query", f"{self.mapping.query!r} is empty")
        history = self._history(at(fields, self.mapping.history))
        return [*history, {"role": "user", "content": query}]

    def _reference(self, fields: Mapping[str, Any]) -> str | None:
        value = at(fields, self.mapping.rewrite)
        if value is None:
            return None
        rewrite = text_of(value, "rewrite")
        if not SEEN.search(rewrite):
            raise RowError(
                "empty_rewrite", f"{self.mapping.rewrite!r} is empty; leave the key out where there is no rewrite"
            )
        return rewrite

    def _history(self, value: object) -> list[TurnFields]:
        if value is None or value == "":
            return []
        items = list_of(value, "history")
        if all(isinstance(item, str) for item in items):
            roles: tuple[Role, ...] = ("user",) if self.mapping.strings == "user" else ("user", "assistant")
            turns = [turn_of(roles[number % len(roles)], text) for number, text in enumerate(items)]
        elif all(isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2 for item in items):
            if self._name_speakers([first for first, _ in items]):
                turns = [turn_of(self._role(speaker), text) for speaker, text in items]
            else:
                turns = [turn_of(role, text) for pair in items for role, text in zip(_PAIR, pair, strict=True)]
        else:
            turns = [self._turn(item) for item in self._apart(items)]
        return [turn for turn in turns if turn["content"]]

    def _dialogue_turns(self, fields: Mapping[str, Any]) -> list[TurnFields]:
        present = [name for name in self._dialogue_keys if has(fields, name)]
        name = next((name for name in present if is_filled(at(fields, name))), present[0] if present else None)
        if name is None:
            wanted = " or ".join(repr(name) for name in (self.mapping.query, *self._dialogue_keys))
            raise RowError("missing_key", f"no {wanted}; the row has: {few(fields)}")
        items = list_of(at(fields, name), name)
        if items and all(isinstance(item, list) for item in items):
            items = [message for part in items for message in part]  # BFCL: a list of messages per user turn
        turns = [turn for turn in map(self._turn, in_call_order(self._apart(items))) if _says_something(turn)]
        system = at(fields, self.mapping.system)
        if isinstance(system, Mapping):
            raise RowError("wrong_type", f"{self.mapping.system!r} must be text; name another key in mapping.system")
        # A number or a flag is no prompt.
        if isinstance(system, str | list) and (first := turn_of("system", system, self.mapping.system))["content"]:
            turns.insert(0, first)
        if not any(turn["role"] == "user" for turn in turns):
            raise RowError("no_user_turn", "nobody with the role of the user says anything")
        return turns

    def _turn(self, item: object) -> TurnFields:
        if not isinstance(item, Mapping):
            raise RowError("wrong_type", f"a turn must be an object with role and content, not {type(item).__name__}")
        # Plain look-ups where nothing is mapped: this runs once per turn of every row.
        speaker = at(item, self.mapping.role) if self.mapping.role else item.get("role") or item.get("from")
        content = at(item, self.mapping.content) if self.mapping.content else item.get("content")
        # Where turns of both forms are in one table, each has the keys of both; a number is what the turn is worth.
        if not (content or self.mapping.content) and isinstance(value := item.get("value"), str | list | Mapping):
            content = value
        role = self._role(speaker)
        calls: list[dict[str, str]] = []
        if role == "tool":
            content = result_of(item, content)
        elif role == "assistant":
            calls = [_seen_call(call) for call in calls_in(item, str(speaker), content)]
            content = call_content(content) if calls and is_calling(str(speaker)) else content
        turn = turn_of(role, content)
        if calls:
            return {**turn, "calls": calls}
        if not turn["content"]:
            self._require_nothing_said(item)
        return turn

    def _apart(self, items: Sequence[Any]) -> Sequence[Any]:
        contents = (self.mapping.content,) if self.mapping.content else _CONTENTS
        return with_own_turns(items, self.mapping.role or "role", contents)

    def _name_speakers(self, firsts: Sequence[object]) -> bool:
        """Whether pairs begin with the name of a speaker. Of these names some are what people type: 客服, bot, human."""
        names = [first.strip().lower() if isinstance(first, str) else "" for first in firsts]
        if any(name in ("user", "assistant") for name in names) or any(map(self.mapping.roles.get, map(str, firsts))):
            return True
        return any(name in _SPEAKERS for name in names) and all(name in ROLES for name in names)

    def _role(self, speaker: object) -> Role:
        role = None
        if isinstance(speaker, str):
            role = self.mapping.roles.get(speaker) or ROLES.get(speaker) or ROLES.get(speaker.strip().lower())
        if role is None:
            raise RowError("unknown_role", f"unknown speaker {speaker!r}; name it in the source's mapping.roles")
        return role

    def _require_nothing_said(self, item: Mapping[str, Any]) -> None:
        """What is said may stand under a key that we do not know: such a turn is not one in which nothing is said."""
        names = (self.mapping.content,) if self.mapping.content else _CONTENTS
        # A path with dots names a part of the turn: it is looked for there alone.
        absent = not any(name in item or "." in name for name in names)
        for key, value in item.items():
            text = value.strip() if isinstance(value, str) else ""
            if key in names or key == self.mapping.role:
                continue
            if (key in _WORDS and (text or (isinstance(value, list | Mapping) and value))) or (
                absent and text and key not in _NO_WORDS
            ):
                raise RowError(
                    "missing_key",
                    f"a turn has nothing in {' or '.join(map(repr, names))}; it has: {few(item)}; name the key in mapping.content",
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
            return optional_text(at(fields, self.mapping.dialogue))
        for place in (fields, fields.get("meta"), fields.get("metadata")):
            if isinstance(place, Mapping):
                for name in GROUP_KEYS:
                    if (found := optional_text(place.get(name))) is not None:
                        return found
        return None

    def _language_of(self, fields: Mapping[str, Any], turns: Sequence[TurnFields]) -> Language:
        given = first_of(fields, (self.mapping.language,) if self.mapping.language else ("lang", "language"))
        if given is None:
            spoken = [turn for turn in turns if turn["role"] in _PAIR and "calls" not in turn]
            return detect_language(" ".join(turn["content"] for turn in spoken))
        for language, names in _LANGUAGE_NAMES.items():
            if str(given).lower().startswith(names):
                return language
        raise RowError("unsupported_language", f"language {given!r}: only Chinese (zh) and English (en) are supported")


_PAIR: tuple[Role, Role] = ("user", "assistant")
_CONTENTS = ("content", "value")
_SPEAKERS = ("human", "gpt", "用户")
# Keys of a turn: those that hold what is said in data that we do not know, and those that never do.
_WORDS = frozenset({"text", "value", "message", "utterance", "parts", "body", "output", "result", "response"})
_NO_WORDS = frozenset(
    (
        *("role", "from", "name", "id", "tool_call_id", "timestamp", "time", "date", "created_at", "status", "type"),
        *("finish_reason", "stop_reason", "model", "thinking", "reasoning", "reasoning_content", "lang", "language"),
        *("function_name", "tool_name", "call_id", "author", "index", "tool_calls", "tool_call", "function_call"),
    )
)
_LANGUAGE_NAMES: Mapping[Language, tuple[str, ...]] = {"zh": ("zh", "cn", "chinese", "中文"), "en": ("en",)}


def _seen_call(call: Mapping[str, str]) -> dict[str, str]:
    """A call as it is kept; a name that nobody sees is none."""
    name, arguments = clean(call["name"]), clean(call["arguments"])
    return {"name": name if SEEN.search(name) else "", "arguments": arguments}


def _says_something(turn: TurnFields) -> bool:
    """A result of a tool may be empty and still answers a call."""
    return bool(turn["content"] or turn.get("calls") or turn["role"] == "tool")
