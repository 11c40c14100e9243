"""Train, validation and test: whole dialogues, and whole clusters of duplicates, never cut in two."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

from pairwright.core.config import SplitConfig
from pairwright.core.errors import BuildError
from pairwright.core.records import Language, Row, Split
from pairwright.pipelines.unions import Unions


class InDialogue(Protocol):
    """What a row needs to be assigned: a ``RewriteTask`` has it."""

    @property
    def dialogue(self) -> str: ...
    @property
    def language(self) -> Language: ...
    @property
    def domain(self) -> str | None: ...


class SplitProof(Row):
    """What :func:`verify` counted: rows and dialogues of each split, and how many duplicate pairs it looked at."""

    rows: Mapping[str, int]
    dialogues: Mapping[str, int]
    links: int


def assign(
    tasks: Iterable[InDialogue], config: SplitConfig, seed: int, links: Iterable[tuple[str, str]] = ()
) -> dict[str, Split]:
    """``{dialogue: split}`` for all dialogues of ``tasks``; ``links`` are pairs of dialogues that share a duplicate.

    Linked dialogues form one group, and a group is never cut. Within each language and domain the groups are ranked by
    a hash of (seed, dialogue), and the first of them fill test, the next ones validation, up to their shares of the
    dialogues. The result depends neither on the order of the rows nor on how many rows a dialogue has. With three
    groups or more, no split whose share is above zero stays empty.
    """
    stratum: dict[str, tuple[str, str]] = {}
    for task in tasks:
        found = (task.language, task.domain or "")
        stratum[task.dialogue] = min(stratum.get(task.dialogue, found), found)
    groups = _groups(stratum, links)
    strata: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    for group in sorted(groups, key=lambda group: _rank(seed, group[0])):
        strata[min(stratum[dialogue] for dialogue in group)].append(group)
    splits: dict[str, Split] = dict.fromkeys(stratum, "train")
    shares: list[tuple[Split, float]] = [("test", config.test), ("validation", config.validation)]
    for split, share in shares:
        wanted = _wanted(share, len(stratum), len(groups))
        for group in _taken(strata, wanted):
            splits.update(dict.fromkeys(group, split))
    return splits


def verify(rows: Iterable[tuple[InDialogue, Split]], links: Iterable[tuple[str, str]] = ()) -> SplitProof:
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
    unions = Unions(len(names))
    for left, right in links:
        if left in number and right in number:
            unions.join(number[left], number[right])
    groups: dict[int, list[str]] = defaultdict(list)
    for name in names:
        groups[unions.root(number[name])].append(name)
    return list(groups.values())


def _rank(seed: int, dialogue: str) -> bytes:
    return hashlib.sha256(f"{seed}\x1fsplit\x1f{dialogue}".encode()).digest()


def _wanted(share: float, dialogues: int, groups: int) -> int:
    """Dialogues that a split should get: rounded, but not none where there is enough to share."""
    return max(round(share * dialogues), 1 if share > 0 and groups >= 3 else 0)


def _taken(strata: dict[tuple[str, str], list[list[str]]], wanted: int) -> list[list[str]]:
    """Take groups out of ``strata``, from each in proportion to its size, until they hold ``wanted`` dialogues."""
    sizes = {name: sum(map(len, groups)) for name, groups in strata.items()}
    exact = {name: wanted * size / max(sum(sizes.values()), 1) for name, size in sizes.items()}
    quotas = {name: int(amount) for name, amount in exact.items()}
    # The stable sort leaves equal remainders in the order of the strata, which is the order of the hashes.
    for name in sorted(exact, key=lambda name: quotas[name] - exact[name])[: wanted - sum(quotas.values())]:
        quotas[name] += 1
    taken = [group for name in strata for group in _take(strata, name, quotas[name])]
    if wanted and not taken:
        smallest = min(strata, key=lambda name: min(map(len, strata[name]), default=wanted + len(sizes)))
        taken = _take(strata, smallest, min(map(len, strata[smallest]), default=0))[:1]
    return taken


def _take(strata: dict[tuple[str, str], list[list[str]]], name: tuple[str, str], quota: int) -> list[list[str]]:
    """Remove the first groups that fit into ``quota`` dialogues; a group larger than what is left is passed over."""
    taken, left = [], []
    for group in strata[name]:
        if len(group) <= quota:
            quota -= len(group)
            taken.append(group)
        else:
            left.append(group)
    strata[name] = left
    return taken
