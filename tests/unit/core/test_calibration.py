"""What a calibration tells a build: thresholds for the judges that were measured, and figures for card and report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.bookkeeping import StageCount
from pairwright.core.calibration import (
    Bin,
    Calibration,
    Figure,
    JudgeCalibration,
    Threshold,
    apply_calibration,
    models_of,
    settings_of,
)
from pairwright.core.components import Component
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import write_json
from pairwright.exports.card.data_card import CardExporter
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.judges.llm.rubric import Rubric
from pairwright.judges.panels.panel import Panel
from pairwright.judges.rules.leftover_reference import LeftoverReference
from pairwright.pipelines.calibration.page import draw_picture
from pairwright.pipelines.reporting.report import write_report
from pairwright.testing import factories

ENDPOINTS = {
    "judge": {"base_url": "http://localhost/v1", "model": "judge-7b"},
    "local": {"use": "embedded", "model": "/srv/models/tiny.gguf"},
}
RUBRIC, PAIRWISE = Rubric(endpoint="judge"), Pairwise(endpoint="judge")
PANEL = Panel(members=(Rubric(endpoint="judge"), Rubric(endpoint="local")), rule="mean")
NONE = Figure(value=None, low=None, high=None, items=0)


def build(folder: Path, measured: Calibration | None, **keys: Any) -> BuildConfig:
    if measured is not None:
        write_json(folder / "calibration.json", measured.model_dump(mode="json"))
        keys["calibration"] = str(folder / "calibration.json")
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}
    content = {"name": "demo", "output": str(folder), "sources": [source], "endpoints": ENDPOINTS, **keys}
    return BuildConfig.model_validate(content)


def share(value: float) -> Figure:
    return Figure(value=value, low=value - 0.05, high=value + 0.05, items=100)


def figures(judge: Component, config: BuildConfig, **found: Any) -> JudgeCalibration:
    nothing = dict.fromkeys(("flip_rate", "position_bias", "tie_rate", "length_bias"), NONE)
    return JudgeCalibration(
        judge=judge.name,
        models=models_of(judge, config),
        settings=settings_of(judge),
        items=200,
        kappa=share(0.61),
        passed_good=share(0.9),
        caught={"wrong": share(0.7), "other": share(0.5).model_copy(update={"items": 300})},
        failures=3,
        requests=800,
        tokens=1,
        cost=0.0,
        **{"kind": "pointwise", **nothing, **found},
    )


def measured(*judges: JudgeCalibration) -> Calibration:
    return Calibration(gold={"en": 120, "zh": 80, "good": 100, "bad": 100}, seed=7, judges=judges)


def test_judges_that_were_measured_get_their_threshold_also_a_panel(tmp_path: Path) -> None:
    plain = build(tmp_path, None)
    chosen = Threshold(wanted=0.9, score=0.83, precision=0.91, recall=0.5)
    found = measured(figures(RUBRIC, plain, threshold=chosen), figures(PANEL, plain, threshold=chosen))
    stated = Rubric(endpoint="judge", threshold=0.2)
    judges = [LeftoverReference(), RUBRIC, stated, Rubric(endpoint="local"), PANEL]
    resolved = apply_calibration(build(tmp_path, found, judges=judges)).judges
    assert [one.model_dump().get("threshold") for one in resolved] == [None, 0.83, 0.2, 0.7, 0.83]


def test_weights_on_this_machine_are_known_by_the_name_of_their_file(tmp_path: Path) -> None:
    assert models_of(PANEL, build(tmp_path, None)) == {"judge": "judge-7b", "local": "tiny.gguf"}


@pytest.mark.parametrize("judge", [RUBRIC, PANEL], ids=["rubric", "panel"])
def test_a_calibration_of_other_settings_or_of_another_model_is_refused(tmp_path: Path, judge: Component) -> None:
    plain = build(tmp_path, None)
    one = figures(judge, plain)
    other = judge.model_copy(
        update={"dimensions": ("clarity",)} if isinstance(judge, Rubric) else {"weights": (1.0, 2.0)}
    )
    with pytest.raises(ConfigError, match="with other settings than the build file has now"):
        apply_calibration(build(tmp_path, measured(one), judges=[other]))
    moved = one.model_copy(update={"models": {**one.models, "judge": "judge-70b"}})
    with pytest.raises(ConfigError, match="was measured with judge-70b, the endpoint has judge-7b"):
        apply_calibration(build(tmp_path, measured(moved), judges=[judge]))


def test_what_is_done_with_a_score_is_no_other_judge() -> None:
    used = Rubric(endpoint="judge", threshold=0.9, floor=0.1, early_stop=False)
    assert settings_of(used) == settings_of(RUBRIC) != settings_of(Rubric(endpoint="judge", style="informative"))


def finished(folder: Path, calibration: Calibration | None, **keys: Any) -> tuple[str, str]:
    """The card and the report of a build."""
    if calibration is not None:
        write_json(folder / "rows" / "calibration.json", calibration.model_dump(mode="json"))
    count = StageCount(stage="read", unit="rows", rows_in=1, kept=1, dropped={}, failed={})
    result = factories.build_result(
        folder, pairs=[factories.pair()], sft=[factories.sft_row()], counts=[count], endpoints=ENDPOINTS, **keys
    )
    CardExporter().export(result, folder / "exports")
    write_report(result, folder / "report.md")
    return (folder / "exports" / "README.md").read_text(encoding="utf-8"), (folder / "report.md").read_text(
        encoding="utf-8"
    )


def test_card_and_report_tell_what_each_judge_is_worth(tmp_path: Path) -> None:
    plain = build(tmp_path, None)
    found = measured(
        figures(RUBRIC, plain, threshold=Threshold(wanted=0.9, score=0.83, precision=0.91, recall=0.5)),
        figures(PAIRWISE, plain, kind="pairwise", flip_rate=share(0.25), position_bias=share(0.4)),
    )
    judges = [LeftoverReference(), RUBRIC.model_copy(update={"threshold": 0.83})]
    for text in finished(tmp_path, found, judges=judges, comparison=PAIRWISE):
        section = text.split("## Judges against gold\n")[1].split("\n## ")[0]
        assert "100 good and 100 bad texts" in section
        assert "120 English, 80 Chinese" in section
        rows = [line.replace("\\", "") for line in section.splitlines() if line.startswith("| ")]
        assert rows[2] == "| leftover_reference | – | not measured | – | – | – | – | – | – | – | – |"
        assert rows[3] == (
            "| rubric | judge-7b | 200 | 0.61 [0.56, 0.66] | 0.90 | 0.55 | – | – | 3 | 0.83: precision 0.91, keeps 50% | 0.83 |"
        )
        assert rows[4] == "| pairwise | judge-7b | 200 | 0.61 [0.56, 0.66] | 0.90 | 0.55 | 0.25 | 0.40 | 3 | – | – |"


def test_without_a_calibration_neither_says_anything_of_it(tmp_path: Path) -> None:
    for text in finished(tmp_path, None, judges=[RUBRIC]):
        assert "Judges against gold" not in text


def test_the_picture_shows_what_a_judge_refuses_of_good_texts_in_its_own_colour(tmp_path: Path) -> None:
    plain = build(tmp_path, None)
    curve = (Bin(score=0.3, good=0.2, items=9), Bin(score=0.8, good=0.9, items=9))
    drawn = draw_picture(measured(figures(LeftoverReference(), plain), figures(RUBRIC, plain, reliability=curve)))
    named = re.findall(r'fill="(#\w+)">(leftover_reference|rubric@judge)<', drawn)
    assert len({colour for colour, name in named if name == "rubric@judge"}) == 1, "curve and rows have one colour"
    assert len({colour for colour, _ in named}) == 2
    assert drawn.count("good texts refused (100)") == 2
    start, width = 2 * 190, 860 - 2 * 190 - 40
    assert f'cx="{start + 0.1 * width:.1f}"' in drawn, "nine of ten good texts pass"
