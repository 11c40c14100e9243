"""Key-entity retention: of what the reference takes from the dialogue, how much stands in the rewrite.

Key entities of a row are annotated (``meta.key_entities``), or they are the mentions in what the reference restores
(as for the judge ``missing_key_entity``) that the history has, or all of them where it has none (histories without the
assistant's turns). A key entity is retained when
:func:`pairwright.core.language.text_analysis.supported` finds it in the rewrite in any form. Mean over rows of the share retained;
rows without key entities do not count. Copying the query scores near 0.
"""

from __future__ import annotations

from functools import lru_cache

from pairwright.core.language.text_analysis import supported
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase, Sums
from pairwright.judges.rules.restorations import key_entities as judged_entities


@lru_cache(maxsize=16384)
def key_entities(row: GoldRow) -> tuple[str, ...]:
    """What a rewrite of this row must name."""
    if row.key_entities is not None:
        return row.key_entities
    history = [turn.content for turn in row.history]
    found = tuple(text for text in judged_entities(row.case) if not supported(text, [row.query]))
    return tuple(text for text in found if supported(text, history)) or found


def _retained(case: MetricCase) -> Sums | None:
    wanted = key_entities(case.row)
    if not wanted:
        return None
    return sum(supported(entity, [case.prediction.rewrite]) for entity in wanted) / len(wanted), 1.0


ENTITY_RETENTION = Metric(
    "entity_retention",
    "entities that the reference takes from the dialogue and the rewrite has too",
    "higher",
    _retained,
)
