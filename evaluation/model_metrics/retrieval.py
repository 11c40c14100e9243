"""Retrieval with the rewrite as the query: mean reciprocal rank and recall at 10 of BM25 over given passages.

Rows name their relevant passages in ``meta.relevant``; passages are JSON lines ``{"id", "text"}``. BM25 is bm25s' with
Lucene's formula, k1 = 0.9 and b = 0.4 (Anserini's defaults). Reciprocal ranks count within the first 100 passages.
English is searched by lower-case words without stemming, Chinese by overlapping character pairs, as Lucene does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from pairwright.core.errors import ConfigError, SourceError
from pairwright.core.extras import install_line
from pairwright.core.files.texts import read_row_lines
from pairwright.core.identity import Row
from pairwright.core.untrusted_json import NotJson, read_json, unambiguous
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.evaluation.metrics.tokens import tokens
from pairwright.evaluation.predictions import System

DEPTH = 100  # passages looked at for each query
RECALL_AT = 10


class Passage(Row):
    """One passage of the collection."""

    id: str
    text: str


def read_passages(path: Path) -> list[Passage]:
    """Read a collection.

    Raises:
        SourceError: the file cannot be read, is empty, or a line is no passage; names file and line.
    """
    found = []
    for number, line in enumerate(read_row_lines(path, "Check the path of the passages."), start=1):
        if line.strip():
            try:
                found.append(Passage.model_validate(read_json(line, unambiguous)))
            except ValueError as exc:
                said = f": {exc.brief}" if isinstance(exc, NotJson) else ""
                raise SourceError(
                    f"{path}:{number}: not a passage{said}", 'A passage is {"id": "…", "text": "…"}.'
                ) from exc
    if not found:
        raise SourceError(f"{path}: no passages")
    return found


def search_terms(text: str) -> list[str]:
    """What is indexed and looked up: words, and overlapping pairs of neighbouring Han characters."""
    found = tokens(text)
    terms = [token for token in found if token.isascii()]
    terms += [one + other for one, other in pairwise(found) if not one.isascii() and not other.isascii()]
    return terms or list(found)


class Searcher:
    """A BM25 index over passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        try:
            import bm25s
        except ImportError as exc:
            raise ConfigError(["--passages needs bm25s"], install_line("evaluate")) from exc
        self._ids = [passage.id for passage in passages]
        self._index = bm25s.BM25(method="lucene", k1=0.9, b=0.4)
        self._index.index([search_terms(passage.text) for passage in passages], show_progress=False)

    def search(self, queries: Sequence[str]) -> list[list[str]]:
        """Ids of the passages found for each query, best first, at most ``DEPTH``."""
        terms = [search_terms(query) for query in queries]
        depth = min(DEPTH, len(self._ids))
        found, scores = self._index.retrieve(terms, k=depth, show_progress=False)
        return [
            [self._ids[index] for index, score in zip(row, row_scores, strict=True) if score > 0]
            for row, row_scores in zip(found.tolist(), scores.tolist(), strict=True)
        ]


def retrieval_metrics(path: Path, rows: Sequence[GoldRow], systems: Sequence[System]) -> tuple[Metric, Metric]:
    """MRR and R@10 of the systems' rewrites over the passages of ``path``.

    Raises:
        SourceError: the passages cannot be read, or a row names a passage that is not there.
    """
    passages = read_passages(path)
    _check(path, {passage.id for passage in passages}, rows)
    pairs = [zip(rows, system.predictions, strict=True) for system in systems]
    texts = sorted({one.rewrite for pair in pairs for row, one in pair if row.relevant})
    ranked = dict(zip(texts, Searcher(passages).search(texts), strict=True)) if texts else {}

    def reciprocal(case: MetricCase) -> Sums | None:
        wanted = set(case.row.relevant)
        if not wanted:
            return None
        ranks = [rank for rank, found in enumerate(ranked[case.prediction.rewrite], start=1) if found in wanted]
        return (1 / ranks[0] if ranks else 0.0), 1.0

    def recall(case: MetricCase) -> Sums | None:
        wanted = set(case.row.relevant)
        if not wanted:
            return None
        return len(wanted.intersection(ranked[case.prediction.rewrite][:RECALL_AT])) / len(wanted), 1.0

    return (
        Metric("mrr", "reciprocal rank of the first relevant passage (BM25)", "higher", reciprocal),
        Metric("recall_at_10", "relevant passages among the first ten (BM25)", "higher", recall),
    )


def _check(path: Path, known: set[str], rows: Sequence[GoldRow]) -> None:
    missing = [(row.id, one) for row in rows for one in row.relevant if one not in known]
    if missing:
        row, one = missing[0]
        raise SourceError(f"{path}: {len(missing)} relevant passages are not in it; the first: {one!r} of row {row!r}")
