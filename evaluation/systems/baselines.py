"""Systems that need no model. They stand beside every other system in every report.

- ``copy``: the query as it is. It scores high on overlap and nothing on what was to be restored.
- ``last_entity``: the first reference of the query is replaced by the last thing named before it; a query without a
  reference is copied.
- ``reference``: the human rewrite itself, for the figures that need no reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pairwright.core.language.text_analysis import mentions, mentions_many, references
from pairwright.core.language.zh import GENERIC_NOUNS
from pairwright.core.records import Language
from pairwright.evaluation.gold_rows import GoldRow, GoldSet
from pairwright.evaluation.predictions import Prediction, System


def copy_query(row: GoldRow) -> str:
    """The query."""
    return row.query


def last_entity(row: GoldRow) -> str:
    """The query with the last thing named in the dialogue in the place of its first reference."""
    found = references(row.query, row.language)
    entity = _last_named(row) if found else None
    if entity is None:
        return row.query
    first = found[0]
    if first.kind == "ellipsis":
        return row.query
    rest = _without_class(row.query[first.end :]) if row.language == "zh" else row.query[first.end :]
    return row.query[: first.start] + entity + _possessive(first.text, row.language) + rest


def reference(row: GoldRow) -> str:
    """The human rewrite."""
    return row.reference


BASELINES: Mapping[str, Callable[[GoldRow], str]] = {
    "copy": copy_query,
    "last_entity": last_entity,
    "reference": reference,
}


def baseline(name: str, gold: GoldSet) -> System:
    """Let the baseline ``name`` answer every test row."""
    if name == "last_entity":
        _parse_in_batches(gold)
    predictions = tuple(Prediction(id=row.id, rewrite=BASELINES[name](row)) for row in gold.rows)
    return System(name=name, kind="baseline", predictions=predictions)


def _parse_in_batches(gold: GoldSet) -> None:
    for language in sorted({row.language for row in gold.rows}):
        rows = [row for row in gold.rows if row.language == language]
        mentions_many([row.query for row in rows], language)
        leaning = [row for row in rows if row.history and references(row.query, language)]
        mentions_many([row.history[-1].content for row in leaning], language)


def _last_named(row: GoldRow) -> str | None:
    for turn in reversed(row.history):
        named = [one for one in mentions(turn.content, row.language) if one.kind in ("entity", "noun")]
        entities = [one for one in named if one.kind == "entity"]
        if named:
            return (entities or named)[-1].text
    return None


def _without_class(rest: str) -> str:
    """这家|餐馆的电话: the name stands for the noun of its class too."""
    noun = max((noun for noun in GENERIC_NOUNS if rest.startswith(noun)), key=len, default="")
    return rest[len(noun) :]


def _possessive(reference: str, language: Language) -> str:
    return "'s" if language == "en" and reference.lower() in {"his", "her", "its", "their"} else ""
