"""Diverse rows: of each language and domain the ones that cover it best, and where the data is sparse.

A third of a data set often says the same in other words. The rows that stay are chosen by K-centre greedy over their
embeddings, as in the third stage of FiNE (NAACL 2025). Where they leave the data sparse, the dialogues are written to a
file that another build can read, so that a teacher writes more of their kind. Rows are compared in blocks of ten
thousand, so that time grows with their number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.sections import DiversityConfig
from pairwright.core.identity import Row
from pairwright.core.language.canonical_form import canonical
from pairwright.core.records import SftRow, Turn
from pairwright.core.result import Diversity, DiversityFigures
from pairwright.pipelines.diversity.diversity_figures import measure_diversity
from pairwright.pipelines.diversity.embedding import embed
from pairwright.pipelines.diversity.k_centre import k_centre

if TYPE_CHECKING:
    from pairwright.pipelines.similarity.overlap import Mask
    from pairwright.pipelines.similarity.shingles import I64

STAGE = "diversity"
_BLOCK = 10_000
_SPARSE = 0.9  # share of the rows whose next neighbour is near enough


class _Placed(NamedTuple):
    """What is remembered of a row: its task's id, its domain and its text."""

    id: str
    domain: str
    text: str


class SparseRegion(Row):
    """A dialogue that more should be written of, in the form that the source ``files`` reads."""

    id: str
    domain: str
    conversation: tuple[Turn, ...]


class Selection(NamedTuple):
    """Which rows stay (by task), what the others are nearest to, and how diverse they are."""

    gone: Mapping[str, tuple[str, float]]
    sparse_tasks: frozenset[str]
    diversity: Diversity

    def outcomes(self, rows: Iterable[SftRow]) -> Iterator[SftRow | Dropped]:
        """One outcome per row, in their order; ``not_diverse`` names the nearest row that stays."""
        for row in rows:
            if (found := self.gone.get(row.task.id)) is None:
                yield row
            else:
                detail = f"nearest row that stays: {found[0]}, cosine {found[1]:.3f}"
                yield Dropped(stage=STAGE, row=row.task.id, reason="not_diverse", detail=detail)

    def sparse_regions(self, rows: Iterable[SftRow]) -> Iterator[SparseRegion]:
        """The rows that stand alone, as dialogues that a source can read."""
        for task in (row.task for row in rows if row.task.id in self.sparse_tasks):
            turns = (*task.history, Turn(role="user", content=task.query))
            yield SparseRegion(id=task.id, domain=task.domain or task.origin.source, conversation=turns)


def select_diverse(read: Callable[[], Iterator[SftRow]], config: DiversityConfig) -> Selection:
    """Choose ``config.keep`` of the rows of each language and domain. The result does not depend on their order."""
    placed = sorted(_place(row) for row in read())
    vectors = embed([row.text for row in placed], config.embedding)
    keeps = np.zeros(len(placed), bool)
    gone: dict[str, tuple[str, float]] = {}
    sparse: list[int] = []
    for rows in _blocks(placed):
        own = vectors[rows]
        centres = k_centre(own, max(round(config.keep * len(rows)), 1))
        keeps[rows[centres.taken]] = True
        for place in np.flatnonzero(~keeps[rows]).tolist():
            near = placed[rows[centres.nearest[place]]]
            gone[placed[rows[place]].id] = near.id, float(centres.cosine[place])
        sparse += rows[_alone(own, centres.taken, centres.nearest)].tolist()
    diversity = Diversity(
        before=_figures(placed, vectors, np.ones(len(placed), bool)),
        after=_figures(placed, vectors, keeps),
        sparse_regions=len(sparse),
    )
    return Selection(gone, frozenset(placed[row].id for row in sparse), diversity)


def _place(row: SftRow) -> _Placed:
    domain = f"{row.task.language} {row.task.domain or row.task.origin.source}"
    return _Placed(row.task.id, domain, f"{canonical(row.task.query)} {canonical(row.chosen.text)}")


def _blocks(placed: list[_Placed]) -> Iterator[I64]:
    """Rows of one domain, at most ten thousand together. Ids are hashes, so that blocks are random parts."""
    domains: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(placed):
        domains[row.domain].append(number)
    for _, members in sorted(domains.items()):
        for start in range(0, len(members), _BLOCK):
            yield np.array(members[start : start + _BLOCK])


def _alone(vectors: Any, taken: I64, nearest: I64) -> I64:
    """Rows that stay, stand for no other one, and are among the tenth farthest from their next neighbour."""
    if len(taken) < 2:
        return taken[:0]
    kept = vectors[taken]
    next_to = np.empty(len(taken))
    for start in range(0, len(taken), 1000):
        # A thousand rows at a time: the cosines of a whole block may not fit into memory.
        part = kept[start : start + 1000] @ kept.T
        part = part if isinstance(part, np.ndarray) else part.toarray()
        # A row is not its own neighbour.
        part[np.arange(part.shape[0]), start + np.arange(part.shape[0])] = -1
        next_to[start : start + 1000] = part.max(axis=1)
    members = Counter(nearest.tolist())
    single = np.array([members[row] == 1 for row in taken.tolist()])
    return taken[single & (next_to < np.quantile(next_to, 1 - _SPARSE))]


def _figures(placed: list[_Placed], vectors: Any, keeps: Mask) -> DiversityFigures:
    rows = np.flatnonzero(keeps)
    total = np.asarray(vectors[rows].sum(axis=0)).ravel()
    pairs = max(len(rows) * (len(rows) - 1), 1)
    # Of unit vectors, the square of the sum is the sum of all cosines, one per row of them of a row with itself.
    mean_cosine = float((total @ total - len(rows)) / pairs) if len(rows) > 1 else 0.0
    return measure_diversity(
        [placed[row].text for row in rows.tolist()], [placed[row].domain for row in rows.tolist()], mean_cosine
    )
