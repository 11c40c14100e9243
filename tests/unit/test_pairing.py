from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

from factories import candidate, rejected, sft_row, task, verdict
from hypothesis import given
from hypothesis import strategies as st

from pairwright.core.components import Component
from pairwright.core.config import PairingConfig
from pairwright.core.records import Candidate, Dropped, JudgedCandidate, PreferencePair, Rejected, RewriteTask
from pairwright.pipelines import judge, pair


class Worse(Component):
    """Adds a word."""

    name: ClassVar[str] = "worse"
    word: str

    def perturb(self, task: RewriteTask, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        yield Dropped(stage="perturb", row=task.id, reason="first_try_failed")
        if self.word:
            yield rejected(f"{chosen.rewrite} {self.word}", defect=self.word, maker="worse")


def judged(of: RewriteTask, text: str, origin: str = "teacher", *verdicts: object) -> JudgedCandidate:
    return JudgedCandidate(task=of, candidate=candidate(text, of, origin=origin), verdicts=verdicts or (verdict(),))


def test_the_sources_own_rewrite_is_chosen_before_any_model() -> None:
    one = task()
    rows = [
        judged(one, "teacher's", "teacher", verdict(score=1.0)),
        judged(one, "gold", "reference", verdict(score=0.2)),
    ]
    (row,) = pair.chosen_of([one], rows)
    assert row.chosen.rewrite == "gold"


def test_among_models_the_highest_score_is_chosen_and_the_first_on_a_tie() -> None:
    one = task()
    rows = [judged(one, text, "teacher", verdict(score=score)) for text, score in (("a", 0.5), ("b", 0.9), ("c", 0.9))]
    (row,) = pair.chosen_of([one], rows)
    assert row.chosen.rewrite == "b"


def test_a_query_without_an_accepted_answer_is_dropped_and_its_neighbours_are_not() -> None:
    tasks = [task(f"query {n}?") for n in range(4)]
    outcomes = list(pair.chosen_of(tasks, [judged(tasks[1], "one"), judged(tasks[3], "three")]))
    assert [row.reason if isinstance(row, Dropped) else row.chosen.rewrite for row in outcomes] == [
        "no_accepted_candidate",
        "one",
        "no_accepted_candidate",
        "three",
    ]


def test_a_weak_models_answer_is_never_chosen_even_if_nothing_is_wrong_with_it() -> None:
    (outcome,) = judge.accepted([judged(task(), "fine", "weak")])
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "weak_without_defect"


def test_a_refused_candidate_is_dropped_under_the_first_defect_named() -> None:
    refused = judged(
        task(),
        "x",
        "teacher",
        verdict(),
        verdict(passed=False, defect="length"),
        verdict(passed=False, defect="language"),
    )
    (outcome,) = judge.accepted([refused])
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "length"


def test_attempts_are_the_refused_samples_and_every_perturber_of_each_chosen_row() -> None:
    tasks = [task(f"query {n}?") for n in range(3)]
    bad = verdict(passed=False, defect="length")
    rows = [
        judged(tasks[0], "refused, and nothing chosen", "weak", bad),
        judged(tasks[1], "gold", "reference"),
        judged(tasks[1], "refused", "weak", bad),
        judged(tasks[2], "gold", "reference"),
    ]
    chosen = [sft_row(tasks[1], "gold"), sft_row(tasks[2], "gold")]
    found = list(pair.attempts(chosen, rows, [Worse(word="a"), Worse(word="b")]))
    assert [(row.task.query, getattr(what, "word", "sample")) for row, what in found] == [
        ("query 1?", "sample"),
        ("query 1?", "a"),
        ("query 1?", "b"),
        ("query 2?", "a"),
        ("query 2?", "b"),
    ]


def test_a_sample_refused_by_score_alone_is_not_proven_worse() -> None:
    low = verdict(passed=False, defect="correctness", method="expectation", score=0.1)
    one = sft_row()
    (outcome,) = pair.rejected([(one, judged(one.task, "low", "teacher", low))], seed=0)
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "sample_defect_not_proven"


def test_a_sample_that_says_the_same_is_not_rejected() -> None:
    one = sft_row()
    sample = judged(one.task, one.chosen.rewrite.upper() + " ", "weak", verdict(passed=False, defect="length"))
    (outcome,) = pair.rejected([(one, sample)], seed=0)
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "sample_equals_chosen"


def test_the_first_variant_of_a_perturber_is_taken_else_its_first_reason() -> None:
    one = sft_row()
    made, none = pair.rejected([(one, Worse(word="a")), (one, Worse(word=""))], seed=0)
    assert isinstance(made, tuple)
    assert made[1].text.endswith(" a")
    assert isinstance(none, Dropped)
    assert none.reason == "worse:first_try_failed"


def test_one_query_gets_at_most_so_many_pairs_each_with_another_defect_and_text() -> None:
    one = sft_row()
    variants = [
        rejected(text, defect=defect) for text, defect in (("a", "x"), ("b", "x"), ("A", "y"), ("c", "z"), ("d", "w"))
    ]
    outcomes = list(pair.proposed([(one, worse) for worse in variants], PairingConfig(max_per_task=2), seed=3))
    kept = [outcome for outcome in outcomes if isinstance(outcome, PreferencePair)]
    assert len(outcomes) == 5
    assert len(kept) == 2
    assert len({row.rejected.defect for row in kept}) == 2


def test_real_samples_come_before_made_variants() -> None:
    one = sft_row()
    variants = [rejected(f"made {n}", defect=f"made {n}") for n in range(5)] + [
        rejected("said", defect="said", maker="sampled")
    ]
    outcomes = pair.proposed([(one, worse) for worse in variants], PairingConfig(max_per_task=1), seed=0)
    assert [row.rejected.text for row in outcomes if isinstance(row, PreferencePair)] == ["said"]


@given(st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 400), min_size=1), st.floats(0.05, 1.0))
def test_no_defect_exceeds_its_share_and_no_more_is_cut_than_needed(counts: dict[str, int], share: float) -> None:
    kept = pair.caps(counts, share)
    total = sum(kept.values())
    reachable = max(share, 1 / len(counts))
    assert total
    assert all(number <= reachable * total + 1e-6 for number in kept.values())
    cap = max(kept.values())
    more = [min(number, cap + 1) for number in counts.values()]
    assert cap == max(counts.values()) or max(more) > reachable * sum(more)


def test_what_is_cut_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [(f"pair {n}", "often" if n % 4 else "rare") for n in range(200)]
    kept = pair.within_caps(rows, 0.6, seed=1)
    assert kept == pair.within_caps(reversed(rows), 0.6, seed=1)
    assert Counter(defect for name, defect in rows if name in kept) == {"rare": 50, "often": 75}
