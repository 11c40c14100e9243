"""Unchanged copy: a query that needs a rewrite is answered as it stands."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import ClassVar

from pairwright.core.bookkeeping import Dropped
from pairwright.core.components import Component
from pairwright.core.records import Candidate, Case, KnownCase, Rejected
from pairwright.perturbers.proof.rewrite_proof import Draft, missing, settle, vague
from pairwright.perturbers.text.repair import in_the_place_of


class UnchangedCopy(Component):
    """Copies the query, with the punctuation that the chosen rewrite ends in.

    Proven only where the query points at something it does not name, or lacks words that the rewrite brought back;
    a rewrite that merely mends spelling is no reason to punish the copy.
    """

    name: ClassVar[str] = "unchanged_copy"

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:  # noqa: ARG002
        """See :class:`~pairwright.core.components.Perturber`."""
        yield from settle(self.name, "unchanged", case, chosen, _drafts(case, chosen.text), _still_open, 1)


def _drafts(case: Case, chosen: str) -> Iterator[Draft]:
    text = in_the_place_of(case.query, chosen)
    yield Draft(text, "copied_query", _still_open(case, chosen, text))


def _still_open(case: Case, chosen: str, text: str) -> str:
    return missing(case, chosen, text) or vague(case, chosen, text)
