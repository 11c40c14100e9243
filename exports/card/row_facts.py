"""What the card says about the rows, gathered in one pass over each of the two files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pairwright.core.records import Generation, PreferencePair, SftRow
from pairwright.core.result import BuildResult
from pairwright.core.tool_calls import calls_of

# Licence names of the Hub's metadata; any other licence is "other" there and spelled out in the text.
_HUB_LICENCES = {
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "odbl", "pddl",
    "odc-by", "gpl-3.0", "unlicense", "unknown",
}  # fmt: skip
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


@dataclass
class Facts:
    """Counts over the rows of a build, one pair of each defect to show, and one answer of each of :func:`kind_of`."""

    sft: int = 0
    pairs: int = 0
    unchanged: int = 0
    sources: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    splits: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    origins: Counter[tuple[str, str]] = field(default_factory=Counter)
    defects: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    models: Counter[tuple[str, str, float]] = field(default_factory=Counter)
    shown: dict[tuple[str, str], PreferencePair] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    answers: dict[tuple[str, str], SftRow] = field(default_factory=dict)

    @property
    def licences(self) -> list[str]:
        """The licences of all rows, sorted."""
        return sorted({licence for _, licence, _ in self.sources})

    @property
    def languages(self) -> list[str]:
        """The languages of all rows, sorted."""
        return sorted({language for language, _, _ in self.splits})

    def hub_licences(self) -> list[str]:
        """The licences as the Hub's metadata knows them."""
        known = {licence.lower() if licence.lower() in _HUB_LICENCES else "other" for licence in self.licences}
        return sorted(known)

    def size(self) -> str:
        """The Hub's size category for all rows together."""
        return next((name for limit, name in _SIZES if self.sft + self.pairs < limit), "1M<n<10M")


def facts_of(build: BuildResult, examples: int) -> Facts:
    """Read the rows of a build once and count what its card tells; keep up to ``examples`` pairs to show."""
    facts = Facts()
    for row in build.sft():
        facts.sft += 1
        facts.unchanged += row.chosen.text == row.task.query
        facts.sources[row.task.origin.source, row.task.origin.licence, "answers"] += 1
        facts.splits[row.task.language, row.split, "answers"] += 1
        facts.origins[row.task.language, row.chosen.origin] += 1
        _count_model(facts, row.chosen.origin, row.chosen.generation)
        kind = kind_of(row)
        facts.kinds[kind] += 1
        facts.answers.setdefault((row.task.language, kind), row)
    for pair in build.pairs():
        facts.pairs += 1
        facts.sources[pair.task.origin.source, pair.task.origin.licence, "pairs"] += 1
        facts.splits[pair.task.language, pair.split, "pairs"] += 1
        facts.defects[pair.rejected.defect, pair.rejected.rejected_by, pair.task.language] += 1
        _count_model(facts, "rejected sample", pair.rejected.generation)
        if len(facts.shown) < examples:
            facts.shown.setdefault((pair.rejected.defect, pair.task.language), pair)
    return facts


def kind_of(row: SftRow) -> str:
    """``call`` for an answer that calls tools, ``result`` for one that comes after calls, else ``words``."""
    if calls_of(row.chosen.text):
        return "call"
    return "result" if row.task.steps else "words"


def _count_model(facts: Facts, use: str, generation: Generation | None) -> None:
    if generation:
        facts.models[use, generation.model, generation.temperature] += 1
