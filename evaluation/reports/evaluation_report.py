"""Write an evaluation: ``evaluation.json`` (all of it), ``evaluation.md`` and ``evaluation.html``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.cells import NOTHING, Table
from pairwright.core.pages.html import definition, element, folded, html_table, page
from pairwright.core.pages.markdown import inline, markdown_table
from pairwright.evaluation.evaluation import HEADLINES, Evaluation, MetricNote, SetResult, Shown, shown_as
from pairwright.evaluation.reports.plots import Mark, axis, bar
from pairwright.evaluation.scores import Difference, MetricFigure

ARROWS = {"higher": "higher is better", "lower": "lower is better", "neither": "neither way is better"}
SIGNIFICANT = 0.05
METHOD = (
    "Intervals: 95 % percentile bootstrap (2,000 resamples of whole dialogues), the exact binomial bound where all agree. Tests: two-sided paired permutation test "
    "(10,000 permutations of whole dialogues), corrected by Holm's method over all metrics of a comparison; "
    "▲ and ▼ mark figures that are significantly better and worse than those of the system compared with (p < 0.05 after "
    "correction). Shares are in per cent."
)


def write_report(result: Evaluation, folder: Path) -> tuple[Path, ...]:
    """Write the three files into ``folder`` and return their paths.

    Raises:
        StorageError: the folder cannot be written.
    """
    contents = {
        "evaluation.json": result.model_dump_json(indent=1) + "\n",
        "evaluation.md": markdown(result),
        "evaluation.html": html(result),
    }
    for name, text in contents.items():
        with atomic_writer(folder / name) as file:
            file.write(text)
    return tuple(folder / name for name in contents)


def markdown(result: Evaluation) -> str:
    """The report as Markdown."""
    parts = ["# Evaluation\n"]
    for one in result.results:
        parts += [f"## {inline(one.test)}\n", f"{inline(_about(one))}\n"]
        parts += [*markdown_table(_figures(one, result.metrics)), f"\n{METHOD}\n"]
        parts += _markdown_slices(one, result.metrics)
    if result.not_measured:
        parts.append("## Not measured\n")
        parts += [f"- {inline(f'{name}: {reason}')}" for name, reason in result.not_measured.items()]
    return "\n".join(parts).rstrip() + "\n"


def _figures(one: SetResult, metrics: tuple[MetricNote, ...]) -> Table:
    names = [system.name for system in one.systems]
    rows = []
    for note in metrics:
        cells = [cell(note, one.figure(name, note.name), difference_of(one, name, note.name)) for name in names]
        rows.append((note.name, note.better, *cells))
    return [("metric", "better", *names), *rows]


def _markdown_slices(one: SetResult, metrics: tuple[MetricNote, ...]) -> Iterator[str]:
    names = [system.name for system in one.systems]
    parts = _parts(one)
    for note in (note for note in metrics if note.name in HEADLINES):
        shown = [part for part in parts if any(_rows(one, name, note, part) for name in names)]
        if shown:
            yield f"### {inline(note.name)} by slice\n"
            rows = [
                (
                    f"{part[0]}: {part[1]}",
                    _rows(one, names[0], note, part),
                    *(cell(note, one.figure(name, note.name, part)) for name in names),
                )
                for part in shown
            ]
            yield from (*markdown_table([("slice", "rows", *names), *rows]), "")


def html(result: Evaluation) -> str:
    """The report as one page."""
    body: list[str] = []
    for one in result.results:
        body += [element("h2", one.test), element("p", _about(one), "soft")]
        body += [_metric_block(one, note) for note in result.metrics if note.name in HEADLINES]
        others = [_metric_block(one, note) for note in result.metrics if note.name not in HEADLINES]
        body.append(folded("Other metrics", "".join(others)))
        body.append(element("h3", "By slice"))
        body += [_slice_block(one, note) for note in result.metrics if note.name in HEADLINES]
        body.append(folded("Rows to look at", "".join(example(shown) for shown in one.shown)))
        body.append(folded("Systems", _systems(one)))
    if result.not_measured:
        body.append(folded("Not measured", definition(result.not_measured)))
    body.append(element("p", METHOD, "soft"))
    return page("Evaluation", "en", body)


def example(shown: Shown) -> str:
    """One row with its dialogue, reference and rewrites."""
    pairs = [("dialogue", line) for line in shown.history]
    pairs += [("query", shown.query), ("reference", shown.reference), *shown.rewrites.items()]
    return definition(pairs, shown.language)


def _metric_block(one: SetResult, note: MetricNote) -> str:
    found = [(system.name, one.figure(system.name, note.name)) for system in one.systems]
    limits = axis([_mark(figure) for _, figure in found])
    lines = "".join(
        line(
            name,
            bar(_mark(figure), limits, _tone(one, name, note)),
            cell(note, figure, difference_of(one, name, note.name)),
        )
        for name, figure in found
    )
    head = element("h3", note.name) + element("p", f"{note.what} · {ARROWS[note.better]}", "soft")
    return f'<div class="metric">{head}{lines}</div>'


def line(name: str, drawing: str, number: str) -> str:
    """One line of a plot: a name, a drawing, a number."""
    return f'<div class="line">{element("span", name, "name")}{drawing}{element("span", number, "number")}</div>'


def _slice_block(one: SetResult, note: MetricNote) -> str:
    names = [system.name for system in one.systems]
    blocks = []
    for part in _parts(one):
        found = [(name, one.figure(name, note.name, part)) for name in names]
        rows = max((figure.rows for _, figure in found if figure is not None), default=0)
        if rows:
            limits = axis([_mark(figure) for _, figure in found])
            lines = "".join(line(name, bar(_mark(each), limits, "plain"), cell(note, each)) for name, each in found)
            blocks.append(f'<div class="metric">{element("h3", f"{part[0]}: {part[1]} · {rows:,} rows")}{lines}</div>')
    return folded(f"{note.name} ({ARROWS[note.better]})", "".join(blocks)) if blocks else ""


def _systems(one: SetResult) -> str:
    rows = [
        [note.name, note.kind, note.predictions, "; ".join(f"{key}: {value}" for key, value in note.details.items())]
        for note in one.systems
    ]
    return html_table([("system", "kind", "hash of the answers", "details"), *rows])


def _about(one: SetResult) -> str:
    languages = ", ".join(f"{count:,} {language}" for language, count in one.languages.items())
    mixed = (
        " Figures over mixed languages hide differences between them: see the language slices."
        if len(one.languages) > 1
        else ""
    )
    return f"{one.rows:,} rows of {one.dialogues:,} dialogues ({languages}). Compared with: {one.against}.{mixed}"


def cell(note: MetricNote, figure: MetricFigure | None, difference: Difference | None = None) -> str:
    """``value (low–high)`` and the sign of a significant difference."""
    if figure is None or figure.value is None:
        return NOTHING
    interval = f"{shown_as(note, figure.value)} ({shown_as(note, figure.low)}–{shown_as(note, figure.high)})"
    return interval + (f" {sign(note, difference)}" if difference is not None and sign(note, difference) else "")


def sign(note: MetricNote, difference: Difference) -> str:
    """▲ for significantly better, ▼ for significantly worse, else nothing."""
    if difference.adjusted is None or difference.value is None or difference.adjusted >= SIGNIFICANT:
        return ""
    return "▲" if (difference.value > 0) == (note.better == "higher") else "▼"


def _parts(one: SetResult) -> list[tuple[str, str]]:
    return [part for part in dict.fromkeys(figure.slice for figure in one.figures) if part[0] != "all"]


def _rows(one: SetResult, name: str, note: MetricNote, part: tuple[str, str]) -> int:
    figure = one.figure(name, note.name, part)
    return 0 if figure is None else figure.rows


def difference_of(one: SetResult, name: str, metric: str) -> Difference | None:
    found = (each for each in one.differences if (each.second, each.metric, each.slice[0]) == (name, metric, "all"))
    return next(found, None)


def _tone(one: SetResult, name: str, note: MetricNote) -> str:
    difference = difference_of(one, name, note.name)
    return {"▲": "good", "▼": "bad"}.get(sign(note, difference) if difference else "", "plain")


def _mark(figure: MetricFigure | None) -> Mark:
    return Mark(None, None, None) if figure is None else Mark(figure.value, figure.low, figure.high)
