"""The rows of the ``trl`` export as ``datasets`` in memory, for whoever trains in the same process or notebook."""

from __future__ import annotations

from collections import defaultdict

from datasets import Dataset, DatasetDict

from pairwright.core.result import BuildResult
from pairwright.exports.forms.trl import TrlExporter
from pairwright.exports.rows.rendering import Budget, Tally
from pairwright.exports.rows.split_files import Record


def trl_datasets(build: BuildResult) -> dict[str, DatasetDict]:
    """One :class:`DatasetDict` per kind of row that the build has, with its splits; see :class:`TrlExporter`.

    A data set's ``info.description`` names the build, and says how many rows were left out and why.

    Raises:
        ExportError: there are rows of a kind, and every one of them had to be left out; or they make no table.
    """
    # All kinds whatever the export has: nothing is written, so nobody pays for it in disk.
    exporter = next((one for one in build.config.exports if isinstance(one, TrlExporter)), TrlExporter())
    exporter = exporter.model_copy(update={"kto": exporter.preference})
    budget = Budget.of(exporter.max_tokens, exporter.tokenizer)
    form = exporter.form(build.config.task)
    found = {}
    for kind in form.layouts:
        tally = Tally()
        splits: dict[str, list[Record]] = defaultdict(list)
        for split, record in form.records(build, kind, budget, tally):
            splits[split].append(record)
        tally.require_rows(bool(splits))
        description = f"{build.config.name}, build {build.build_id}; left out: {dict(tally.left_out) or 'nothing'}"
        sets = {split: Dataset.from_list(records) for split, records in splits.items()}
        for one in sets.values():
            one.info.description = description
        found[str(kind)] = DatasetDict(sets)
    return found
