"""Test rows: what a rewrite is measured against, read from rewriting rows or from a build's test split.

A rewriting row is ``{"id", "lang", "history": [{"role", "content"}], "query", "rewrite", "meta"}``, one per line. These
keys of ``meta`` are understood, all optional: ``dialogue`` (rows of one dialogue are resampled together),
``needs_rewrite``, ``depends_on_assistant``, ``phenomenon`` or ``kind`` (the defect of the query), ``key_entities``,
``relevant`` (ids of passages for retrieval).

Nothing is skipped: every line that cannot be used is named in one error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pairwright.core.errors import SourceError
from pairwright.core.files.storage import read_rows, sha256_of
from pairwright.core.files.texts import read_row_lines
from pairwright.core.identity import Row
from pairwright.core.language.text_analysis import detect_language, normalise
from pairwright.core.records import Example, KnownCase, Language, SftRow, Split, TaskKind, Turn
from pairwright.core.untrusted_json import NotJson, read_json, unambiguous

MEASURED: frozenset[TaskKind] = frozenset({"rewrite"})
"""The kinds of task whose answers can be measured against a text that a person wrote."""
_LETTERS = re.compile(r"[A-Za-z\u3400-\u9fff\uf900-\ufaff]")
_SHOWN = 10  # problems that are told; the others are counted


class GoldRow(Row):
    """One query with its dialogue and the rewrite that a person wrote.

    ``dialogue`` groups rows of one dialogue; ``examples`` are the few-shot examples that the prompt shows;
    ``key_entities``, ``needs_rewrite``, ``depends_on_assistant`` and ``defect`` are annotations, absent where the source
    has none.
    """

    id: str
    language: Language
    dialogue: str
    history: tuple[Turn, ...]
    query: str
    reference: str
    examples: tuple[Example, ...] = ()
    key_entities: tuple[str, ...] | None = None
    needs_rewrite: bool | None = None
    depends_on_assistant: bool | None = None
    defect: str | None = None
    relevant: tuple[str, ...] = ()

    @property
    def dependent(self) -> bool:
        """True when the query needs its dialogue: annotated so, else by whether the reference changes it."""
        if self.needs_rewrite is not None:
            return self.needs_rewrite
        return normalise(self.query) != normalise(self.reference)

    @property
    def dialogue_texts(self) -> tuple[str, ...]:
        """What was said: the turns of the history and the query."""
        return (*(turn.content for turn in self.history), self.query)

    @property
    def case(self) -> KnownCase:
        """The row as the deterministic judges see it; what the reference says counts as said in the dialogue."""
        told = Turn(role="assistant", content=self.reference)
        return KnownCase(
            id=self.id,
            language=self.language,
            history=(told, *self.history),
            query=self.query,
            reference=self.reference,
            examples=self.examples,
        )


class GoldSet(Row):
    """The rows of one test file; ``sha256`` names their content."""

    name: str
    sha256: str
    rows: tuple[GoldRow, ...]


def read_gold(path: Path) -> GoldSet:
    """Read a file of rewriting rows, or the test split of a build's folder.

    Raises:
        SourceError: no such file, no rows, or rows that cannot be used; every such line is named.
    """
    if path.is_dir():
        return gold_of_build(path)
    rows: list[GoldRow] = []
    problems: list[str] = []
    for number, line in enumerate(read_row_lines(path, "Check the path of the test file."), start=1):
        if line.strip():
            try:
                rows.append(row_from(read_json(line, unambiguous)))
            except (ValueError, KeyError, TypeError, AttributeError) as exc:
                problems.append(f"{path}:{number}: {explain(exc)}")
    return gold_set(path.stem, rows, problems, source=str(path), sha256=sha256_of(path))


def gold_set(name: str, rows: Sequence[GoldRow], problems: Iterable[str] = (), *, source: str, sha256: str) -> GoldSet:
    """Check ``rows`` and make them a test set.

    Raises:
        SourceError: ``problems`` were found before, or ids repeat, references are empty, the text is in another
            language than its row says, or there is no row at all.
    """
    found = [*problems, *_problems(source, rows)]
    if found:
        more = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        text = "\n".join([*found[:_SHOWN], *more])
        raise SourceError(text, "No row is left out of an evaluation: mend or remove these lines, then run again.")
    if not rows:
        raise SourceError(f"{source}: no test rows", "Give a JSONL file with id, lang, history, query and rewrite.")
    return GoldSet(name=name, sha256=sha256, rows=tuple(rows))


def row_from(raw: Mapping[str, Any]) -> GoldRow:
    """Make a test row of one rewriting row; unknown keys of ``meta`` are ignored.

    Raises:
        KeyError, TypeError, ValueError: what is missing or wrong.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"an object with id, lang, history, query and rewrite is expected, found {str(raw)[:40]!r}")
    meta: Mapping[str, Any] = raw.get("meta") or {}
    if not isinstance(meta, Mapping):
        raise ValueError(f"meta is no object: {str(meta)[:40]!r}")
    if not isinstance(raw["history"], list) or not all(isinstance(turn, Mapping) for turn in raw["history"]):
        raise ValueError('history is no list of turns {"role": …, "content": …}')
    history = tuple(Turn(role=turn["role"], content=turn["content"]) for turn in raw["history"])
    opening = history[0].content if history else raw["query"]
    entities = meta.get("key_entities")
    return GoldRow(
        id=raw["id"],
        language=raw["lang"],
        dialogue=str(meta.get("dialogue") or opening),
        history=history,
        query=raw["query"],
        reference=raw["rewrite"],
        key_entities=None if entities is None else tuple(entities),
        needs_rewrite=meta.get("needs_rewrite"),
        depends_on_assistant=meta.get("depends_on_assistant"),
        defect=meta.get("phenomenon") or meta.get("kind"),
        relevant=tuple(meta.get("relevant") or ()),
    )


