"""Broken JSON: an answer that a program has to read, and cannot."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import ClassVar, NamedTuple

from pydantic import Field

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Language, Rejected, TaskKind
from pairwright.perturbers.proof.answer_proof import CODE, prove, unreadable
from pairwright.perturbers.proof.rewrite_proof import Draft, impossible
from pairwright.perturbers.text import phrase_banks
from pairwright.perturbers.text.answer_text import is_json

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[\[\]{},:]|\s+')


class JsonToken(NamedTuple):
    """One token of a JSON text; ``key`` marks a member's name."""

    text: str
    start: int
    end: int
    key: bool = False


class BrokenJson(Component):
    """Breaks a JSON answer or a tool call the way small models do.

    The last brackets or the rest are missing, a comma too many or too few, single or typographic quotes, keys without
    quotes, Python's True and None, a comment, a line break inside a string, an equals sign for a colon, a sentence
    or a code fence around it.
    """

    name: ClassVar[str] = "broken_json"
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"answer"})
    variants: int = Field(2, ge=1, description="At most this many rejected texts per answer.")

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """See :class:`~pairwright.core.components.Perturber`."""
        drafts = _drafts(case, chosen.text, rng)
        yield from prove(self.name, "broken_json", case, chosen, drafts, unreadable, self.variants, CODE)


def _drafts(case: Case, chosen: str, rng: random.Random) -> Iterator[Draft]:
    if not is_json(chosen):
        yield impossible("no_json", chosen[:80])
        return
    tokens = _tokens(chosen)
    drafts = [Draft(text, template, evidence) for text, template, evidence in _edits(chosen, tokens, rng)]
    drafts += list(_wrapped(chosen, case.language, rng))
    rng.shuffle(drafts)
    yield from drafts


def _tokens(text: str) -> tuple[JsonToken, ...]:
    found = [
        JsonToken(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text) if match.group().strip()
    ]
    last = len(found) - 1
    return tuple(
        token._replace(key=token.text[0] == '"' and at < last and found[at + 1].text == ":")
        for at, token in enumerate(found)
    )


Edit = tuple[str, str, str]
"""Text, template, evidence."""


def _edits(chosen: str, tokens: Sequence[JsonToken], rng: random.Random) -> Iterator[Edit]:
    yield from _cut_short(chosen, tokens, rng)
    yield from _punctuation(chosen, tokens, rng)
    yield from _quotes(chosen, tokens, rng)
    python = re.sub(r'("(?:[^"\\]|\\.)*")|\b(true|false|null)\b', _as_python, chosen)
    if python != chosen:
        yield python, "python_literal", "True, False, None"
    comments = [token for token in tokens if token.key]
    if comments and "\n" in chosen:
        key = rng.choice(comments)
        line_end = chosen.find("\n", key.end)
        if line_end > 0:
            yield f"{chosen[:line_end]}  // {key.text.strip(chr(34))}{chosen[line_end:]}", "comment", "//"
    spaced = [token for token in tokens if token.text[0] == '"' and not token.key and " " in token.text]
    if spaced:
        token = rng.choice(spaced)
        at = token.start + token.text.rindex(" ")
        yield f"{chosen[:at]}\n{chosen[at + 1 :]}", "raw_line_break", token.text


def _as_python(match: re.Match[str]) -> str:
    return match.group(1) or {"true": "True", "false": "False", "null": "None"}[match.group(2)]


