"""The best of several accepted candidates, found by comparing them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pairwright.core.components import Component
from pairwright.core.config.build_file import PairingConfig
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.records import Candidate, Case, Comparison, JudgedCandidate, SftRow
from pairwright.core.requests import Ask
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter
from pairwright.pipelines.pairing.best_of_n import choose_best_of_n
from pairwright.testing import Scripted, behaviours, factories

TASK = factories.task()


class Tied(Component):
    """Finds any two texts equally good, and remembers which it saw."""

    name: ClassVar[str] = "tied"
    seen: list[tuple[str, str]] = []

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        self.seen.append((first, second))
        return Comparison(judge=self.name, winner="tie", margin=0.0, method="verdicts")


def candidate(text: str, score: float | None = None, **fields: str) -> JudgedCandidate:
    one: Candidate = factories.candidate(text, TASK, **fields)
    return JudgedCandidate(task=TASK, candidate=one, verdicts=(factories.verdict(score=score, method="integer"),))


def chosen_of(rows: Sequence[JudgedCandidate], folder: Path) -> tuple[str, list[tuple[str, str]]]:
    """The text that is chosen, and which texts were compared for it."""
    comparer = Tied(seen=[])
    pairing = PairingConfig(choose="knockout")
    with CoroutineRunner() as runner:
        access = EndpointAccess(Scripted(behaviours.refuses), runner, 4, UsageCounter())
        (row,) = choose_best_of_n([(TASK, rows)], pairing, comparer, access, folder / "choices.jsonl")
    assert isinstance(row, SftRow)
    return row.chosen.text, comparer.seen


def test_a_human_rewrite_is_taken_without_a_comparison_also_when_a_model_repeats_it(tmp_path: Path) -> None:
    human = candidate("When was she born?")
    others = [
        candidate("When was Ada born?", 0.9, origin="teacher"),
        candidate("When was she born?", 0.5, origin="teacher"),
    ]
    assert chosen_of([human, *others], tmp_path) == ("When was she born?", [])


def test_a_text_that_comes_twice_stands_where_its_better_copy_does(tmp_path: Path) -> None:
    rows = [candidate(text, score, origin="teacher") for text, score in (("x?", 0.9), ("y?", 0.8), ("x?", 0.7))]
    assert chosen_of(rows, tmp_path) == ("x?", [("x?", "y?")])