def language_of(text: str) -> Language | None:
    """The language of a text by its script; None where it has neither Han characters nor Latin letters."""
    return detect_language(text) if _LETTERS.search(text) else None


def _problems(source: str, rows: Sequence[GoldRow]) -> Iterable[str]:
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            yield f"{source}: row {row.id!r}: this id stands more than once"
        seen.add(row.id)
        if not row.query.strip():
            yield f"{source}: row {row.id!r}: empty query"
        if not row.reference.strip():
            yield f"{source}: row {row.id!r}: empty reference (rewrite)"
        elif language_of(row.reference) not in (None, row.language):
            yield (
                f"{source}: row {row.id!r}: lang is {row.language!r} but the reference is written in "
                f"{language_of(row.reference)!r}: {row.reference[:40]!r}"
            )


def gold_of_build(folder: Path, splits: Sequence[Split] = ("test",)) -> GoldSet:
    """The queries to rewrite in some splits of a finished build, as test rows.

    Raises:
        SourceError: no finished build, or no such rows in it.
    """
    path = folder / "rows" / "sft.jsonl"
    rows = [_from_sft(row) for row in _measured(path, splits)]
    return gold_set(folder.name, rows, source=f"{path} (split {', '.join(splits)})", sha256=sha256_of(path))


def count_of_build(folder: Path, splits: Sequence[Split] = ("test",)) -> int:
    """How many rows :func:`gold_of_build` would give.

    Raises:
        SourceError: no finished build.
    """
    return sum(1 for _ in _measured(folder / "rows" / "sft.jsonl", splits))


def _measured(path: Path, splits: Sequence[Split]) -> Iterator[SftRow]:
    if not path.is_file():
        raise SourceError(
            f"{path.parents[1]}: neither a test file nor a finished build (no rows/sft.jsonl)",
            "Run the build first, or name a JSONL file.",
        )
    return (row for row in read_rows(path, SftRow) if row.split in splits and row.task.kind in MEASURED)


def _from_sft(row: SftRow) -> GoldRow:
    return GoldRow(
        id=row.id,
        language=row.task.language,
        dialogue=row.task.dialogue,
        history=row.task.history,
        query=row.task.query,
        reference=row.task.reference or row.chosen.text,
        examples=row.task.examples,
    )


def explain(exc: Exception) -> str:
    """What is wrong with a row, in one line."""
    if isinstance(exc, ValidationError):
        return "; ".join(f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors())
    if isinstance(exc, NotJson):
        return f"not JSON: {exc.brief}"
    if isinstance(exc, KeyError):
        return f"key {exc.args[0]!r} is missing"
    return f"not a rewriting row: {exc}"
