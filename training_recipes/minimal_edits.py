"""Whether a build's pairs differ in few words: such pairs need some SFT loss mixed into DPO."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import islice
from statistics import median

from pairwright.exports.readers import read_training_rows
from pairwright.training_recipes.problem import Case

SAMPLE = 200
SIMILAR = 0.6


def are_minimal_edits(case: Case) -> bool:
    """True where the two sides of most of the first ``SAMPLE`` pairs share more than ``SIMILAR`` of their characters.

    Source: the likelihood of both sides moves together when they are similar (Razin et al., ICLR 2025).
    """
    export = case.export
    if export is None:
        return False
    found = sorted(export.folder.glob(f"{case.facts.name}_dpo_train.json*"))
    rows = islice(read_training_rows(found[0]), SAMPLE) if found else iter(())
    shares = [SequenceMatcher(None, row.chosen, row.rejected or "", autojunk=False).ratio() for row in rows]
    return bool(shares) and median(shares) > SIMILAR
