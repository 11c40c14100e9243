"""What the two language modules hand out: mentions of things, and references that point at them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

MentionKind = Literal["entity", "noun", "number", "time"]
ReferenceKind = Literal["pronoun", "demonstrative", "ellipsis"]


class Mention(NamedTuple):
    """``text[start:end]`` names something: a named entity or title, a noun phrase, a number or a time."""

    text: str
    start: int
    end: int
    kind: MentionKind


class Reference(NamedTuple):
    """``text[start:end]`` points at something that the text itself does not name."""

    text: str
    start: int
    end: int
    kind: ReferenceKind


class Token(NamedTuple):
    """One word with its place, part of speech (scheme of the language's tagger) and place in the parse.

    ``dep`` and ``head`` (index of the governing token) are filled by the English parser only; ``lemma`` is the word
    itself in Chinese.
    """

    text: str
    start: int
    end: int
    tag: str
    lemma: str
    dep: str = ""
    head: int = -1


def without_overlaps(ranked: Iterable[Mention]) -> tuple[Mention, ...]:
    """Keep each mention that touches none before it in ``ranked``; return them in text order."""
    found = [mention for mention in ranked if mention.text]
    taken = bytearray(max((mention.end for mention in found), default=0))
    kept: list[Mention] = []
    for mention in found:
        if taken.find(1, mention.start, mention.end) < 0:
            taken[mention.start : mention.end] = b"\1" * (mention.end - mention.start)
            kept.append(mention)
    return tuple(sorted(kept, key=lambda mention: mention.start))
