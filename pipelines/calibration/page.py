"""A calibration as a table for the terminal, and as a picture: reliability curves, and what is refused of each kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pairwright.core.calibration import Calibration, Figure, JudgeCalibration, format_figure
from pairwright.core.pages.cells import NOTHING, Table, format_value
from pairwright.core.pages.html import plain

_WIDE, _PANEL, _ROW, _LEFT = 860, 220, 20, 190  # pixels
_COLOURS = ("#2f6db3", "#c0562f", "#3f8f5b", "#7b5aa6", "#8a6d1d", "#555555")

_Bar = tuple[JudgeCalibration, str, Figure]


def figure_table(calibration: Calibration) -> Table:
    """Header and one row per judge; intervals are 95 %."""
    rows: list[Sequence[object]] = [
        (
            "judge",
            "items",
            "κ",
            "good kept",
            "bad caught",
            "flips",
            "ties",
            "position",
            "length",
            "failed",
            "tokens",
            "threshold",
        )
    ]
    for one in calibration.judges:
        chosen = f"{one.threshold.score:.2f} keeps {one.threshold.recall:.0%}" if one.threshold else NOTHING
        figures = (one.flip_rate, one.tie_rate, one.position_bias, one.length_bias)
        middle = (format_value(figure.value) for figure in figures)
        head = (
            one.key,
            one.items,
            format_figure(one.kappa),
            format_figure(one.passed_good),
            format_value(one.caught_of_all),
        )
        rows.append((*head, *middle, one.failures, one.tokens, chosen))
    return rows


def defect_table(calibration: Calibration) -> Table:
    """The share of bad texts that each judge catches, by defect; intervals are in the file and in the picture."""
    names = sorted({name for one in calibration.judges for name in one.caught})
    numbers = {name: max(one.caught[name].items for one in calibration.judges if name in one.caught) for name in names}
    return [
        ("bad texts caught", "texts", *(one.key for one in calibration.judges)),
        *((name, numbers[name], *(_share(one, name) for one in calibration.judges)) for name in names),
    ]


def _share(judge: JudgeCalibration, defect: str) -> str:
    return format_value(judge.caught[defect].value if defect in judge.caught else None)


def draw_picture(calibration: Calibration) -> str:
    """An SVG drawing of its own: above the reliability curves of judges with scores, below a row per judge and defect."""
    colours = {one.key: _COLOURS[number % len(_COLOURS)] for number, one in enumerate(calibration.judges)}
    curves = [one for one in calibration.judges if one.reliability]
    bars = [bar for one in calibration.judges for bar in _refusals(one)]
    top = _PANEL + 70 if curves else 20
    height = top + 50 + _ROW * len(bars) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDE}" height="{height}" fill="white"/>',
        *(_curves(curves, colours) if curves else ()),
        *_bars(bars, colours, top),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _refusals(judge: JudgeCalibration) -> Iterator[_Bar]:
    """What the judge refuses of the good texts, and of the bad ones by defect: one that refuses all catches all."""
    passed = judge.passed_good
    if judge.kind == "pointwise" and passed.value is not None and passed.low is not None and passed.high is not None:
        refused = {"value": 1 - passed.value, "low": 1 - passed.high, "high": 1 - passed.low}
        yield judge, "good texts refused", passed.model_copy(update=refused)
    for name, figure in judge.caught.items():
        if figure.value is not None:
            yield judge, name, figure


def _curves(judges: Sequence[JudgeCalibration], colours: Mapping[str, str]) -> Iterator[str]:
    left, top, side = 60, 40, _PANEL - 20
    yield f'<text x="{left}" y="24" font-weight="bold">Score, and share of good texts at that score (good and bad weigh the same)</text>'
    yield f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="none" stroke="#999"/>'
    yield f'<line x1="{left}" y1="{top + side}" x2="{left + side}" y2="{top}" stroke="#ccc"/>'
    for mark in (0.0, 0.5, 1.0):
        yield f'<text x="{left + mark * side:.0f}" y="{top + side + 16}" text-anchor="middle">{mark:g}</text>'
        yield f'<text x="{left - 8}" y="{top + side - mark * side + 4:.0f}" text-anchor="end">{mark:g}</text>'
    for number, one in enumerate(judges):
        colour = colours[one.key]
        points = [(left + point.score * side, top + side - point.good * side) for point in one.reliability]
        yield f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        yield f'<text x="{left + side + 24}" y="{top + 16 + number * 18}" fill="{colour}">{plain(one.key)}</text>'


def _bars(bars: Sequence[_Bar], colours: Mapping[str, str], top: int) -> Iterator[str]:
    width = _WIDE - 2 * _LEFT - 40
    yield f'<text x="20" y="{top}" font-weight="bold">Share of texts refused, by judge and defect, with 95 % intervals</text>'
    for mark in (0.0, 0.5, 1.0):
        yield f'<text x="{2 * _LEFT + mark * width:.0f}" y="{top + 22}" text-anchor="middle">{mark:g}</text>'
    for number, (one, name, figure) in enumerate(bars):
        assert figure.value is not None
        assert figure.low is not None
        assert figure.high is not None
        colour, middle = colours[one.key], top + 42 + number * _ROW
        weight = "bold" if name not in one.caught else "normal"
        start = 2 * _LEFT
        yield f'<text x="20" y="{middle + 4}" fill="{colour}">{plain(one.key)}</text>'
        yield f'<text x="{_LEFT}" y="{middle + 4}" font-weight="{weight}">{plain(name)} ({figure.items})</text>'
        yield f'<line x1="{start}" x2="{start + width}" y1="{middle}" y2="{middle}" stroke="#e5e5e5"/>'
        yield f'<line x1="{start + figure.low * width:.1f}" x2="{start + figure.high * width:.1f}" y1="{middle}" y2="{middle}" stroke="{colour}" stroke-width="2"/>'
        yield f'<circle cx="{start + figure.value * width:.1f}" cy="{middle}" r="4" fill="{colour}"/>'
