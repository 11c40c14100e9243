"""Texts whose quality is known: gold rewrites, what perturbers make of them, and texts that people marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, ValidationError

from pairwright.core.component_calls import perturb, read_source
from pairwright.core.components import Perturber
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import SourceError
from pairwright.core.files.texts import read_row_lines
from pairwright.core.identity import Row, row_rng
from pairwright.core.language.text_analysis import detect_language, estimate_tokens
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Candidate, Conversation, Language, Origin, Rejected, Task, Turn
from pairwright.core.untrusted_json import read_json, unambiguous
from pairwright.perturbers import PERTURBERS
from pairwright.pipelines.ingest.contexts import find_queries, window_queries

STAGE = "calibrate"


class Item(NamedTuple):
    """One text for one task, whether it is good, the defect of a bad one, and the good text to compare it with.

    The task has no reference: a judge that knew it would be measured at copying.
    """

    task: Task
    text: str
    good: bool
    defect: str
    better: str | None


class Marked(Row):
    """A row that a person marked: ``text`` is a rewrite of ``query``, ``good`` says whether it may be used."""

    history: tuple[Turn, ...] = ()
    query: str = Field(min_length=1)
    text: str = Field(min_length=1)
    good: bool
    defect: str = ""
    lang: Language | None = None


def gold_items(config: BuildConfig, limit: int, per_row: int) -> list[Item]:
    """The references of the build's sources, ``limit`` per language drawn by seed, each with ``per_row`` bad variants.

    Variants come from the build's perturbers, or all that there are: every one is proven to have its defect.
    """
    tasks = [task for task in _tasks(config) if task.reference is not None]
    tasks.sort(key=lambda task: row_rng(config.seed, STAGE, task.id).random())
    chosen = [task for language in ("en", "zh") for task in [one for one in tasks if one.language == language][:limit]]
    perturbers = config.perturbers or tuple(cls() for cls in PERTURBERS.values() if "rewrite" in cls.tasks)
    return [item for task in chosen for item in _items(task, perturbers, config.seed, per_row)]


def _tasks(config: BuildConfig) -> Iterator[Task]:
    bank = read_examples(config.examples.path)
    rows = (row for source in config.sources for row in read_source(source))
    conversations = (row for row in rows if isinstance(row, Conversation))
    found = window_queries(
        find_queries(conversations, config.context), config.context, bank, config.examples.per_prompt
    )
    return (task for task in found if isinstance(task, Task))


def _items(task: Task, perturbers: Sequence[Perturber], seed: int, per_row: int) -> Iterator[Item]:
    good = task.reference
    assert good is not None
    blind = task.model_copy(update={"reference": None})
    yield Item(blind, good, True, "", None)
    chosen = Candidate.create(task=task.id, origin="reference", text=good)
    order = list(perturbers)
    # Only the first per_row that find something count: in a fixed order the last perturbers would have no turn.
    row_rng(seed, f"{STAGE}.order", task.id).shuffle(order)
    found = 0
    for perturber in order:
        outcomes = perturb(perturber, task, chosen, row_rng(seed, f"{STAGE}.{perturber.name}", task.id))
        worse = next((one for one in outcomes if isinstance(one, Rejected)), None)
        # A fault in the analysis does not show in the text, which is all that judges see.
        if worse is not None and worse.analysis is None and found < per_row:
            found += 1
            yield Item(blind, worse.text, False, worse.defect, good)


def marked_items(path: Path) -> list[Item]:
    """The rows of a JSON Lines file of :class:`Marked`.

    Raises:
        SourceError: it cannot be read, is empty, or a row is none; the first ten such lines are named.
    """
    lines = read_row_lines(path, "Give a JSONL file with history, query, text and good.")
    items, problems = [], []
    for number, line in enumerate(lines, start=1):
        try:
            items.append(_marked(Marked.model_validate(_object(read_json(line, unambiguous))), path, number))
        except (ValueError, ValidationError) as exc:
            what = exc.errors()[0] if isinstance(exc, ValidationError) else {"loc": (), "msg": str(exc)}
            place = "".join(f"{part}." for part in what["loc"])[:-1]
            problems.append(f"{path}:{number}: {place}{': ' if place else ''}{what['msg']}")
    if problems or not items:
        raise SourceError(
            "\n".join(problems[:10]) or f"{path}: no rows",
            "Each row has history, query, text and good (true or false); nothing is left out: mend these lines.",
        )
    return items


def _object(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError(f"an object with history, query, text and good is expected, found {str(value)[:40]!r}")
    return value


def _marked(row: Marked, path: Path, number: int) -> Item:
    task = Task.create(
        conversation=f"{path.stem}-{number}",
        dialogue=f"{path.stem}-{number}",
        language=row.lang or detect_language(row.query + row.text),
        history=row.history,
        query=row.query,
        tokens=estimate_tokens(row.query),
        origin=Origin(source=path.stem, file=str(path), line=number, key=str(number), licence=""),
    )
    return Item(task, row.text, row.good, "" if row.good else row.defect or "marked", None)
