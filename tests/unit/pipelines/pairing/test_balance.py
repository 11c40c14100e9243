"""Quotas, bands and surfaces hold together over a whole build, whatever the order of its rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.records import Generation, PreferencePair, Rejected, SftRow
from pairwright.pipelines.pairing import preference_pairs
from pairwright.pipelines.pairing.balance import caps, tightest
from pairwright.pipelines.pairing.pair_features import extract_features, needs_no_rewrite
from pairwright.pipelines.pairing.surface import SurfacePosition, auc, cells_auc, length_position, punctuation_position
from pairwright.testing.factories import rejected, sft_row, task

Proposals = Sequence[tuple[SftRow, Rejected]]
FREE = {
    "max_defect_share": 1,
    "max_template_share": 1,
    "no_rewrite_share": (0, 1),
    "max_surface_auc": 1,
}


def config(**pairing: Any) -> BuildConfig:
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    settings = {"name": "x", "output": "out", "sources": [source], "pairing": {**FREE, **pairing}}
    return BuildConfig.model_validate(settings)


def rows(count: int, unchanged: Callable[[int], bool] = lambda number: False) -> list[SftRow]:
    texts = (f"query number {number}?" for number in range(count))
    return [sft_row(task(text), text if unchanged(at) else f"rewritten {text}") for at, text in enumerate(texts)]


def worse(row: SftRow, at: int, defect: str = "d", longer: bool = True, end: str = "", **fields: Any) -> Rejected:
    text = row.chosen.text[:-1]
    text = f"{text} xxxxx?" if longer else f"{text[:-6]}?"
    return rejected(text + end, defect=defect, **{"template": f"t{at % 40}", **fields})


def run(proposals: Proposals, **pairing: Any) -> tuple[list[PreferencePair], Counter[str]]:
    """The pairs that stay, and the reasons of the others."""
    plan = preference_pairs.plan_pairs(
        extract_features(proposals, config().prompt, config().seed), config(**pairing).pairing
    )
    outcomes = list(preference_pairs.pair_variants(proposals, plan.picks))
    pairs = [outcome for outcome in outcomes if isinstance(outcome, PreferencePair)]
    kept = list(preference_pairs.keep_balanced(pairs, plan.keeps))
    reasons = Counter(outcome.reason for outcome in [*outcomes, *kept] if isinstance(outcome, Dropped))
    stay = [outcome for outcome in kept if isinstance(outcome, PreferencePair)]
    assert len(stay) + sum(reasons.values()) == len(proposals)
    return stay, reasons


def share(pairs: Sequence[PreferencePair], what: Callable[[PreferencePair], bool]) -> float:
    return sum(map(what, pairs)) / len(pairs)


@given(st.dictionaries(st.integers(0, 9), st.integers(1, 400), min_size=1), st.floats(0.05, 1.0), st.integers(0, 300))
def test_no_kind_exceeds_its_share_and_no_more_is_cut_than_needed(
    counts: dict[int, int], most: float, others: int
) -> None:
    kept = caps(counts, most, others)
    total = sum(kept.values()) + others
    reachable = max(most, 1 / len(counts))
    assert total
    assert all(number <= reachable * total + 1e-6 for number in kept.values())
    cap = max(kept.values())
    more = [min(number, cap + 1) for number in counts.values()]
    assert cap == max(counts.values()) or max(more) > reachable * (sum(more) + others)


@given(st.dictionaries(st.integers(0, 9), st.integers(1, 400), min_size=1), st.floats(0.05, 1.0), st.floats(0, 0.9))
def test_a_quota_is_loosened_until_it_costs_no_more_than_it_may(
    counts: dict[int, int], most: float, max_loss: float
) -> None:
    found = tightest(counts, most, max_loss)
    assert found >= most
    assert sum(caps(counts, found).values()) >= (1 - max_loss) * sum(counts.values()) - 1e-9


def test_with_enough_defects_none_makes_up_more_than_its_share() -> None:
    made = rows(700)
    proposals = [(row, worse(row, at, "often" if at % 2 else f"d{at % 7}")) for at, row in enumerate(made)]
    pairs, reasons = run(proposals, max_defect_share=0.2)
    counts = Counter(row.rejected.defect for row in pairs)
    assert max(counts.values()) <= 0.2 * len(pairs)
    assert reasons == {"max_defect_share": 700 - len(pairs)}
    assert all(counts[f"d{n}"] == 50 for n in range(7))


def test_a_rare_second_defect_does_not_cost_the_first_one_nearly_all_its_pairs() -> None:
    proposals = [(row, worse(row, at, "rare" if at < 5 else "often")) for at, row in enumerate(rows(300))]
    pairs, _ = run(proposals, max_defect_share=0.2, max_loss=0.5)
    assert len(pairs) >= 150


def test_no_template_makes_up_more_than_its_share_and_samples_have_none() -> None:
    proposals = [
        (row, worse(row, at, template="often" if at % 3 == 0 else f"t{at % 40}")) for at, row in enumerate(rows(600))
    ]
    pairs, reasons = run(proposals, max_template_share=0.05)
    counts = Counter(row.rejected.template for row in pairs)
    assert max(counts.values()) <= 0.05 * len(pairs)
    assert set(reasons) == {"max_template_share"}
    sampled = [(row, worse(row, 0, rejected_by="sampled", template="sampled")) for row in rows(600)]
    assert len(run(sampled, max_template_share=0.05)[0]) == 600


@pytest.mark.parametrize(("every", "most"), [(2, 0.30), (6, 0.20)])
def test_the_abundant_side_of_no_rewrite_prompts_is_trimmed_into_the_band(every: int, most: float) -> None:
    made = rows(600, unchanged=lambda number: number % every == 0)
    pairs, reasons = run([(row, worse(row, at)) for at, row in enumerate(made)], no_rewrite_share=(0.2, 0.3))
    unchanged = [needs_no_rewrite(SftRow.create(task=p.task, chosen=p.chosen, verdicts=p.verdicts)) for p in pairs]
    assert sum(unchanged) / len(pairs) == pytest.approx(most, abs=0.005)
    assert set(reasons) == {"no_rewrite_share"}


def test_where_too_few_prompts_need_no_rewrite_nothing_is_cut() -> None:
    made = rows(200, unchanged=lambda number: number == 0)
    pairs, _ = run([(row, worse(row, at)) for at, row in enumerate(made)], no_rewrite_share=(0.2, 0.3))
    assert len(pairs) == 200


def test_the_share_of_the_students_own_samples_is_kept_within_its_band() -> None:
    said = {"endpoint": "s", "model": "m", "prompt_hash": "p", "request_hash": "r", "temperature": 1, "seed": 1}
    proposals = [
        (
            row,
            worse(row, at, rejected_by="sampled", generation=Generation(**said, on_policy=True))
            if at % 3
            else worse(row, at),
        )
        for at, row in enumerate(rows(300))
    ]
    pairs, reasons = run(proposals, on_policy_share=(0.1, 0.5))
    assert share(pairs, lambda row: row.rejected.rejected_by == "sampled") == 0.5
    assert reasons == {"on_policy_share": 100}


def length_auc(pairs: Sequence[PreferencePair]) -> float:
    sizes = [len(row.chosen.text) - len(row.rejected.text) for row in pairs]
    return auc(np.array(sizes, np.float64))


def test_pairs_are_dropped_until_length_tells_little() -> None:
    proposals = [(row, worse(row, at, longer=at % 4 == 0)) for at, row in enumerate(rows(800))]
    before = [PreferencePair.create(task=r.task, chosen=r.chosen, verdicts=(), rejected=w) for r, w in proposals]
    pairs, reasons = run(proposals, max_surface_auc=0.6)
    assert length_auc(before) > 0.7
    assert length_auc(pairs) <= 0.6
    assert set(reasons) == {"shortcut:length"}
    assert len(pairs) >= 480  # 200 longer ones allow 300 shorter ones


def test_a_shortcut_that_costs_too_much_to_remove_is_left_and_costs_nothing() -> None:
    proposals = [(row, worse(row, at, longer=False)) for at, row in enumerate(rows(300))]
    assert len(run(proposals, max_surface_auc=0.6)[0]) == 300


def test_punctuation_that_marks_the_rejected_side_is_evened_out() -> None:
    proposals = [
        (row, worse(row, at, longer=bool(at % 2), end="!" if at % 3 == 0 else "")) for at, row in enumerate(rows(600))
    ]
    pairs, reasons = run(proposals, max_surface_auc=0.55)
    assert share(pairs, lambda row: row.rejected.text.endswith("!")) < 0.15
    assert reasons["shortcut:punctuation"] > 100


def test_all_rules_hold_together() -> None:
    rng = random.Random(5)
    made = rows(1500, unchanged=lambda number: number % 2 == 0)
    proposals = [
        (
            row,
            worse(row, rng.randrange(40), f"d{rng.choice((0, 0, 0, 1, 2, 3, 4, 5, 6, 7))}", longer=rng.random() < 0.3),
        )
        for row in made
    ]
    rules = {
        "max_defect_share": 0.2,
        "max_template_share": 0.05,
        "no_rewrite_share": (0.2, 0.3),
        "max_surface_auc": 0.6,
    }
    pairs, reasons = run(proposals, **rules, max_loss=0.7)
    assert max(Counter(row.rejected.defect for row in pairs).values()) <= 0.2 * len(pairs)
    assert max(Counter(row.rejected.template for row in pairs).values()) <= 0.05 * len(pairs)
    assert 0.2 <= share(pairs, lambda row: row.chosen.text == row.task.query) <= 0.3
    assert length_auc(pairs) <= 0.6
    assert len(pairs) > 500
    assert {"no_rewrite_share", "shortcut:length"} <= set(reasons)


def test_rules_that_contradict_each_other_are_loosened_before_they_cost_more_than_they_may() -> None:
    # The only defect that lengthens may make up a fifth; length asks for two fifths.
    proposals = [
        (row, worse(row, at, "grown" if at % 5 == 0 else f"cut {at % 5}", longer=at % 5 == 0))
        for at, row in enumerate(rows(500))
    ]
    pairs, _ = run(proposals, max_defect_share=0.2, max_surface_auc=0.6, max_loss=0.6)
    assert len(pairs) >= 200
    assert length_auc(pairs) <= 0.6
    assert share(pairs, lambda row: row.rejected.defect == "grown") == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_what_stays_does_not_depend_on_the_order_of_the_rows(seed: int) -> None:
    made = rows(60, unchanged=lambda number: number % 2 == 0)
    groups = [
        [(row, worse(row, at, f"d{at % 5}")), (row, worse(row, at, "cut", longer=False))] for at, row in enumerate(made)
    ]
    limits = {"max_per_task": 1, "max_defect_share": 0.2, "no_rewrite_share": (0.2, 0.3), "max_surface_auc": 0.6}
    plain, _ = run([one for group in groups for one in group], **limits)
    random.Random(seed).shuffle(groups)
    mixed, _ = run([one for group in groups for one in group], **limits)
    assert {row.id for row in plain} == {row.id for row in mixed}


def test_a_build_without_pairs_needs_no_balance() -> None:
    assert run([], max_defect_share=0.2, max_surface_auc=0.6) == ([], Counter())


def test_length_falls_into_cells_of_doubling_size() -> None:
    assert length_position("en", "abcd", "a") == SurfacePosition("en:2", 1)
    assert length_position("en", "a", "abcd") == SurfacePosition("en:2", -1)
    assert length_position("zh", "甲乙", "丙丁") == SurfacePosition("zh:0", 0)


def test_english_length_says_whether_words_go_with_characters() -> None:
    assert length_position("en", "a b c d", "a") == SurfacePosition("en:3+words", 1)
    assert length_position("en", "abcdefgh", "a b c") == SurfacePosition("en:2-words", 1)
    assert length_position("en", "a b c", "abcdefgh") == SurfacePosition("en:2-words", -1)
    assert length_position("en", "a b", "abc") == SurfacePosition("en:0+words", 1)
    assert length_position("en", "abc", "a b") == SurfacePosition("en:0+words", -1)


def test_mirrored_punctuation_shares_a_cell_on_opposite_sides() -> None:
    there = punctuation_position("zh", "《甲》是谁写的？", "它是谁写的？")
    back = punctuation_position("zh", "它是谁写的？", "《甲》是谁写的？")
    assert there.cell == back.cell
    assert (there.side, back.side) == (1, -1)
    assert punctuation_position("en", "Who is it?", "Who was he?") == SurfacePosition("en:", 0)
    assert punctuation_position("zh", "谁写的？", "谁写的。。").cell == "zh:+end 。-end ？+。-？"


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_auc_is_the_chance_that_a_right_order_scores_above_a_wrong_one(scores: list[int]) -> None:
    wins = [(a > -b) + (a == -b) / 2 for a in scores for b in scores]
    assert auc(np.array(scores, np.float64)) == pytest.approx(sum(wins) / len(wins))


def test_cells_that_are_even_tell_nothing_and_cells_with_one_side_tell_all() -> None:
    assert cells_auc(np.array([30, 5]), np.array([30, 5])) == 0.5
    assert cells_auc(np.array([30, 0]), np.array([0, 30])) == 1
    assert cells_auc(np.array([60]), np.array([40])) == pytest.approx(0.6)
