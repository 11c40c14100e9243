"""The picture and the tables of a calibration, whatever judges and defects are called."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from rendered import HOSTILE

from pairwright.core.calibration import Bin, Calibration, Figure, JudgeCalibration
from pairwright.core.pages.printable import printable
from pairwright.pipelines.calibration.page import defect_table, draw_picture, figure_table

NONE = Figure(value=None, low=None, high=None, items=0)
SOME = Figure(value=0.5, low=0.4, high=0.6, items=10)


def calibration(text: str) -> Calibration:
    """One judge and one defect with ``text`` in their names."""
    judge = JudgeCalibration(
        judge=f"judge {text}",
        kind="pointwise",
        models={"endpoint": text},
        settings="",
        items=10,
        kappa=SOME,
        passed_good=SOME,
        caught={text: SOME},
        reliability=(Bin(score=0.5, good=0.5, items=10),),
        failures=0,
        requests=0,
        tokens=0,
        cost=0.0,
        **dict.fromkeys(("flip_rate", "position_bias", "tie_rate", "length_bias"), NONE),
    )
    return Calibration(gold={"en": 10}, seed=1, judges=(judge,))


def elements(drawn: str) -> list[str]:
    return [element.tag for element in ElementTree.fromstring(drawn).iter()]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_breaks_the_picture(text: str) -> None:
    drawn = draw_picture(calibration(text))
    assert elements(drawn) == elements(draw_picture(calibration("calm")))
    assert f"{printable(text)} (10)" in [element.text for element in ElementTree.fromstring(drawn).iter()]


def test_what_was_not_measured_is_a_dash() -> None:
    found = calibration("calm")
    assert figure_table(found)[1][:5] == (found.judges[0].key, 10, "0.50 [0.40, 0.60]", "0.50 [0.40, 0.60]", "0.50")
    assert figure_table(found)[1][5:9] == ("–", "–", "–", "–")
    assert list(defect_table(found)) == [("bad texts caught", "texts", found.judges[0].key), ("calm", 10, "0.50")]
