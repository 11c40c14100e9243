"""What is kept in memory of every row while the rows themselves are on disk: some sixty bytes each."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

import numpy as np

from pairwright.core.records import Task
from pairwright.pipelines.similarity.disk_texts import DiskTexts

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.shingles import I64

_DIGEST = 16  # bytes, see digest_of


class DedupIndex:
    """Rows by number: their digests, their ranks, and on disk their ids and, for near duplicates, their texts.

    Rows of earlier builds come before all others and rank above them.
    """

    def __init__(self) -> None:
        self.ids = DiskTexts()
        self.texts = DiskTexts()
        self._digests = bytearray()
        self._unreferenced = array("b")
        self._places: dict[tuple[str, str], int] = {}
        self._place = array("q")
        self._line = array("q")
        self._tie = array("q")

    def __len__(self) -> int:
        return len(self.ids)

    def close(self) -> None:
        """Give the disk space back."""
        self.ids.close()
        self.texts.close()

    def add(self, task: Task, digest: bytes, text: str) -> None:
        """Note a task; ``text`` is empty where near duplicates stay."""
        origin = task.origin
        place = self._places.setdefault((origin.source, origin.file), len(self._places))
        self._note(task.id, digest, text, (task.reference is None, place, origin.line or 0))

    def add_earlier(self, row: str, digest: bytes, text: str) -> None:
        """Note a row of an earlier build."""
        self._note(row, digest, text, (-1, -1, len(self)))

    def _note(self, row: str, digest: bytes, text: str, rank: tuple[int, int, int]) -> None:
        self.ids.append(row)
        self.texts.append(text)
        self._digests += digest
        self._unreferenced.append(rank[0])
        self._place.append(rank[1])
        self._line.append(rank[2])
        # For rows of one line, as the queries of a dialogue are. Seven bytes fit into a signed 64-bit number.
        self._tie.append(int.from_bytes(hashlib.blake2b(row.encode(), digest_size=7).digest()))

    def id_of(self, row: int) -> str:
        """The id of a row."""
        return self.ids.one(row)

    def ranking(self) -> I64:
        """All rows, the best first: one with a human rewrite before one without, then the earliest in its source."""
        # Files rank by their names, not by when they came. The last item is for the place -1, that of earlier builds.
        names = sorted(self._places)
        sorted_place = np.array([names.index(name) for name in self._places] + [-1], np.int64)
        places = sorted_place[np.frombuffer(self._place, np.int64)] if len(self) else np.empty(0, np.int64)
        # For lexsort the last key weighs most.
        keys = (self._tie, self._line, places, np.frombuffer(self._unreferenced, np.int8))
        return np.lexsort([np.asarray(key) for key in keys])

    def firsts(self, ranking: I64) -> I64:
        """For each row the best one with the same digest."""
        digests = np.frombuffer(bytes(self._digests), np.uint64).reshape(-1, _DIGEST // 8)[ranking]
        order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal digests stay in the order of the ranking
        heads = digests[order]
        new = np.ones(len(order), bool)
        new[1:] = (heads[1:] != heads[:-1]).any(axis=1)
        firsts = np.empty(len(order), np.int64)
        firsts[ranking[order]] = ranking[order[np.flatnonzero(new)[np.cumsum(new) - 1]]]
        return firsts
