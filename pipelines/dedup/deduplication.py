"""One task per request: exact duplicates go, near duplicates go, and no template floods the data.

What is compared is the query together with its window of history: 多少钱？ after two different dialogues is two tasks.
Near duplicates are compared without courtesy and particles (:func:`~pairwright.pipelines.dedup.same_request.essence`). They
must be similar in the query and in the last turns before it, and must ask the same: rows that differ in an entity or a
number are different questions, of which only so many per template are kept.

Which row of several is kept depends on the rows alone, not on their order: one with a human rewrite before one
without, then the earliest in its source. What an earlier build has is not built again. Tasks and texts wait in
temporary files while they are compared: memory holds a few hundred bytes of each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO

import numpy as np

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.sections import DedupConfig
from pairwright.core.files.storage import temporary_file
from pairwright.core.records import Task
from pairwright.pipelines.dedup.dedup_index import DedupIndex
from pairwright.pipelines.dedup.duplicate_verdicts import EXACT, DuplicateVerdict, DuplicateVerdicts
from pairwright.pipelines.dedup.earlier_builds import build_name, read_index
from pairwright.pipelines.dedup.near_duplicate_rows import find_near_rows
from pairwright.pipelines.dedup.outline import Outlined
from pairwright.pipelines.dedup.request_text import asked_text, digest_of
from pairwright.pipelines.dedup.spool import spooled_lines, write_task
from pairwright.pipelines.similarity.disk_texts import DiskTexts

STAGE = "dedup"


def deduplicate(tasks: Iterable[Task], config: DedupConfig) -> Iterator[Task | Dropped]:
    """Yield one outcome per task, in their order: the task, or why it goes.

    ``exact_duplicate``, ``near_duplicate``, ``template``, or ``in_earlier_build`` for a duplicate of a row of one of
    ``config.earlier``. The detail of a dropped row names the row that stays in its place and the Jaccard similarity of
    the two.

    Raises:
        ConfigError: a folder of ``config.earlier`` holds no finished build.
        StorageError: the temporary folder is full.
    """
    with temporary_file() as spool, closing(DedupIndex()) as index:
        builds = _note_earlier(index, config)
        earlier = len(index)
        _note(tasks, spool, index, config.near)
        verdicts = _verdicts(index, config)
        for row, line in enumerate(spooled_lines(spool), start=earlier):
            if (verdict := verdicts.of(row)) is None:
                yield Task.model_validate_json(line)
            else:
                yield _dropped(index, row, verdict, builds)


def _verdicts(index: DedupIndex, config: DedupConfig) -> DuplicateVerdicts:
    """Verdicts on all rows; a copy of a row that goes because of another one goes because of that one too."""
    verdicts = DuplicateVerdicts(len(index))
    ranking = index.ranking()
    firsts = index.firsts(ranking)
    if config.near:
        rows = ranking[firsts[ranking] == ranking]
        verdicts.enter(find_near_rows(index.texts, rows, config), rows)
    verdicts.copy_of(firsts, EXACT)
    return verdicts


def find_near_verdicts(texts: Sequence[str], config: DedupConfig) -> dict[int, DuplicateVerdict]:
    """What goes of ``texts`` (see :func:`~pairwright.pipelines.dedup.request_text.asked_text`), the best first, and because
    of which other one."""
    with closing(DiskTexts()) as spool:
        for text in texts:
            spool.append(text)
        verdicts = find_near_rows(spool, np.arange(len(texts)), config)
    found = ((row, verdicts.of(row)) for row in np.flatnonzero(verdicts.goes).tolist())
    return {row: verdict for row, verdict in found if verdict}


def link_dialogues(rows: Iterable[Outlined], config: DedupConfig) -> list[tuple[str, str]]:
    """Pairs of dialogues that share a duplicate, exact or near: what ``assign_splits`` and ``verify_splits`` of
    :mod:`~pairwright.pipelines.pairing.splits` take as links. None are left where near duplicates were removed."""
    dialogues = []
    with closing(DiskTexts()) as texts:
        for row in rows:
            dialogues.append(row.dialogue)
            texts.append(row.asked)
        verdicts = find_near_rows(texts, np.arange(len(dialogues)), config)
    found = ((row, verdicts.of(row)) for row in np.flatnonzero(verdicts.goes).tolist())
    pairs = ((dialogues[row], dialogues[one.because]) for row, one in found if one and one.reason != "template")
    return sorted({(one, other) for one, other in pairs if one != other})


def _note_earlier(index: DedupIndex, config: DedupConfig) -> list[tuple[int, str]]:
    """Note the rows of earlier builds; return where each build's rows end, and its name."""
    ends = []
    for folder in map(Path, config.earlier):
        name = build_name(folder)
        for row in read_index(folder):
            index.add_earlier(row.id, row.digest, row.asked if config.near else "")
        ends.append((len(index), name))
    return ends


def _note(tasks: Iterable[Task], spool: IO[bytes], index: DedupIndex, near: bool) -> None:
    for task in tasks:
        write_task(spool, task)
        index.add(task, digest_of(task), asked_text(task) if near else "")


def _dropped(index: DedupIndex, row: int, verdict: DuplicateVerdict, builds: Sequence[tuple[int, str]]) -> Dropped:
    build = next((name for end, name in builds if verdict.because < end), None)
    reason = verdict.reason if build is None or verdict.reason == "template" else "in_earlier_build"
    place = f" in build {build}" if build else ""
    detail = f"of {index.id_of(verdict.because)}{place}, Jaccard {verdict.jaccard:.3f}"
    return Dropped(stage=STAGE, row=index.id_of(row), reason=reason, detail=detail)
