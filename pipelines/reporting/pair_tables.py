"""Tables about the pairs of a build: what balance was aimed at and reached, and what the shortcut audit found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pairwright.core.config.build_file import PairingConfig
from pairwright.core.language.text_analysis import normalise
from pairwright.core.pages.cells import Table
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import WRITTEN, PreferencePair
from pairwright.core.result import BuildResult
from pairwright.pipelines.pairing.balance import rules_of
from pairwright.pipelines.pairing.surface import SurfacePosition, cells_auc, length_position


@dataclass
class _Counts:
    """What the pairs of a build are made of."""

    pairs: int = 0
    no_rewrite: int = 0
    on_policy: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    templates: Counter[tuple[str, str]] = field(default_factory=Counter)
    lengths: dict[str, Counter[SurfacePosition]] = field(default_factory=dict)

    def add(self, pair: PreferencePair) -> None:
        """Count one pair."""
        task, worse = pair.task, pair.rejected
        self.pairs += 1
        self.no_rewrite += normalise(pair.chosen.text) == normalise(task.query)
        self.on_policy += worse.generation is not None and worse.generation.on_policy
        self.defects[worse.defect] += 1
        if worse.rejected_by not in WRITTEN and worse.template:
            self.templates[worse.rejected_by, worse.template] += 1
        place = length_position(task.language, pair.chosen.text, worse.text)
        self.lengths.setdefault(task.language, Counter())[place] += 1

    def share(self, number: int) -> float:
        """``number`` as a share of the pairs."""
        return number / self.pairs if self.pairs else 0.0


def balance_table(result: BuildResult) -> Table:
    """Header and one row per rule of the balance: its aim, what the pairs are like, and whether that is within."""
    counts, limits = _Counts(), rules_of(result.config)
    for pair in result.pairs():
        counts.add(pair)
    foreign = KINDS[result.config.task].foreign_rules
    return [
        ("rule", "aim", "reached", "within"),
        *(_checked(rule) for rule in _rules(counts, limits) if rule[0] not in foreign),
    ]


Rule = tuple[str, tuple[float, float], str, float]


def _rules(counts: _Counts, limits: PairingConfig) -> Iterator[Rule]:
    for name, most, kinds in (
        ("max_defect_share", limits.max_defect_share, counts.defects),
        ("max_template_share", limits.max_template_share, counts.templates),
    ):
        for kind, number in kinds.most_common(1):
            label = kind if isinstance(kind, str) else ": ".join(kind)
            yield f"{name} ({label})", (0, most), ".1%", counts.share(number)
    yield "no_rewrite_share", limits.no_rewrite_share, ".1%", counts.share(counts.no_rewrite)
    yield "on_policy_share", limits.on_policy_share, ".1%", counts.share(counts.on_policy)
    for language, places in sorted(counts.lengths.items()):
        yield f"max_surface_auc (length, {language})", (0.5, limits.max_surface_auc), ".2f", _auc(places)


def _checked(rule: Rule) -> tuple[str, str, str, str]:
    name, (low, high), form, value = rule
    # A share is never below 0 and an AUC never below 0.5: there is no lower limit to tell.
    aim = f"at most {high:{form}}" if low in (0, 0.5) else f"{low:{form}} to {high:{form}}"
    within = low - 1e-9 <= value <= high + 1e-9
    return name, aim, f"{value:{form}}", "yes" if within else "no: see docs/pairing.md"


def _auc(places: Counter[SurfacePosition]) -> float:
    cells = sorted({place.cell for place in places})
    even = [places[SurfacePosition(cell, 0)] / 2 for cell in cells]
    more = np.array([places[SurfacePosition(cell, 1)] for cell in cells]) + even
    less = np.array([places[SurfacePosition(cell, -1)] for cell in cells]) + even
    return cells_auc(more, less)
