"""The improvement stage: what becomes of originals and of the texts written in their place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from improving import Opinions

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.components import Component
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.improvement import Improvement
from pairwright.core.records import Candidate, JudgedCandidate, SftRow, Task, Verdict
from pairwright.core.requests import Ask
from pairwright.judges.llm.fine import Fine
from pairwright.judges.llm.improve_or_reject import ImproveOrReject
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.pipelines.judging import answer_improvement
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter
from pairwright.pipelines.pairing import preference_pairs
from pairwright.pipelines.reporting.improvement_tables import improvement_tables
from pairwright.testing import Behaviour, Scripted, behaviours, factories

OWN = "When was Ada Lindqvist, the author, born?"
FINE = Fine(endpoint="judge")


class Words(Component):
    """Refuses what has the word, and counts what it saw."""

    name: ClassVar[str] = "words"
    word: str
    seen: list[str] = []

    async def judge(self, task: Task, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        self.seen.extend(one.text for one in candidates)
        return [self._verdict(one.text) for one in candidates]

    def _verdict(self, text: str) -> Verdict:
        passed = self.word not in text
        return Verdict(judge=self.name, passed=passed, defect=None if passed else "bad_word", evidence=text)


class PaidWords(Words):
    """The same, asking an endpoint."""

    name: ClassVar[str] = "paid_words"
    paid: ClassVar[bool] = True


def original(text: str | None = None, query: str | None = None, **fields: object) -> SftRow:
    of = factories.task(query)
    return factories.sft_row(of, factories.candidate(text, of, origin="teacher"), **fields)


def improved(
    behaviour: Behaviour,
    *rows: SftRow,
    improver: Component = FINE,
    judges: Sequence[Component] = (),
    ask: Scripted | None = None,
) -> list[Improvement | Failed]:
    with CoroutineRunner() as runner:
        asking = EndpointAccess(ask or Scripted(behaviour), runner, 4, UsageCounter())
        return list(answer_improvement.improve_answers(rows or (original(),), improver, judges, asking))


def one(*args: object, **kwargs: object) -> Improvement:
    (row,) = improved(*args, **kwargs)  # type: ignore[arg-type]
    assert isinstance(row, Improvement)
    return row


def kept(row: Improvement) -> SftRow | Dropped:
    (outcome,) = answer_improvement.keep_answers([row])
    return outcome


def by_words(first: str, second: str) -> str | None:
    """Prefers the text that names nobody's profession."""
    return next((text for text in (first, second) if "author" not in text), None)


def test_a_better_text_becomes_chosen_and_the_original_rejected_with_everything_that_led_there() -> None:
    ask = Scripted(Opinions(better=lambda first, second: OWN))
    row = one(None, ask=ask)
    assert row.outcome == "improved"
    chosen = kept(row)
    assert isinstance(chosen, SftRow)
    assert (chosen.chosen.text, chosen.chosen.origin, chosen.route) == (OWN, "improved", "hard")
    assert [verdict.judge for verdict in chosen.verdicts] == ["fine", "pairwise"]
    assert [hash for verdict in chosen.verdicts for hash in verdict.request_hashes] == [
        answer.request_hash for answer in ask.answers
    ]
    (rejected,) = (beaten.rejected for beaten in answer_improvement.list_replaced([row]))
    assert rejected is not None
    assert rejected.text == row.original.chosen.text
    assert (rejected.rejected_by, rejected.defect) == ("improved", "outdone")
    assert rejected.evidence
    assert rejected.parameters["route"] == "hard"
    assert str(rejected.parameters["requests"]).split() == [answer.request_hash for answer in ask.answers]


def test_a_longer_text_that_the_judge_finds_no_better_does_not_win() -> None:
    assert len(OWN) > len(original().chosen.text)
    row = one(Opinions(better=by_words, grades=(8, 8, 7)))
    assert row.outcome == "not_better"
    outcome = kept(row)
    assert isinstance(outcome, SftRow)
    assert outcome.chosen == row.original.chosen
    assert [beaten.rejected for beaten in answer_improvement.list_replaced([row])] == [None]


@pytest.mark.parametrize(("place", "outcome"), [("first", "flip"), ("second", "flip"), ("equal", "tie")])
def test_a_flip_is_a_tie_and_the_original_stays(place: str, outcome: str) -> None:
    row = one(Opinions(better=place, grades=(8, 8, 7)))
    assert row.outcome == outcome
    chosen = kept(row)
    assert isinstance(chosen, SftRow)
    assert chosen.chosen == row.original.chosen
    assert [verdict.judge for verdict in chosen.verdicts] == ["unchanged", "fine"]


