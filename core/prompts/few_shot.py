"""Few-shot examples: reading a bank of them, and choosing the most relevant ones for a query."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from pairwright.core.errors import ConfigError
from pairwright.core.files.texts import read_text
from pairwright.core.language.canonical_form import canonical
from pairwright.core.records import Example, Language, Turn
from pairwright.core.untrusted_json import NotJson, read_json, unambiguous

_PACKAGED = ("examples.zh.jsonl", "examples.en.jsonl")
_HISTORY_WEIGHT = 0.3


def read_examples(path: str | None) -> tuple[Example, ...]:
    """The examples of a JSONL file, or the packaged ones in both languages.

    Raises:
        ConfigError: the file cannot be read, a line is not an example, or two have the same id.
    """
    if path is not None:
        try:
            # utf-8-sig: editors on Windows put a byte order mark in front.
            return _parse(read_text(Path(path).expanduser(), "utf-8-sig"), path)
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError(
                [f"examples.path: {path}: {exc}"], "Name a UTF-8 file with one example per line, or leave the key out."
            ) from exc
    folder = files("pairwright.core.prompts")
    return tuple(
        example for name in _PACKAGED for example in _parse(folder.joinpath(name).read_text(encoding="utf-8"), name)
    )


def _parse(text: str, where: str) -> tuple[Example, ...]:
    examples: dict[str, Example] = {}
    problems = []
    # Not splitlines(): JSON may have U+2028 and the like inside a text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            # Twice: pydantic believes the last of two values of a key, and read_json takes lone surrogates.
            read_json(line, unambiguous)
            example = Example.model_validate_json(line)
        except NotJson as exc:
            problems.append(f"{where}:{number}: line: not JSON: {exc.brief}")
            continue
        except ValidationError as exc:
            first = exc.errors()[0]
            problems.append(f"{where}:{number}: {'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}")
            continue
        if example.id in examples:
            problems.append(f"{where}:{number}: id: {example.id!r} is there twice")
        examples[example.id] = example
    if problems:
        raise ConfigError(problems, "An example has: id, language, history, query, analysis, needs_rewrite, rewrite.")
    return tuple(examples.values())


class ExampleIndex:
    """A bank of examples, ready to be searched.

    Relevance is the cosine of TF-IDF vectors over character bigrams (they need no word boundaries, so Chinese and
    English are treated alike), rare ones counting more: query against query, plus 0.3 times history against history.
    """

    def __init__(self, bank: Sequence[Example]) -> None:
        self._bank = tuple(bank)
        self._texts = [(canonical(example.query), canonical(example.rewrite)) for example in self._bank]
        grams = [(_grams(example.query), _grams(_joined(example.history))) for example in self._bank]
        seen = Counter(gram for query, history in grams for gram in query.keys() | history.keys())
        self._idf = {gram: math.log(1 + len(self._bank) / count) for gram, count in seen.items()}
        self._vectors = [(self._vector(query), self._vector(history)) for query, history in grams]

    def choose(
        self, query: str, history: Sequence[Turn], language: Language, k: int, reference: str | None = None
    ) -> tuple[Example, ...]:
        """At most ``k`` examples of ``language``, the most relevant first; equally relevant ones by id.

        An example whose query or rewrite is the query or its reference would give the answer away: it is never
        chosen. From two on, the chosen ones show both a query that needs a rewrite and one that needs none, as far
        as the bank has both: a teacher that sees only rewrites rewrites everything.
        """
        ranked = self._ranked(query, history, language, reference) if k else []
        chosen, rest = ranked[:k], ranked[k:]
        if k >= 2 and len({example.needs_rewrite for example in chosen}) == 1:
            other = next((example for example in rest if example.needs_rewrite != chosen[0].needs_rewrite), None)
            chosen = [*chosen[:-1], other] if other else chosen
        return tuple(chosen)

    def _ranked(self, query: str, history: Sequence[Turn], language: Language, reference: str | None) -> list[Example]:
        own = {canonical(text) for text in (query, reference) if text}
        query_vector, history_vector = self._vector(_grams(query)), self._vector(_grams(_joined(history)))
        scored = []
        for example, texts, (queries, histories) in zip(self._bank, self._texts, self._vectors, strict=True):
            if example.language == language and own.isdisjoint(texts):
                score = _dot(query_vector, queries) + _HISTORY_WEIGHT * _dot(history_vector, histories)
                # Rounded: the last bits of a sum must not decide between equally relevant ones.
                scored.append((-round(score, 9), example.id, example))
        return [example for _, _, example in sorted(scored, key=lambda item: item[:2])]

    def _vector(self, grams: Counter[str]) -> dict[str, float]:
        weights = {gram: count * self._idf[gram] for gram, count in grams.items() if gram in self._idf}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {gram: weight / length for gram, weight in weights.items()} if length else {}


def _joined(history: Sequence[Turn]) -> str:
    return " ".join(turn.content for turn in history)


def _grams(text: str) -> Counter[str]:
    text = canonical(text)
    return (
        Counter(text[start : start + 2] for start in range(len(text) - 1))
        if len(text) > 1
        else Counter([text] if text else [])
    )


def _dot(left: dict[str, float], right: dict[str, float]) -> float:
    small, large = (left, right) if len(left) < len(right) else (right, left)
    return sum(weight * large[gram] for gram, weight in small.items() if gram in large)
