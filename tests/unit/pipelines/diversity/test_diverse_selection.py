"""Selection of diverse rows: what stays covers the rest, in any order of the rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.sections import DiversityConfig
from pairwright.core.files.storage import write_rows
from pairwright.core.records import Conversation, SftRow
from pairwright.pipelines.diversity.diverse_selection import Selection, select_diverse
from pairwright.pipelines.diversity.diversity_figures import measure_diversity
from pairwright.pipelines.diversity.k_centre import k_centre
from pairwright.pipelines.ingest.sources import FileSource
from pairwright.testing.factories import sft_row, task

SAME = [
    f"What does the {adjective} museum in Uppsala cost?" for adjective in ("old", "new", "big", "small", "red", "blue")
]
OTHER = ["Who wrote The Glass Orchard?", "How long do pandas live?", "颐和园的门票多少钱？", "北京明天会下雨吗？"]


def rows_of(texts: Sequence[str], domain: str | None = None) -> list[SftRow]:
    found = []
    for text in texts:
        language = "zh" if text[0] > "z" else "en"
        of = task(text, (), language, domain=domain)
        found.append(sft_row(of, text))
    return found


def chosen(rows: list[SftRow], keep: float) -> tuple[Selection, list[SftRow | Dropped]]:
    selection = select_diverse(lambda: iter(rows), DiversityConfig(keep=keep))
    return selection, list(selection.outcomes(rows))


def test_what_repeats_goes_first_and_names_what_it_is_nearest_to() -> None:
    rows = rows_of(SAME + OTHER[:2])
    _, outcomes = chosen(rows, 0.5)
    gone = [row for row in outcomes if isinstance(row, Dropped)]
    assert len(outcomes) == len(rows)
    assert len(gone) == 4
    assert {row.row for row in gone} <= {row.task.id for row in rows[: len(SAME)]}
    assert all(row.reason == "not_diverse" and "nearest row that stays" in row.detail for row in gone)


def test_every_language_and_domain_keeps_its_share() -> None:
    rows = rows_of(SAME + OTHER) + rows_of(SAME, "hotel")
    selection, outcomes = chosen(rows, 0.5)
    stays = [row for row in outcomes if isinstance(row, SftRow)]
    kept = [row.task.domain == "hotel" for row in stays]
    assert (sum(kept), len(kept) - sum(kept)) == (3, 5)
    assert selection.diversity.before.domains == {"en hotel": 6, "en test": 8, "zh test": 2}
    assert selection.diversity.after.domains == {"en hotel": 3, "en test": 4, "zh test": 1}


def test_what_stays_is_more_diverse() -> None:
    selection, _ = chosen(rows_of(SAME + OTHER[:2]), 0.5)
    before, after = selection.diversity.before, selection.diversity.after
    assert after.mean_cosine < before.mean_cosine
    assert after.distinct_2 > before.distinct_2
    assert (before.rows, after.rows) == (8, 4)


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(st.randoms(use_true_random=False), st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_the_order_of_the_rows_does_not_matter(shuffler: random.Random, keep: float) -> None:
    rows = rows_of(SAME + OTHER)
    selection, _ = chosen(rows, keep)
    shuffler.shuffle(rows)
    assert chosen(rows, keep)[0] == selection


def test_thin_regions_are_handed_over_as_dialogues_that_a_source_reads(tmp_path: Path) -> None:
    rows = rows_of([*SAME, "Are there any tennis courts with night lighting?"])
    selection, _ = chosen(rows, 1.0)
    (handed,) = selection.sparse_regions(rows)
    write_rows(tmp_path / "thin.jsonl", [handed])
    (read,) = FileSource(path=str(tmp_path / "thin.jsonl"), source="thin", licence="MIT").read()
    assert isinstance(read, Conversation)
    assert read.turns[-1].content == "Are there any tennis courts with night lighting?"


def test_a_single_row_stays() -> None:
    rows = rows_of(SAME[:1])
    selection, outcomes = chosen(rows, 0.1)
    assert outcomes == rows
    assert selection.diversity.after.rows == len(rows)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(-9, 9)] * 3).filter(any), min_size=1, max_size=12), st.integers(1, 12))
def test_no_row_is_farther_from_its_centre_than_centres_are_from_each_other(
    points: list[tuple[int, int, int]], count: int
) -> None:
    vectors = np.array(points, np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = k_centre(vectors, min(count, len(points)))
    cosines = vectors @ vectors.T
    best = cosines[:, found.taken].max(axis=1)
    assert np.allclose(found.cosine, best)
    assert np.allclose(cosines[np.arange(len(points)), found.nearest], best)
    if len(found.taken) > 1:
        among = cosines[np.ix_(found.taken, found.taken)] - 3 * np.eye(len(found.taken))
        assert found.cosine.min() >= among.max() - 1e-9 or len(found.taken) == len(points)


def test_the_figures_are_those_counted_by_hand() -> None:
    found = measure_diversity(["a b c", "a b d", "北京天气好"], ["en x", "en x", "zh y"], 0.25)
    assert (found.distinct_1, found.distinct_2) == (round(9 / 11, 4), round(7 / 8, 4))
    assert (found.top_openings, found.mean_cosine, found.domains) == (1.0, 0.25, {"en x": 2, "zh y": 1})
