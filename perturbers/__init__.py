"""Perturbers: each makes a good rewrite worse in one named way, and proves it."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.components import Component
from pairwright.perturbers.entity_deletion import EntityDeletion
from pairwright.perturbers.leaked_example import LeakedExample
from pairwright.perturbers.made_ambiguous import MadeAmbiguous

PERTURBERS: Mapping[str, type[Component]] = {
    perturber.name: perturber for perturber in (EntityDeletion, MadeAmbiguous, LeakedExample)
}
