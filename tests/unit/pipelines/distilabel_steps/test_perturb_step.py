"""Every perturber of the catalogue, for rewrites and for answers, works as a distilabel step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pairwright.core.language import en
from pairwright.core.records import Candidate, SftRow
from pairwright.perturbers import PERTURBERS
from pairwright.perturbers.text.answer_text import subject
from pairwright.pipelines.distilabel_steps.rewrite_steps import PerturbRewrites, task_of_row
from pairwright.pipelines.pairing.preference_pairs import list_attempts
from places import GOLDEN_FILES

FOLDER = GOLDEN_FILES / "perturbers"
COLUMNS = ("kind", "system", "tools", "steps", "history", "query", "analysis")
EXAMPLES = [json.loads(line) for line in (FOLDER / "examples.jsonl").read_text("utf-8").splitlines()]


def rows(name: str, language: str) -> list[dict[str, Any]]:
    """The first hand-checked cases of a perturber that give a reject, as rows of a distilabel pipeline."""
    lines = (FOLDER / f"{name}.{language}.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(json.loads, lines) if case["expect"]][:3]
    told = {"language": language, "examples": [one for one in EXAMPLES if one["language"] == language]}
    return [{**told, "rewrite": case["chosen"], **{key: case[key] for key in COLUMNS if key in case}} for case in cases]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PERTURBERS)
def test_the_step_makes_what_the_perturber_makes(name: str, language: str) -> None:
    step = PerturbRewrites(perturbers=[PERTURBERS[name]()], seed=7)
    step.load()
    given = rows(name, language)
    found = next(step.process(given))
    assert [row["query"] for row in found] == [row["query"] for row in given]
    made = [one for row in found for one in json.loads(row["rejected"])]
    assert made
    assert {one["maker"] for one in made} == {name}


def test_a_perturber_of_rewrites_leaves_answers_alone_and_the_other_way_round() -> None:
    every = PerturbRewrites(perturbers=[component() for component in PERTURBERS.values()], seed=7)
    every.load()
    for name, kind in (("brush_off", "answer"), ("entity_deletion", "rewrite")):
        makers = {one["maker"] for row in next(every.process(rows(name, "en"))) for one in json.loads(row["rejected"])}
        assert makers and all(kind in PERTURBERS[maker].tasks for maker in makers)


def test_what_answers_are_parsed_for_is_parsed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    task = task_of_row({"kind": "answer", "language": "en", "history": [], "query": "x", "rewrite": "x"})
    told = [
        task.model_copy(update={"id": str(at), "query": f"How do I reduce my stress on day {at}?"}) for at in range(3)
    ]
    chosen = Candidate.create(task="", origin="reference", text="Take the bus.")
    sft = [SftRow(id=one.id, task=one, chosen=chosen, verdicts=()) for one in told]
    batches: list[list[str]] = []
    parse = en._parse

    def noted(texts: list[str]) -> Any:
        batches.append(texts)
        return parse(texts)

    en._analyses.clear()
    monkeypatch.setattr(en, "_parse", noted)
    tried = list(list_attempts(sft, (), [PERTURBERS["brush_off"]()]))
    assert [row.id for row, _ in tried] == ["0", "1", "2"]
    assert batches == [[one.query for one in told]]
    assert subject(told[0].query, "en")
    assert len(batches) == 1
    list(list_attempts(sft, (), [PERTURBERS["entity_deletion"]()]))
    assert len(batches) == 1
