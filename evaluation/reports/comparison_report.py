"""Write a comparison: ``comparison.json``, ``comparison.md`` and ``comparison.html``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.cells import Table, format_value
from pairwright.core.pages.html import element, folded, html_table, page
from pairwright.core.pages.markdown import inline, markdown_table
from pairwright.evaluation.evaluation import Shown, shown_as
from pairwright.evaluation.reports.evaluation_report import ARROWS, METHOD, example, line
from pairwright.evaluation.reports.plots import Mark, axis, bar
from pairwright.evaluation.scores import Difference
from pairwright.evaluation.system_comparison import SystemComparison, signed

_TONES = {"first": "bad", "second": "good", "neither": "plain"}


def write_comparison(result: SystemComparison, folder: Path) -> tuple[Path, ...]:
    """Write the three files into ``folder`` and return their paths.

    Raises:
        StorageError: the folder cannot be written.
    """
    contents = {
        "comparison.json": result.model_dump_json(indent=1) + "\n",
        "comparison.md": markdown(result),
        "comparison.html": html(result),
    }
    for name, text in contents.items():
        with atomic_writer(folder / name) as file:
            file.write(text)
    return tuple(folder / name for name in contents)


def metric_table(result: SystemComparison) -> Table:
    """One line per metric: name, first, second, difference with interval, adjusted p, who is better."""
    rows = []
    for one in result.differences:
        note = result.note(one.metric)
        values = (shown_as(note, _value(result, name, one.metric)) for name in (result.first, result.second))
        rows.append((note.name, *values, _gap(result, one), _p(one), _who(result, one)))
    return [("metric", result.first, result.second, "difference (95 %)", "p (Holm)", "better"), *rows]


def slice_table(result: SystemComparison) -> Table:
    """The slices where one of the two is significantly better."""
    won = (one for one in result.by_slice if result.winner(one) != "neither")
    rows = (
        (f"{one.slice[0]}: {one.slice[1]}", one.metric, one.rows, _gap(result, one), _p(one), _who(result, one))
        for one in won
    )
    return [("slice", "metric", "rows", "difference", "p", "better"), *rows]


def markdown(result: SystemComparison) -> str:
    """The comparison as Markdown."""
    lines = [f"# {inline(_title(result))}\n", f"**{inline(result.verdict)}**\n"]
    lines += [*markdown_table(metric_table(result)), f"\n{METHOD}\n", "## Where each wins\n"]
    won = slice_table(result)
    lines += markdown_table(won) if len(won) > 1 else ["No slice shows a significant difference."]
    for title, rows in (("Gains", result.gains), ("Losses", result.losses)):
        lines.append(f"\n## {title}\n")
        lines += [text for shown in rows for text in _markdown_example(shown)] or ["None."]
    return "\n".join(lines).rstrip() + "\n"


def html(result: SystemComparison) -> str:
    """The comparison as one page."""
    limits = axis([_mark(one) for one in result.differences], around_zero=True)
    blocks = []
    for one in result.differences:
        note = result.note(one.metric)
        share = limits if note.percent else axis([_mark(one)], around_zero=True)
        drawn = bar(_mark(one), share, _TONES[result.winner(one)])
        head = element("h3", note.name) + element("p", f"{note.what} · {ARROWS[note.better]}", "soft")
        blocks.append(f'<div class="metric">{head}{line(_label(result, one), drawn, _gap(result, one))}</div>')
    body = [
        element("p", result.verdict, "verdict"),
        html_table(metric_table(result)),
        element("h2", "Differences"),
        *blocks,
        element("h2", "Where each wins"),
        *(_won_blocks(result) or [element("p", "No slice shows a significant difference.")]),
        folded("Rows gained", "".join(map(example, result.gains))),
        folded("Rows lost", "".join(map(example, result.losses))),
        element("p", METHOD, "soft"),
    ]
    return page(_title(result), "en", body)


def _title(result: SystemComparison) -> str:
    return f"{result.second} against {result.first} on {result.test}"


def _won_blocks(result: SystemComparison) -> list[str]:
    """Per slice with a significant difference: one line per metric that differs."""
    parts: dict[tuple[str, str], list[Difference]] = {}
    for one in result.by_slice:
        if result.winner(one) != "neither":
            parts.setdefault(one.slice, []).append(one)
    limits = axis([_mark(one) for found in parts.values() for one in found], around_zero=True)
    return [
        f'<div class="metric">{element("h3", f"{kind}: {value}")}'
        + "".join(
            line(
                f"{one.metric}: {_who(result, one)}",
                bar(_mark(one), limits, _TONES[result.winner(one)]),
                _gap(result, one),
            )
            for one in found
        )
        + "</div>"
        for (kind, value), found in parts.items()
    ]


def _markdown_example(shown: Shown) -> Iterator[str]:
    yield f"- {inline(shown.id)}"
    texts = [*(("dialogue", turn) for turn in shown.history), ("query", shown.query), ("reference", shown.reference)]
    for name, text in [*texts, *shown.rewrites.items()]:
        words = " ".join(text.split())
        yield f"  - {inline(f'{name}: {words}')}"


def _value(result: SystemComparison, system: str, metric: str) -> float | None:
    return next((one.value for one in result.figures if (one.system, one.metric) == (system, metric)), None)


def _gap(result: SystemComparison, one: Difference) -> str:
    note = result.note(one.metric)
    return f"{signed(note, one.value)} ({signed(note, one.low)} to {signed(note, one.high)})"


def _p(one: Difference) -> str:
    return "<0.001" if one.adjusted is not None and one.adjusted < 0.001 else format_value(one.adjusted, ".3f")


def _who(result: SystemComparison, one: Difference) -> str:
    return {"first": result.first, "second": result.second, "neither": ""}[result.winner(one)]


def _label(result: SystemComparison, one: Difference) -> str:
    if result.note(one.metric).better == "neither":
        return "no better way"
    return _who(result, one) or "not significant"


def _mark(one: Difference) -> Mark:
    return Mark(one.value, one.low, one.high)
