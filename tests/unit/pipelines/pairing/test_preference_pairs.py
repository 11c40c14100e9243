from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.records import (
    Candidate,
    Generation,
    JudgedCandidate,
    PreferencePair,
    Rejected,
    SftRow,
    Task,
)
from pairwright.pipelines.judging import candidate_judging
from pairwright.pipelines.pairing import preference_pairs
from pairwright.pipelines.pairing.pair_features import extract_features
from pairwright.pipelines.pairing.rejection_sampling import sample_quality, target_quality
from pairwright.pipelines.request_plan import plan_generation as planned
from pairwright.testing.factories import candidate, rejected, sft_row, task, verdict


class Worse(Component):
    """Adds a word."""

    name: ClassVar[str] = "worse"
    word: str

    def perturb(self, task: Task, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        yield Dropped(stage="perturb", row=task.id, reason="first_try_failed")
        if self.word:
            yield rejected(f"{chosen.text} {self.word}", defect=self.word, rejected_by="worse")


def judged(of: Task, text: str, origin: str = "teacher", *verdicts: object) -> JudgedCandidate:
    return JudgedCandidate(task=of, candidate=candidate(text, of, origin=origin), verdicts=verdicts or (verdict(),))


def test_the_sources_own_rewrite_is_chosen_before_any_model() -> None:
    one = task()
    rows = [
        judged(one, "teacher's", "teacher", verdict(score=1.0)),
        judged(one, "gold", "reference", verdict(score=0.2)),
    ]
    (row,) = preference_pairs.choose_answers(preference_pairs.list_contenders([one], rows))
    assert row.chosen.text == "gold"


def test_among_models_the_highest_score_is_chosen_and_the_first_on_a_tie() -> None:
    one = task()
    rows = [judged(one, text, "teacher", verdict(score=score)) for text, score in (("a", 0.5), ("b", 0.9), ("c", 0.9))]
    (row,) = preference_pairs.choose_answers(preference_pairs.list_contenders([one], rows))
    assert row.chosen.text == "b"


def test_a_query_without_an_accepted_answer_is_dropped_and_its_neighbours_are_not() -> None:
    tasks = [task(f"query {n}?") for n in range(4)]
    outcomes = list(
        preference_pairs.choose_answers(
            preference_pairs.list_contenders(tasks, [judged(tasks[1], "one"), judged(tasks[3], "three")])
        )
    )
    assert [row.reason if isinstance(row, Dropped) else row.chosen.text for row in outcomes] == [
        "no_accepted_candidate",
        "one",
        "no_accepted_candidate",
        "three",
    ]


def test_a_weak_models_answer_is_never_chosen_even_if_nothing_is_wrong_with_it() -> None:
    (outcome,) = candidate_judging.accept_candidates([judged(task(), "fine", "weak")])
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
    (outcome,) = candidate_judging.accept_candidates([refused])
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
    found = list(preference_pairs.list_attempts(chosen, rows, [Worse(word="a"), Worse(word="b")]))
    assert [(row.task.query, getattr(what, "word", "sample")) for row, what in found] == [
        ("query 1?", "sample"),
        ("query 1?", "a"),
        ("query 1?", "b"),
        ("query 2?", "a"),
        ("query 2?", "b"),
    ]


def config(**pairing: Any) -> BuildConfig:
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    return BuildConfig.model_validate({"name": "x", "output": "out", "sources": [source], "pairing": pairing})


def samples(row: SftRow, *texts: str, **fields: Any) -> list[JudgedCandidate]:
    bad = verdict(passed=False, defect="missing_entity")
    made = (candidate(text, row.task, origin="weak", **fields) for text in texts)
    return [JudgedCandidate(task=row.task, candidate=one, verdicts=(bad,)) for one in made]


def outcomes_of(
    row: SftRow, sampled: Sequence[JudgedCandidate], **pairing: Any
) -> list[preference_pairs.Variant | Dropped]:
    aim = target_quality([row], [judged(row.task, row.chosen.text, "reference"), *sampled])
    return list(preference_pairs.make_rejected([(row, sample) for sample in sampled], config(**pairing), aim))


def test_a_sample_refused_by_score_alone_is_not_proven_worse() -> None:
    low = verdict(passed=False, defect="correctness", method="expectation", score=0.1)
    one = sft_row()
    (outcome,) = outcomes_of(one, [judged(one.task, "low", "teacher", low)])
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "sample_defect_not_proven"


@pytest.mark.parametrize(("score", "reason"), [(0.85, "outside_margin"), (0.4, ""), (0.05, "outside_margin")])
def test_with_a_margin_a_low_score_rejects_a_sample_that_is_neither_too_near_nor_too_far(
    score: float, reason: str
) -> None:
    one = sft_row(verdicts=[verdict(judge="rubric", method="expectation", score=0.9)])
    low = verdict(judge="rubric", passed=False, defect="correctness", method="expectation", score=score)
    (outcome,) = outcomes_of(one, [judged(one.task, "low", "teacher", low)], margin=(0.2, 0.7))
    assert (outcome.reason if isinstance(outcome, Dropped) else "") == reason


def test_a_sample_that_says_the_same_is_not_rejected() -> None:
    one = sft_row()
    (outcome,) = outcomes_of(one, samples(one, one.chosen.text.upper() + " "))
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "sample_equals_chosen"


def test_of_a_querys_refused_samples_the_one_nearest_two_deviations_below_the_mean_is_taken_not_the_worst() -> None:
    rows = [sft_row(task(f"query {n}?"), f"chosen {n}") for n in range(2)]

    def sample(row: SftRow, text: str, score: float) -> JudgedCandidate:
        refused = verdict(passed=False, defect="missing_entity", score=score)
        return judged(row.task, text, "weak", verdict(passed=False, defect="missing_entity"), refused)

    common = [sample(rows[0], f"good {n}", 0.8) for n in range(16)]
    mine = [sample(rows[1], "good", 0.8), sample(rows[1], "worst", 0.0), sample(rows[1], "middle", 0.4)]
    aim = target_quality(rows, [*common, *mine])
    assert aim["judges", "en"] == pytest.approx(0.346, abs=1e-3)
    outcomes = list(preference_pairs.make_rejected([(rows[1], one) for one in mine], config(), aim))
    (variant,) = [out for out in outcomes if isinstance(out, preference_pairs.Variant)]
    assert variant.rejected.text == "middle"
    assert variant.rejected.parameters == {"quality": 0.4, "aim": pytest.approx(0.346, abs=1e-3), "measure": "judges"}
    assert [out.reason for out in outcomes if isinstance(out, Dropped)] == ["sample_farther_from_aim"] * 2


def test_without_scores_quality_is_what_the_sample_says_of_the_chosen_answer_at_its_length() -> None:
    one = sft_row(task(), "When was Ada Lindqvist born?")
    same, half, nothing, long = samples(one, one.chosen.text, "When was Lindqvist born?", "Who?", one.chosen.text * 4)
    values = [sample_quality(one, sample).value for sample in (same, half, nothing, long)]
    assert values[0] == 1
    assert values[0] > values[1] > values[2]
    assert values[3] == pytest.approx(0.625)


def test_scored_samples_are_compared_with_scored_samples_only() -> None:
    one = sft_row()
    scored = judged(one.task, "scored", "weak", verdict(passed=False, score=0.5))
    found = target_quality([one], [judged(one.task, one.chosen.text, "reference"), scored, *samples(one, "unscored")])
    assert set(found) == {("judges", "en"), ("overlap", "en")}
    assert found["judges", "en"] == 0.5


def test_the_aim_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [sft_row(task(f"query {n}?"), f"query {n} of Ada?") for n in range(9)]
    groups = [samples(row, "query", f"{row.chosen.text} more", "Ada") for row in rows]
    forward = target_quality(rows, [sample for group in groups for sample in group])
    backward = target_quality(rows[::-1], [sample for group in groups[::-1] for sample in group])
    assert forward == backward


def test_the_first_variant_of_a_perturber_is_taken_else_its_first_reason() -> None:
    one = sft_row()
    made, none = preference_pairs.make_rejected([(one, Worse(word="a")), (one, Worse(word=""))], config(), {})
    assert isinstance(made, preference_pairs.Variant)
    assert made.rejected.text.endswith(" a")
    assert isinstance(none, Dropped)
    assert none.reason == "worse:first_try_failed"


def test_variants_find_their_chosen_rows_again() -> None:
    rows = [sft_row(task(f"query {n}?"), f"chosen {n}") for n in range(4)]
    variants = [preference_pairs.Variant(rows[n], rejected(f"worse {n}")) for n in (1, 1, 3)]
    grouped = list(preference_pairs.group_variants(variants))
    assert [len(one.rejected) for one in grouped] == [2, 1]
    assert [(row.chosen.text, worse.text) for row, worse in preference_pairs.list_proposals(grouped)] == [
        ("chosen 1", "worse 1"),
        ("chosen 1", "worse 1"),
        ("chosen 3", "worse 3"),
    ]


def decided(proposals: Sequence[tuple[SftRow, Rejected]], **pairing: Any) -> list[PreferencePair | Dropped]:
    """One outcome per proposal, after the choice within each query."""
    plan = preference_pairs.plan_pairs(
        extract_features(proposals, config().prompt, config().seed), config(**pairing).pairing
    )
    return list(preference_pairs.pair_variants(proposals, plan.picks))


def test_one_query_gets_at_most_so_many_pairs_each_with_another_defect_and_text() -> None:
    one = sft_row()
    variants = [
        rejected(text, defect=defect) for text, defect in (("a", "x"), ("b", "x"), ("A", "y"), ("c", "z"), ("d", "w"))
    ]
    outcomes = decided([(one, worse) for worse in variants], max_per_task=2)
    kept = [outcome for outcome in outcomes if isinstance(outcome, PreferencePair)]
    assert len(outcomes) == 5
    assert len(kept) == 2
    assert len({row.rejected.defect for row in kept}) == 2


def test_real_samples_come_before_made_variants() -> None:
    one = sft_row()
    variants = [rejected(f"made {n}", defect=f"made {n}") for n in range(5)] + [
        rejected("said", defect="said", rejected_by="sampled")
    ]
    outcomes = decided([(one, worse) for worse in variants], max_per_task=1)
    assert [row.rejected.text for row in outcomes if isinstance(row, PreferencePair)] == ["said"]


def test_a_reject_that_only_its_unseen_analysis_makes_worse_is_no_pair() -> None:
    one = sft_row()
    (outcome,) = decided([(one, rejected(one.chosen.text, analysis="Wrong.", defect="faulty_analysis"))])
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "same_answer_as_chosen"


def test_among_a_querys_variants_the_rarer_defects_and_the_shorter_side_are_preferred() -> None:
    rows = [sft_row(task(f"query {n}?"), "a chosen answer") for n in range(200)]
    variants = [
        (row, worse)
        for row in rows
        for worse in (
            rejected("a chosen", defect="cut", template="a"),
            rejected("an answer", defect="other_cut", template="b"),
            rejected("a chosen answer plus", defect="grown", template="c"),
        )
    ]
    made = [out.rejected.defect for out in decided(variants, max_per_task=1) if isinstance(out, PreferencePair)]
    assert len(made) == 200
    assert 80 <= made.count("grown") <= 120
    assert min(made.count("cut"), made.count("other_cut")) >= 40


def test_the_students_own_samples_are_marked() -> None:
    sampled = Generation(
        endpoint="student", model="m", prompt_hash="p", request_hash="r", temperature=1.0, seed=1, on_policy=True
    )
    one = sft_row()
    (outcome,) = outcomes_of(one, samples(one, "who?", generation=sampled))
    assert isinstance(outcome, preference_pairs.Variant)
    assert outcome.rejected.generation is not None
    assert outcome.rejected.generation.on_policy


def test_the_mark_of_the_student_comes_from_its_generator_and_no_teacher_can_have_it() -> None:
    weak = {"role": "weak", "endpoint": "student", "on_policy": True}
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    settings = {"name": "x", "output": "out", "sources": [source], "endpoints": {"student": {"use": "embedded"}}}
    build = BuildConfig.model_validate({**settings, "generation": [weak, {"role": "weak", "endpoint": "student"}]})
    assert [one.setting.on_policy for one in planned(build, lambda: [task()])] == [True, False]
    with pytest.raises(ValueError, match="needs role: weak"):
        BuildConfig.model_validate({**settings, "generation": [{**weak, "role": "teacher"}]})