@pytest.mark.parametrize("place", ["first", "equal"])
def test_an_inaccurate_original_does_not_stay_for_want_of_a_better_one(place: str) -> None:
    outcome = kept(one(Opinions(better=place, grades=(8, 8, 5))))
    assert isinstance(outcome, Dropped)
    assert (outcome.stage, outcome.reason) == ("keep", "not_improved")


def test_the_same_text_is_compared_with_nothing() -> None:
    same = original().chosen.text
    ask = Scripted(Opinions(own=f" {same.lower()}", grades=(8, 8, 7)))
    row = one(None, ask=ask)
    assert (row.outcome, ask.requests) == ("same_text", 2)
    assert isinstance(kept(row), SftRow)


def test_a_text_that_a_rule_refuses_is_dropped_with_that_reason_before_anything_is_paid_for() -> None:
    ask = Scripted(Opinions(better=lambda first, second: OWN, grades=(8, 8, 7)))
    row = one(None, ask=ask, judges=[PaidWords(word="x", seen=[]), Words(word="author", seen=[])])
    assert (row.outcome, ask.requests) == ("refused:bad_word", 2)
    (dropped,) = answer_improvement.account_for_written(answer_improvement.list_written([row]))
    assert isinstance(dropped, Dropped)
    assert (dropped.stage, dropped.reason, dropped.detail) == ("compare", "refused:bad_word", OWN)


def test_paid_judges_see_only_what_has_won_and_can_still_refuse_it() -> None:
    paid = PaidWords(word="author", seen=[])
    assert one(Opinions(better="first"), judges=[paid]).outcome == "flip"
    assert paid.seen == []
    row = one(Opinions(better=lambda first, second: OWN), judges=[paid])
    assert row.outcome == "refused:bad_word"
    assert paid.seen == [OWN]


def test_a_query_that_no_route_keeps_is_left_out_and_nothing_is_written_for_it() -> None:
    row = one(Opinions(grades=(8, 2, 7)))
    outcome = kept(row)
    assert isinstance(outcome, Dropped)
    assert outcome.reason == "easy_and_inaccurate"
    assert list(answer_improvement.list_written([row])) == []


@pytest.mark.parametrize("behaviour", [behaviours.cut_short, behaviours.refuses, behaviours.copies_digits])
def test_a_model_that_gives_no_usable_answer_fails_the_row_and_no_other(behaviour: Behaviour) -> None:
    good = Opinions(better=lambda first, second: OWN)

    def mixed(body: behaviours.Body) -> object:
        return behaviour(body) if "Broken?" in behaviours.prompt_of(body) else good(body)

    rows = improved(mixed, original(), original("Broken?"), original())  # type: ignore[arg-type]
    assert [type(row) for row in rows] == [Improvement, Failed, Improvement]
    failed = rows[1]
    assert isinstance(failed, Failed)
    assert (failed.stage, failed.row) == ("improve", original().task.id)


REFUSED = factories.verdict(judge="leftover", passed=False, defect="leftover_reference", evidence="she")


def test_a_refused_original_is_rejected_for_the_defect_that_was_found() -> None:
    bad = original("When was she born?", verdicts=(REFUSED,))
    row = one(Opinions(better=lambda first, second: OWN), bad)
    (rejected,) = (beaten.rejected for beaten in answer_improvement.list_replaced([row]))
    assert rejected is not None
    assert (rejected.defect, rejected.evidence) == ("leftover_reference", "she")
    chosen = kept(row)
    assert isinstance(chosen, SftRow)
    assert chosen.accepted


def test_a_refused_original_never_stays() -> None:
    outcome = kept(one(Opinions(better="equal", grades=(8, 8, 9)), original(verdicts=(REFUSED,))))
    assert isinstance(outcome, Dropped)


def test_of_a_query_without_an_accepted_answer_the_best_refused_one_may_be_improved_but_no_weak_one() -> None:
    tasks = [factories.task(f"query {number}?") for number in range(4)]
    accepted = JudgedCandidate(task=tasks[0], candidate=factories.candidate("good", tasks[0]), verdicts=())

    def refused(of: Task, text: str, score: float, origin: str = "teacher") -> JudgedCandidate:
        verdict = factories.verdict(passed=False, score=score)
        return JudgedCandidate(task=of, candidate=factories.candidate(text, of, origin=origin), verdicts=(verdict,))

    judged = [
        refused(tasks[0], "refused", 0.9),
        accepted,
        refused(tasks[1], "worse", 0.1),
        refused(tasks[1], "best", 0.4),
        refused(tasks[2], "weak", 0.9, "weak"),
    ]
    refused = answer_improvement.add_refused([accepted], judged)
    chosen = list(preference_pairs.choose_answers(preference_pairs.list_contenders(tasks, refused)))
    assert [row.chosen.text if isinstance(row, SftRow) else row.reason for row in chosen] == [
        "good",
        "best",
        "no_accepted_candidate",
        "no_accepted_candidate",
    ]


