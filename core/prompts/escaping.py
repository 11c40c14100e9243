"""Dialogue text as data: what it says can neither open nor close a tag of a prompt, nor be a chat template's token.

What is looked for is looked for twice: in the text itself, where anything like a tag right after a ``<`` counts, and in its
:func:`~pairwright.core.prompts.skeletons.skeleton`, where our names and control tokens are seen through look-alikes and
what hides between letters. In the text the bracket alone is changed, to an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pairwright.core.prompts.control_tokens import ANGLE, BARRED, MINIMAX, SQUARE, control_tokens
from pairwright.core.prompts.skeletons import BRACKETS, CLOSING, GAP, UNSEEN, may_open, skeleton, spelled, spread

TAGS = (
    *("task", "example", "history", "current_query", "answer", "user", "assistant", "system", "tool"),
    *("rewrite", "first_text", "second_text", "rules"),
)

# Of the text itself: widening this changes prompts that are paid for.
_INVISIBLE = r"\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufe00-\ufe0f"
_GAP = rf"[\s{_INVISIBLE}]*"
_SPELLED = "|".join(_GAP.join(re.escape(letter) for letter in tag) for tag in TAGS)
_OPENING = re.compile(rf"[<＜﹤](?={_GAP}[/／\\|｜!?]|[^\W\d_]|{_GAP}(?:{_SPELLED})\b)", re.IGNORECASE)

_ENTITY = {bracket: f"&#{ord(bracket)};" for bracket in BRACKETS + CLOSING} | dict.fromkeys("<＜﹤", "&lt;")
_BRACKET = {entity: bracket for bracket, entity in _ENTITY.items()} | {"&lt;": "<"}
_OWN = re.compile("|".join(map(re.escape, _BRACKET)), re.IGNORECASE)

_OURS = "|".join(map(spelled, TAGS))
_NAMED = f"(?:{_OURS}|{'|'.join(map(spelled, (*ANGLE, 'SYS')))})"
_BAR, _END = rf"\|{UNSEEN}*[^\W\d]", rf"{GAP}(?:/{GAP})?>"
_DRESSED = re.compile(
    rf"<(?={GAP}(?:[/\\]|{_OURS}\b)|{UNSEEN}*{_BAR}|{GAP}{_NAMED}{_END}|{UNSEEN}*s{UNSEEN}*>"
    rf"|{GAP}(?!{_OWN.pattern})&(?:sol|bsol|vert|verbar|#x?[0-9a-f]+);?)"
    # Quotes, titles and physics use these: «history», 《历史》, ⟨s⟩.
    rf"|[‹«](?={GAP}[/\\]{GAP}(?:s|{_NAMED})\b)"
    rf"|‹(?={GAP}{_NAMED}(?:{_END}|\s+\w+\s*=))|«(?={GAP}SYS{GAP}>)"
    rf"|{BARRED}|{SQUARE}|{MINIMAX}",
    re.IGNORECASE,
)
_SUSPECT = re.compile(rf"[{re.escape(BRACKETS + CLOSING)}\r\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # most have none
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def escape(text: str) -> str:
    """Dialogue text as data: it can neither open nor close a tag, nor write a chat template's control token.

    A ``<`` (also full-width) before anything tag-like becomes ``&lt;``: a letter, ``/``, ``|``, ``!``, ``?``, or one of our
    tags or a control token however it is dressed up. Other brackets before those become entities of their own:
    ``[INST]`` becomes ``&#91;INST]``. ``a < b`` and ``Tom & Jerry`` stay as they are.
    Control characters become spaces, lone surrogates U+FFFD. Escaping twice is escaping once.
    """
    if not _SUSPECT.search(text):
        return text
    text = readable(text)
    return _escaped_at(text, _openings(text))


def defuse_turns(text: str) -> str:
    """``text`` in which no control token of a chat template is left: its first bracket is written as an entity.

    Doing it twice is doing it once. JSON stays JSON.
    """
    if not _SUSPECT.search(text):
        return text
    text = readable(text)
    return _escaped_at(text, control_tokens(text)) if may_open(text) else text


def readable(text: str) -> str:
    """``text`` with one kind of line end, spaces for control characters and U+FFFD for lone surrogates."""
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _CONTROL.sub(" ", text)


def unescape(text: str) -> str:
    """Undo :func:`escape` in an answer whose model copied an entity from its prompt; other entities stay."""
    if "&" not in text:
        return text
    parts, at, length, entities = [], 0, 0, {}
    for found in _OWN.finditer(text):
        parts += [text[at : found.start()], _BRACKET[found[0].lower()]]
        length += found.start() - at
        entities[length] = found[0]
        length, at = length + 1, found.end()
    if not entities:
        return text
    bare = "".join((*parts, text[at:]))
    stays = entities.keys() - _openings(bare)
    return _replaced(bare, {start: entities[start] for start in stays})


def _openings(text: str) -> set[int]:
    """Where in ``text`` a bracket opens what must not be opened."""
    if not may_open(text):
        return set()
    found = {one.start() for one in _OPENING.finditer(text)}
    plain, origins = spread(text)
    return found.union(origins[one.start()] for one in _DRESSED.finditer(skeleton(plain)))


def _escaped_at(text: str, starts: Iterable[int]) -> str:
    return _replaced(text, {start: _ENTITY[text[start]] for start in starts})


def _replaced(text: str, new: dict[int, str]) -> str:
    parts, at = [], 0
    for start in sorted(new):
        parts += [text[at:start], new[start]]
        at = start + 1
    return "".join((*parts, text[at:]))