def _cut_short(chosen: str, tokens: Sequence[JsonToken], rng: random.Random) -> Iterator[Edit]:
    """The end is missing: only brackets, from inside a string on, or the last members."""
    closing = len(tokens)
    while closing and tokens[closing - 1].text in "]}":
        closing -= 1
    if closing < len(tokens):
        at = rng.randrange(closing, len(tokens))
        yield chosen[: tokens[at].start].rstrip(), "missing_brackets", chosen[tokens[at].start :].strip()
    # From the second half: what runs into a token limit loses its end.
    strings = [token for token in tokens[len(tokens) // 2 :] if token.text[0] == '"' and len(token.text) > 5]
    if strings:
        token = strings[-1]
        at = token.start + rng.randrange(3, len(token.text) - 1)
        yield chosen[:at], "cut_in_string", chosen[at:]
    commas = [token for token in tokens[len(tokens) // 3 :] if token.text == ","]
    if commas:
        at = rng.choice(commas).end
        yield chosen[:at], "cut_after_comma", chosen[at:].strip()[:60]
    if tokens[-1].text in "]}":
        yield chosen.rstrip() + tokens[-1].text, "bracket_too_many", tokens[-1].text


def _punctuation(chosen: str, tokens: Sequence[JsonToken], rng: random.Random) -> Iterator[Edit]:
    ends = [token for before, token in pairwise(tokens) if token.text in "]}" and before.text not in "[{"]
    if ends:
        at = rng.choice(ends).start
        stem = chosen[:at].rstrip()
        yield stem + "," + chosen[len(stem) :], "trailing_comma", stem[-20:] + ","
    for mark, put, template in (
        (",", "", "missing_comma"),
        (":", " =", "equals_for_colon"),
        (":", "", "missing_colon"),
        (",", ";", "semicolon"),
    ):
        places = [token for token in tokens if token.text == mark]
        if places:
            token = rng.choice(places)
            yield chosen[: token.start] + put + chosen[token.end :], template, chosen[token.start - 10 : token.end + 10]


def _quotes(chosen: str, tokens: Sequence[JsonToken], rng: random.Random) -> Iterator[Edit]:
    strings = [token for token in tokens if token.text[0] == '"']
    if strings and not any("'" in token.text for token in strings):
        yield _requoted(chosen, strings, "'", "'"), "single_quotes", "'"
    keys = [token for token in tokens if token.key and re.fullmatch(r'"[A-Za-z_]\w*"', token.text)]
    if keys:
        yield _requoted(chosen, keys, "", ""), "unquoted_keys", keys[0].text.strip('"')
        one = [rng.choice(keys)]
        yield _requoted(chosen, one, "", ""), "unquoted_key", one[0].text.strip('"')
    if strings:
        yield _requoted(chosen, strings, "“", "”"), "typographic_quotes", "“ ”"
        token = rng.choice(strings)
        yield chosen[: token.end - 1] + chosen[token.end :], "missing_quote", token.text
    values = [token for token in strings if not token.key]
    if values:
        one = [rng.choice(values)]
        yield _requoted(chosen, one, "", ""), "unquoted_value", one[0].text.strip('"')


def _requoted(chosen: str, strings: Sequence[JsonToken], opening: str, closing: str) -> str:
    parts, last = [], 0
    for token in strings:
        inner = token.text[1:-1]
        parts += [chosen[last : token.start], opening, inner.replace('\\"', '"') if opening != '"' else inner, closing]
        last = token.end
    return "".join((*parts, chosen[last:]))


def _wrapped(chosen: str, language: Language, rng: random.Random) -> Iterator[Draft]:
    """The JSON is right, and stands in a fence or between sentences where a program expects it alone."""
    before, after = (rng.choice(phrase_banks.phrases(language, f"json.{side}")) for side in ("before", "after"))
    fence = f"```json\n{chosen}\n```"
    yield Draft(fence, "code_fence", "```json")
    yield Draft(f"{before.text}\n{chosen}", f"prose_before_{before.slug}", before.text)
    yield Draft(f"{chosen}\n{after.text}", f"prose_after_{after.slug}", after.text)
    yield Draft(f"{before.text}\n\n{fence}", f"fence_after_{before.slug}", before.text)
    yield Draft(
        f"{before.text}\n\n{fence}\n\n{after.text}", f"fence_within_{after.slug}", f"{before.text} … {after.text}"
    )