def test_a_replaced_answer_is_tried_once_as_rejected_and_not_again_as_a_sample() -> None:
    row = one(Opinions(better=lambda first, second: OWN), original("When was she born?", verdicts=(REFUSED,)))
    chosen = kept(row)
    assert isinstance(chosen, SftRow)
    others = factories.candidate("What was she?", row.original.task, origin="weak")
    judged = [
        JudgedCandidate(task=row.original.task, candidate=candidate, verdicts=(REFUSED,))
        for candidate in (row.original.chosen, others)
    ]
    elsewhere = one(Opinions(), original(query="another query?"))
    tries = list(
        preference_pairs.list_attempts([chosen], judged, (), answer_improvement.list_replaced([elsewhere, row]))
    )
    assert [what.text if isinstance(what, factories.Rejected) else what.candidate.text for _, what in tries] == [
        "When was she born?",
        "What was she?",
    ]


@pytest.fixture
def rules(tmp_path: Path) -> ImproveOrReject:
    (tmp_path / "rules.txt").write_text("Say who it is.\n", encoding="utf-8")
    return ImproveOrReject(endpoint="judge", rules=str(tmp_path / "rules.txt"))


def test_by_rules_a_good_answer_is_chosen_and_a_bad_one_rejected_with_the_improvement_as_chosen(
    rules: ImproveOrReject,
) -> None:
    good, bad = improved(
        Opinions(good=lambda text: "Lindqvist" in text), original(), original("When was she born?"), improver=rules
    )
    assert isinstance(good, Improvement)
    assert isinstance(bad, Improvement)
    first, second = kept(good), kept(bad)
    assert isinstance(first, SftRow)
    assert isinstance(second, SftRow)
    assert (first.chosen.text, first.route) == (original().chosen.text, "good")
    assert (second.chosen.text, second.route) == (OWN, "bad")
    stayed, beaten = (one.rejected for one in answer_improvement.list_replaced([good, bad]))
    assert stayed is None
    assert beaten is not None
    assert (beaten.text, beaten.evidence) == ("When was she born?", "Rule two.")


def test_by_rules_a_bad_answer_without_a_good_improvement_is_left_out(rules: ImproveOrReject) -> None:
    row = one(Opinions(good=lambda text: False), improver=rules)
    assert row.outcome == "not_better"
    assert isinstance(kept(row), Dropped)


def test_the_report_counts_routes_fates_and_flips() -> None:
    better = Opinions(better=lambda first, second: OWN)
    rows = [one(better), one(better), one(Opinions(better="first", grades=(8, 8, 7))), one(Opinions(grades=(8, 2, 7)))]
    fates, compared = improvement_tables(rows)
    assert fates[1:] == [
        ("en", "easy_and_inaccurate", "none written", "left out", 1),
        ("en", "hard", "flip", "as it was", 1),
        ("en", "hard", "improved", "improved", 2),
    ]
    assert compared[1] == (3, 2, 0, 1, "1 (33%)")


grades = st.tuples(*[st.integers(0, 9)] * 3)


@given(
    st.lists(st.tuples(grades, st.sampled_from(["first", "second", "equal", OWN]), st.booleans()), max_size=6),
    st.sampled_from(["author", "nothing of the kind"]),
)
def test_the_books_balance_and_no_refused_answer_is_ever_chosen(
    cases: list[tuple[tuple[int, int, int], str, bool]], word: str
) -> None:
    rows, judges = [], [Words(word=word, seen=[])]
    for grade, better, accepted in cases:
        opinions = Opinions(grades=grade, better=(lambda first, second: OWN) if better == OWN else better)
        rows += improved(opinions, original(verdicts=() if accepted else (REFUSED,)), judges=judges)
    found = [row for row in rows if isinstance(row, Improvement)]
    texts = list(answer_improvement.list_written(found))
    assert len(list(answer_improvement.keep_answers(found))) == len(found) == len(cases)
    assert len(list(answer_improvement.account_for_written(texts))) == len(texts)
    for outcome in answer_improvement.keep_answers(found):
        if isinstance(outcome, SftRow):
            assert outcome.accepted
            assert word not in outcome.chosen.text
    replaced = [one for one in answer_improvement.list_replaced(found) if one.rejected]
    assert len(replaced) == sum(row.outcome == "improved" for row in found)


def test_the_comparison_is_the_pairwise_judges_in_both_orders() -> None:
    ask = Scripted(Opinions(better=lambda first, second: OWN))
    row = one(None, ask=ask)
    judge = Pairwise(endpoint="judge")
    task, first, second = row.original.task, OWN, row.original.chosen.text
    assert {request.prompt_hash for request in ask.asked[2:]} == {
        judge.request(task, first, second).prompt_hash,
        judge.request(task, second, first).prompt_hash,
    }
