"""Pairs that a judge has confirmed: the chosen text must be preferred to the worse one over both orders.

Comparisons are expensive, so only variants that would end up in the data set are asked about. That takes rounds: choice and
balance say which variants that would be, as they do without a judge (see ``variant_choice`` and ``balance``); those of them not
confirmed yet are compared; what is confirmed keeps its place in the choice, what is not is out for good, and its query
may take another variant in the next round. It ends when everything that is kept is confirmed. Each round asks about
something new or is the last one, and answers come from the ledger when a build is run again: the same rounds, the same
pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pairwright.core.bookkeeping import Dropped, Failed
from pairwright.core.component_calls import ask_comparer
from pairwright.core.components import Comparer
from pairwright.core.config.build_file import PairingConfig
from pairwright.core.errors import RequestFailed
from pairwright.core.files.storage import open_log
from pairwright.core.records import Compared, Winner
from pairwright.core.requests import Ask
from pairwright.pipelines.judging.candidate_judging import ordered_map
from pairwright.pipelines.judging.endpoint_access import EndpointAccess
from pairwright.pipelines.pairing.pair_features import PairFeatures, Proposal
from pairwright.pipelines.pairing.preference_pairs import PairPlan, plan_pairs
from pairwright.pipelines.pairing.variant_choice import CONFIRMED, OPEN, PICKED, REFUSED

REASONS: dict[Winner, str] = {"tie": "judge_tie", "second": "judge_prefers_rejected"}

Numbered = tuple[int, Proposal]


class VerificationState:
    """What is known of every variant, and which ones are to be asked about next."""

    def __init__(self, features: PairFeatures, pairing: PairingConfig) -> None:
        self._features = features
        self._pairing = pairing
        self.codes = bytearray(len(features))
        self.wanted: frozenset[int] = frozenset()

    def plan(self) -> PairPlan:
        """What becomes of every variant as far as is known."""
        return plan_pairs(self._features, self._pairing, self.codes)

    def next_round(self) -> bool:
        """Set ``wanted``; false when there is nothing left to ask."""
        picks, keeps = self.plan()
        places = (place for place, code in enumerate(picks) if code == PICKED)
        kept = (place for place, code in zip(places, keeps, strict=True) if not code)
        self.wanted = frozenset(place for place in kept if self.codes[place] == OPEN)
        return bool(self.wanted)


def unverified(state: VerificationState, proposals: Callable[[], Iterable[Proposal]]) -> Iterator[Numbered]:
    """The variants to ask about, round by round; to be read no further than a round before ``next_round``."""
    while wanted := state.wanted:
        yield from ((place, proposal) for place, proposal in enumerate(proposals()) if place in wanted)


class _Verdict(NamedTuple):
    """What came of one question."""

    place: int
    outcome: Compared | Dropped | Failed
    compared: Compared | None


def verify_variants(
    rows: Iterator[Numbered], state: VerificationState, comparer: Comparer, access: EndpointAccess, log: Path
) -> Iterator[Compared | Dropped | Failed]:
    """One outcome per question: the confirming comparison, or why the variant cannot become a pair."""
    ask = access.usage.count_answers("verify", comparer.name, access.ask)

    async def one(numbered: Numbered) -> _Verdict:
        return await _asked(*numbered, comparer, ask)

    access.usage.expect("verify", len(state.codes))
    with open_log(log) as write:
        while state.next_round():
            for found in ordered_map(one, islice(rows, len(state.wanted)), access.width, access.runner):
                state.codes[found.place] = CONFIRMED if isinstance(found.outcome, Compared) else REFUSED
                if found.compared is not None:
                    write(found.compared)
                yield found.outcome


async def _asked(place: int, proposal: Proposal, comparer: Comparer, ask: Ask) -> _Verdict:
    row, worse = proposal
    try:
        verdict = await ask_comparer(comparer, row.task, row.chosen.text, worse.text, ask)
    except RequestFailed as exc:
        return _Verdict(place, Failed(stage="verify", row=row.task.id, error=exc.kind, message=str(exc)), None)
    compared = Compared(
        stage="verify",
        task=row.task.id,
        first=row.chosen.text,
        second=worse.text,
        rejected_by=worse.rejected_by,
        defect=worse.defect,
        comparison=verdict,
    )
    if verdict.winner == "first":
        return _Verdict(place, compared, compared)
    detail = f"{worse.rejected_by}: {worse.text}"
    return _Verdict(
        place, Dropped(stage="verify", row=row.task.id, reason=REASONS[verdict.winner], detail=detail), compared
    )
