"""Restoration F1, F2, F3: did the rewrite put back what the query left out? (Pan et al. 2019, D19-1191)

A token is restored if it is not in the query. Of each text, only the n-grams count that hold at least one of its own
restored tokens, each once per row. With h the n-grams that both the rewrite and the reference have, P = Σh / Σ(n-grams
of the rewrites), R = Σh / Σ(n-grams of the references), F = 2PR / (P + R), sums over all rows whose reference restores
anything, as in the code that published the figures (Liu et al. 2020, RUN). Fₙ is the F measure of n-grams of order n,
not an Fβ. Tokens: see ``tokens.py``.

Copying the query scores 0. ``docs/metrics.md`` has an example worked by hand.
"""

from __future__ import annotations

from collections.abc import Callable

from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums, f1
from pairwright.evaluation.metrics.tokens import ngrams, tokens


def restored_ngrams(text: str, query: str, order: int) -> set[tuple[str, ...]]:
    """The n-grams of ``text`` that hold a token which ``query`` has not."""
    known = set(tokens(query))
    return {gram for gram in ngrams(tokens(text), order) if not known.issuperset(gram)}


def _counts(order: int) -> Callable[[MetricCase], Sums | None]:
    def measure(case: MetricCase) -> Sums | None:
        query = case.row.query
        if not restored_ngrams(case.row.reference, query, 1):
            return None
        wanted = restored_ngrams(case.row.reference, query, order)
        found = restored_ngrams(case.prediction.rewrite, query, order)
        return float(len(wanted & found)), float(len(found)), float(len(wanted))

    return measure


RESTORATION_F1, RESTORATION_F2, RESTORATION_F3 = (
    Metric(
        f"restoration_f{order}",
        f"restored words found again, as runs of {order}" if order > 1 else "restored words found again",
        "higher",
        _counts(order),
        f1,
        size=3,
    )
    for order in (1, 2, 3)
)
