"""The labels of a build's KTO rows, and the weight that balances them."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from pairwright.core.untrusted_json import read_json
from pairwright.training_recipes.recipes.build_facts import Export
from pairwright.training_recipes.recipes.recipe_files import Trainer


class Labels(NamedTuple):
    """Rows that are desirable and rows that are not; ``odd`` is the first row with another label, and that label."""

    good: int
    bad: int
    odd: tuple[int, Any] | None = None


def read_labels(export: Export, name: str) -> Labels:
    """Count the labels of one data set; all zero where it has no file."""
    counts: Counter[bool] = Counter()
    odd = None
    for path in export.folder.glob(f"{name}.json*"):
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, row in enumerate(
                read_json(file.read()) if path.suffix == ".json" else map(read_json, file), start=1
            ):
                label = row.get("label")
                if isinstance(label, bool):
                    counts[label] += 1
                else:
                    odd = odd or (number, label)
    return Labels(counts[True], counts[False], odd)


def weight_keys(trainer: Trainer) -> tuple[str, str]:
    """The trainer's keys that weigh desirable and undesirable rows."""
    if trainer == "llamafactory":
        return "kto_chosen_weight", "kto_rejected_weight"
    return "desirable_weight", "undesirable_weight"


def balancing_weight(labels: Labels, trainer: Trainer) -> tuple[str, float]:
    """The key and value that make both sides weigh the same: the rarer one is raised.

    Source: Ethayarajh et al. 2024 (KTO), section 4.2: weighted desirable and undesirable rows between 1:1 and 4:3.
    """
    for_good, for_bad = weight_keys(trainer)
    if labels.bad > labels.good:
        return for_good, round(labels.bad / labels.good, 2)
    return for_bad, round(labels.good / labels.bad, 2)
