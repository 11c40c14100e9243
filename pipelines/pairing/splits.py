"""Train, validation and test: whole dialogues, and whole clusters of duplicates, never cut in two."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pairwright.core.config.sections import SplitConfig
from pairwright.core.errors import BuildError
from pairwright.core.records import Language, PreferencePair, Split
from pairwright.core.result import SplitProof
from pairwright.pipelines.similarity.disjoint_set import DisjointSet


class InDialogue(Protocol):
    """What a row needs to be assigned: a ``Task`` has it."""

    @property
    def dialogue(self) -> str: ...
    @property
    def language(self) -> Language: ...
    @property
    def domain(self) -> str | None: ...


def assign_splits(
    tasks: Iterable[InDialogue],
    config: SplitConfig,
    seed: int,
    links: Iterable[tuple[str, str]] = (),
    labels: Mapping[str, str] | None = None,
) -> dict[str, Split]:
    """``{dialogue: split}`` for all dialogues of ``tasks``; ``links`` are pairs of dialogues that share a duplicate.

    Linked dialogues form one group, and a group is never cut. The groups lie side by side by language, domain and label
    (what else a split should have its share of, by dialogue), in an order drawn by seed; test takes every n-th of them,
    then validation every n-th of the rest, up to their shares of the dialogues: systematic sampling, which gives every
    stratum its share within one group (Cochran, Sampling Techniques, 1977, chapter 8). The result depends neither on the
    order of the rows nor on how many rows a dialogue has. With three groups or more, no split whose share is above zero
    stays empty.
    """
    stratum: dict[str, tuple[str, str]] = {}
    for task in tasks:
        found = (task.language, task.domain or "")
        # The domains of one dialogue's rows may differ: the least one counts, whatever the order of the rows.
        stratum[task.dialogue] = min(stratum.get(task.dialogue, found), found)
    groups = _groups(stratum, links)
    strata = {name: (language, domain, (labels or {}).get(name, "")) for name, (language, domain) in stratum.items()}
    left = sorted(groups, key=lambda group: _rank(seed, min(strata[name] for name in group), group[0]))
    splits: dict[str, Split] = dict.fromkeys(stratum, "train")
    shares: list[tuple[Split, float]] = [("test", config.test), ("validation", config.validation)]
    for split, share in shares:
        wanted = _wanted(share, len(stratum), len(groups))
        for group in _taken(left, wanted, _digest(seed, split)):
            splits.update(dict.fromkeys(group, split))
        left = [group for group in left if splits[group[0]] == "train"]
    return splits


def defect_labels(pairs: Iterable[PreferencePair]) -> dict[str, str]:
    """For each dialogue the defect of its pairs that is rarest over all of them: what splits should have their share of."""
    numbers: Counter[str] = Counter()
    defects: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        numbers[pair.rejected.defect] += 1
        defects[pair.task.dialogue].add(pair.rejected.defect)
    return {name: min(found, key=lambda defect: (numbers[defect], defect)) for name, found in defects.items()}


def verify_splits(rows: Iterable[tuple[InDialogue, Split]], links: Iterable[tuple[str, str]] = ()) -> SplitProof:
    """Count the rows of each split, and check that no dialogue and no pair of ``links`` is in two of them.

    Raises:
        BuildError: one is; it names the dialogue.
    """
    counts: Counter[str] = Counter()
    splits: dict[str, Split] = {}
    for row, split in rows:
        counts[split] += 1
        if splits.setdefault(row.dialogue, split) != split:
            raise BuildError(
                f"dialogue {row.dialogue!r} is in {splits[row.dialogue]} and in {split}",
                "This is a bug: please report it.",
            )
    checked = 0
    for left, right in links:
        checked += 1
        if left in splits and right in splits and splits[left] != splits[right]:
            raise BuildError(
                f"dialogues {left!r} and {right!r} share a duplicate but not a split",
                "This is a bug: please report it.",
            )
    return SplitProof(
        rows=dict(sorted(counts.items())), dialogues=dict(sorted(Counter(splits.values()).items())), links=checked
    )


def _groups(dialogues: Iterable[str], links: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The dialogues in groups that must stay together, each sorted, in the order of their first members."""
    names = sorted(dialogues)
    number = {name: position for position, name in enumerate(names)}
    joined = DisjointSet()
    for left, right in links:
        if left in number and right in number:
            joined.join(number[left], number[right])
    groups: dict[int, list[str]] = defaultdict(list)
    for name in names:
        groups[joined.root(number[name])].append(name)
    return list(groups.values())


def _digest(seed: int, *names: str) -> bytes:
    return hashlib.sha256("\x1f".join([str(seed), "split", *names]).encode()).digest()


def _rank(seed: int, stratum: tuple[str, str, str], dialogue: str) -> tuple[bytes, ...]:
    """Places strata in an order drawn by seed: first languages, then their domains, then labels, then dialogues."""
    return (*(_digest(seed, *stratum[: depth + 1]) for depth in range(3)), _digest(seed, dialogue))


def _wanted(share: float, dialogues: int, groups: int) -> int:
    """Dialogues that a split should get: rounded, but not none where there is enough to share."""
    return max(round(share * dialogues), 1 if share > 0 and groups >= 3 else 0)


def _taken(groups: Sequence[list[str]], wanted: int, start: bytes) -> list[list[str]]:
    """Every n-th of ``groups``, then their neighbours, until they hold ``wanted`` dialogues.

    A group larger than what is left is passed over; where all are larger than ``wanted``, the smallest one is taken.
    """
    if not wanted or not groups:
        return []
    step = max(sum(map(len, groups)) / wanted, 1.0)
    offset = int.from_bytes(start[:8]) % len(groups)
    # The first of every step from the offset on, then the second of every step, and so on.
    order = sorted(range(len(groups)), key=lambda place: (int((place - offset) % len(groups) % step), place))
    taken, left = [], wanted
    for group in (groups[place] for place in order):
        if len(group) <= left:
            left -= len(group)
            taken.append(group)
    return taken or [min(groups, key=len)]
