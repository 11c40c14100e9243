"""What the shortcut audit found: how well chosen can be told from rejected without the dialogue."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pairwright.core.identity import Row

Surface = Literal["length", "punctuation", "words"]
SURFACES: tuple[Surface, ...] = ("length", "punctuation", "words")


class Score(Row):
    """Area under the ROC curve of a cross-validated probe, with its 95 % interval; 0.5 is chance, 1 is a giveaway."""

    auc: float
    low: float
    high: float


class Telling(Row):
    """A feature that gives a side away: where ``side`` has more of it, in ``pairs`` (a share) of the pairs."""

    feature: str
    side: Literal["chosen", "rejected"]
    pairs: float


class Flag(Row):
    """A surface that tells too much; ``by_nature`` where the defect cannot but show there, else a ``shortcut``."""

    surface: Surface
    verdict: Literal["by_nature", "shortcut"]
    note: str


class AuditGroup(Row):
    """The probes of one group of pairs: all, those of one language, those of one defect and what made the worse texts.

    A score is absent where the group is too small to cross-validate. ``chosen_longer`` is a share of the pairs.
    """

    kind: Literal["all", "language", "defect"]
    name: str
    rejected_by: str = Field("", alias="maker")
    pairs: int
    dialogues: int
    chosen_longer: float
    scores: dict[Surface, Score]
    telling: tuple[Telling, ...] = ()
    flags: tuple[Flag, ...] = ()


class Audit(Row):
    """The audit of a build's pairs. ``audited`` of its ``pairs`` were drawn; ``max_auc`` is what was aimed at."""

    pairs: int
    audited: int
    folds: int
    max_auc: float
    groups: tuple[AuditGroup, ...]

    @property
    def overall(self) -> AuditGroup:
        """The group of all pairs."""
        return self.groups[0]
