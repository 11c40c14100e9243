"""What the rows of a build's exports are like: whether pairs differ in few words, whether there are tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from statistics import median

from pairwright.core.records import TaskKind
from pairwright.exports.rows.chat_readers import read_chat_rows
from pairwright.exports.rows.chat_rows import answer_of
from pairwright.exports.rows.row_readers import read_training_rows, records
from pairwright.training_recipes.recipes.build_facts import Export

SAMPLE = 200
SIMILAR = 0.6


def are_minimal_edits(export: Export, name: str) -> bool:
    """True where the two sides of most of a set's first ``SAMPLE`` pairs share more than ``SIMILAR`` of their characters.

    Source: the likelihood of both sides moves together when they are similar (Razin et al., ICLR 2025).
    """
    pairs = islice(_pairs(export, name), SAMPLE)
    shares = [SequenceMatcher(None, chosen, rejected, autojunk=False).ratio() for chosen, rejected in pairs]
    return bool(shares) and median(shares) > SIMILAR


def have_tools(export: Export, name: str) -> bool:
    """True where one of a set's first ``SAMPLE`` rows has tools of its own beside its messages."""
    return any(row.get("tools") for path in _files(export, name) for row in islice(records(path), SAMPLE))


def _pairs(export: Export, name: str) -> Iterator[tuple[str, str]]:
    for path in _files(export, name):
        yield from _READ_PAIRS[export.task](path)


def _rewrites(path: Path) -> Iterator[tuple[str, str]]:
    return ((row.chosen, row.rejected or "") for row in read_training_rows(path))


def _answers(path: Path) -> Iterator[tuple[str, str]]:
    return ((answer_of(row.chosen), answer_of(row.rejected)) for row in read_chat_rows(path) if row.rejected)


_READ_PAIRS: Mapping[TaskKind, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "rewrite": _rewrites,
    "answer": _answers,
}


def _files(export: Export, name: str) -> list[Path]:
    return sorted(export.folder.glob(f"{name}.json*"))
