"""Checks of a stage against the build's exports: sets, kinds of rows, lengths, prompt."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.training_recipes.problem import Case, Problem


def check_data(case: Case) -> Iterator[Problem]:
    """Is what the stage trains on there?"""
    export = case.export
    if export is None:
        yield case.problem(
            "dataset",
            f"the build has no {case.stage.trainer} export",
            f"Add '- {{use: {case.stage.trainer}}}' to 'exports' of the build file and build again.",
        )
        return
    name = f"{case.facts.name}_{case.rows}_train"
    if not export.rows.get(name):
        yield case.problem("dataset", f"the build has no rows for {name}", _more_rows(case))


def _more_rows(case: Case) -> str:
    if case.rows == "kto":
        return f"Set 'kto: true' in the {case.stage.trainer} export of the build file and build again."
    return "Look at the build's report.md for where its rows went."
