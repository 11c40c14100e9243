"""Balance over the whole build: shares, and what length and punctuation tell, until all rules hold together.

The rules, in their order: no defect and no template above its share, the share of queries that need no rewrite and of
the student's own samples within their bands, and neither length nor punctuation telling chosen from rejected better
than ``max_surface_auc``. Each rule drops the pairs on its abundant side that a seeded draw ranks last, made variants
before real samples. Dropping for one rule can upset another, so they take turns until nothing changes.

A quota that alone would cost more than ``max_loss`` of the pairs is loosened until it does not; a band that would,
does nothing; a surface is trimmed as far as ``max_loss`` reaches. If all rules together still cost more, quotas and
bands are loosened step by step until they do not. The report says what was aimed at and what was reached.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pairwright.core.config.build_file import BuildConfig, PairingConfig
from pairwright.core.prompts.kinds import KINDS
from pairwright.pipelines.pairing.pair_features import PairFeatures, column
from pairwright.pipelines.pairing.surface import cells_auc
from pairwright.pipelines.pairing.variant_choice import PICKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

KEPT = 0
BALANCE_REASONS = (
    "",
    "max_defect_share",
    "max_template_share",
    "no_rewrite_share",
    "on_policy_share",
    "shortcut:length",
    "shortcut:punctuation",
)
_ANYTHING: Mapping[str, tuple[float, float]] = {"no_rewrite_share": (0.0, 1.0)}
"""What each rule that not every kind of task knows is set to where it has no meaning."""
_ROUNDS = 60
_STEPS = 20  # from the rules as they are configured to none
_SHARES = [step / 200 for step in range(200, 99, -1)]  # of one side of a cell, from no limit to even
_SLACK = 0.005
_RARE = 20  # punctuation cells with fewer pairs are one


class Rule(NamedTuple):
    """``drops(alive)`` marks which of the living pairs the rule wants gone."""

    code: int
    drops: Callable[[Bools], Bools]


def rules_of(config: BuildConfig) -> PairingConfig:
    """The rules that apply to a build: those without a meaning for its kind of task ask for nothing."""
    return config.pairing.model_copy(update={rule: _ANYTHING[rule] for rule in KINDS[config.task].foreign_rules})


def balance(features: PairFeatures, picks: bytes | bytearray, config: PairingConfig) -> bytearray:
    """One code of ``BALANCE_REASONS`` for each picked variant, in order."""
    pool = _Pool(features, picks)
    ordered = np.zeros(len(pool), np.uint8)
    ordered[pool.order] = _together(pool, config)
    return bytearray(ordered.tobytes())


class _Pool:
    """The picked variants in the order in which they may stay: real samples first, then as the draw ranks them."""

    def __init__(self, features: PairFeatures, picks: bytes | bytearray) -> None:
        places = np.flatnonzero(np.frombuffer(picks, np.uint8) == PICKED)
        made, draw = 1 - column(features.sampled)[places], np.asarray(features.draw)[places]
        self.order = np.lexsort((draw, made))
        places = places[self.order]
        self.language, self.defect, self.template = (
            column(values)[places] for values in (features.language, features.defect, features.template)
        )
        self.no_rewrite, self.on_policy = (
            column(features.no_rewrite)[places] == 1,
            column(features.on_policy)[places] == 1,
        )
        self.length, self.length_side = column(features.length)[places], column(features.length_side)[places]
        self.marks, self.marks_side = _merged(features, places)

    def __len__(self) -> int:
        return len(self.order)


def _together(pool: _Pool, config: PairingConfig) -> Ints:
    """The codes under the tightest rules that together cost at most ``max_loss`` of the pairs."""
    plain = int(np.sum(pool.template < 0))
    defects = tightest(_counts(pool.defect), config.max_defect_share, config.max_loss)
    templates = tightest(_counts(pool.template), config.max_template_share, config.max_loss, plain)
    surfaces = list(_surfaces(pool, config))
    codes = np.zeros(len(pool), np.int64)
    for loose in np.linspace(0, 1, _STEPS + 1):
        quotas = [
            Rule(1, partial(_over_quota, pool.defect, share=defects + (1 - defects) * loose)),
            Rule(2, partial(_over_quota, pool.template, share=templates + (1 - templates) * loose)),
        ]
        bands = [
            Rule(3, partial(_outside, pool.no_rewrite, _looser(config.no_rewrite_share, loose), config.max_loss)),
            Rule(4, partial(_outside, pool.on_policy, _looser(config.on_policy_share, loose), config.max_loss)),
        ]
        codes = _settled(len(pool), [*quotas, *bands, *surfaces])
        if np.sum(codes == KEPT) >= (1 - config.max_loss) * len(pool):
            break
    return codes


def _looser(band: tuple[float, float], loose: float) -> tuple[float, float]:
    return band[0] * (1 - loose), band[1] + (1 - band[1]) * loose


def _settled(size: int, rules: Sequence[Rule]) -> Ints:
    """Let the rules take turns until none drops anything; the code of the rule that dropped each pair."""
    codes = np.zeros(size, np.int64)
    for _ in range(_ROUNDS):
        before = int(np.sum(codes == KEPT))
        for rule in rules:
            alive = codes == KEPT
            codes[rule.drops(alive) & alive] = rule.code
        if int(np.sum(codes == KEPT)) == before:
            break
    return codes


def caps(counts: Mapping[int, int], share: float, others: int = 0) -> dict[int, int]:
    """How many pairs of each kind may stay so that none exceeds ``share`` of all that stay.

    ``others`` pairs are of no kind and stay. With fewer than ``1 / share`` kinds that is impossible; then all kinds
    are cut to equal parts.
    """
    share = max(share, 1 / len(counts)) if counts else 1.0

    def exceeds(cap: int) -> bool:
        stay = [min(number, cap) for number in counts.values()]
        # 1e-9: a share that is met exactly must not seem passed because of rounding.
        return max(stay) > share * (sum(stay) + others) + 1e-9

    most = max(counts.values(), default=0)
    # The largest kind's share only grows with the cap, so the first cap that is too high can be bisected.
    cap = bisect_left(range(1, most + 1), True, key=exceeds)
    return {kind: min(number, cap) for kind, number in counts.items()}


def tightest(counts: Mapping[int, int], share: float, max_loss: float, others: int = 0) -> float:
    """The smallest share from ``share`` up, in steps of 0.01, that costs at most ``max_loss`` of the pairs."""
    total = sum(counts.values()) + others
    while share < 1 and sum(caps(counts, share, others).values()) + others < (1 - max_loss) * total:
        share = min(share + 0.01, 1.0)
    return share


def _counts(kinds: Ints) -> dict[int, int]:
    """How many pairs of each kind; kinds below 0 are none."""
    names, numbers = np.unique(kinds[kinds >= 0], return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))


def _over_quota(kinds: Ints, alive: Bools, *, share: float) -> Bools:
    living = kinds[alive]
    allowed = caps(_counts(living), share, int(np.sum(living < 0)))
    return _surplus(kinds, alive & (kinds >= 0), allowed)


def _surplus(kinds: Ints, members: Bools, allowed: Mapping[int, int]) -> Bools:
    """Of each kind the ``members`` behind the first ``allowed`` ones; kinds that are not in ``allowed`` stay whole."""
    found = np.zeros(len(kinds), bool)
    places = np.flatnonzero(members)
    places = places[np.argsort(kinds[places], kind="stable")]
    names, starts = np.unique(kinds[places], return_index=True)
    for name, start, end in zip(names.tolist(), starts, np.append(starts, len(places))[1:], strict=True):
        found[places[start:end][allowed.get(name, end - start) :]] = True
    return found


def _outside(flags: Bools, band: tuple[float, float], max_loss: float, alive: Bools) -> Bools:
    """The surplus of flagged or of other pairs; nothing where that alone would cost more than ``max_loss``."""
    low, high = band
    have, rest = int(np.sum(flags & alive)), int(np.sum(~flags & alive))
    if have > high * (have + rest) + 1e-9:
        abundant, allowed = flags, int(high / (1 - high) * rest + 1e-9)
    elif have < low * (have + rest) - 1e-9:
        abundant, allowed = ~flags, int(have * (1 - low) / low + 1e-9)
    else:
        return np.zeros(len(flags), bool)
    drops = _surplus(abundant.astype(np.int64), alive & abundant, {1: allowed})
    return drops if np.sum(drops) <= max_loss * np.sum(alive) else np.zeros(len(flags), bool)


def _surfaces(pool: _Pool, config: PairingConfig) -> Iterator[Rule]:
    """Length and punctuation, each language by itself: any student can tell languages apart."""
    for language in np.unique(pool.language).tolist():
        inside = pool.language == language
        for code, cells, sides in ((5, pool.length, pool.length_side), (6, pool.marks, pool.marks_side)):
            goal = _reachable(_tally(cells, sides, inside), config.max_surface_auc, config.max_loss)
            yield Rule(code, partial(_leaning, cells, sides, inside, goal))


def _merged(features: PairFeatures, places: Ints) -> tuple[Ints, Ints]:
    """Cells and sides of punctuation. The rare cells of a language become one: a rule for a few pairs would be chance.

    Its sides are those with more marks in all.
    """
    cells, sides = column(features.marks)[places], column(features.marks_side)[places]
    rare = np.bincount(cells)[cells] < _RARE if len(cells) else np.zeros(0, bool)
    merged = np.where(rare, -1 - column(features.language)[places], cells)
    return merged, np.where(rare, column(features.marks_total)[places], sides)


class _Tally(NamedTuple):
    """How many pairs each cell has on its two sides, and how many are alike."""

    cells: Ints
    more: Ints
    less: Ints
    even: int

    def auc(self) -> float:
        """``cells_auc`` with one more cell for the pairs that are alike."""
        return cells_auc(np.append(self.more, self.even / 2), np.append(self.less, self.even / 2))

    def trimmed(self, most: float) -> _Tally:
        """With no more than a share of ``most`` on one side of a cell."""
        if most >= 1:
            return self
        ratio = most / (1 - most) + 1e-9
        more = np.minimum(self.more, (self.less * ratio).astype(np.int64))
        less = np.minimum(self.less, (self.more * ratio).astype(np.int64))
        return self._replace(more=more, less=less)

    def size(self) -> int:
        """All pairs."""
        return int(self.more.sum() + self.less.sum()) + self.even


def _tally(cells: Ints, sides: Ints, members: Bools) -> _Tally:
    names, places = np.unique(cells[members], return_inverse=True)
    more = np.bincount(places, sides[members] > 0, len(names)).astype(np.int64)
    less = np.bincount(places, sides[members] < 0, len(names)).astype(np.int64)
    return _Tally(names, more, less, int(np.sum(sides[members] == 0)))


def _reachable(tally: _Tally, target: float, max_loss: float) -> float:
    """``target``, or the least AUC that costs at most ``max_loss`` of the pairs."""
    affordable = [one for one in map(tally.trimmed, _SHARES) if one.size() >= (1 - max_loss) * tally.size()]
    return max(target, affordable[-1].auc() + _SLACK)


def _leaning(cells: Ints, sides: Ints, inside: Bools, goal: float, alive: Bools) -> Bools:
    """The surplus on the fuller side of each cell, so that the cells together tell no more than ``goal``."""
    tally = _tally(cells, sides, alive & inside)
    # Always found: the last share leaves both sides of every cell even, an AUC of 0.5.
    trimmed = next(one for one in map(tally.trimmed, _SHARES) if one.auc() <= goal)
    # A kind for each side of a cell: odd where the chosen answer has more.
    allowed = {2 * int(name) + 1: int(count) for name, count in zip(tally.cells, trimmed.more, strict=True)}
    allowed |= {2 * int(name): int(count) for name, count in zip(tally.cells, trimmed.less, strict=True)}
    return _surplus(2 * cells + (sides > 0), alive & inside & (sides != 0), allowed)
