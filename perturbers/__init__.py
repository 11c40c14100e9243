"""Perturbers: each makes a good rewrite or a good answer worse in one named way, and proves it."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.components import Component
from pairwright.perturbers.answer_instead import AnswerInstead
from pairwright.perturbers.broken_json import BrokenJson
from pairwright.perturbers.brush_off import BrushOff
from pairwright.perturbers.cot_faults import CotFaults
from pairwright.perturbers.dragging_repetition import DraggingRepetition
from pairwright.perturbers.entity_deletion import EntityDeletion
from pairwright.perturbers.intent_change import IntentChange
from pairwright.perturbers.invented_entity import InventedEntity
from pairwright.perturbers.leaked_example import LeakedExample
from pairwright.perturbers.made_ambiguous import MadeAmbiguous
from pairwright.perturbers.missed_safety_note import MissedSafetyNote
from pairwright.perturbers.missing_clarification import MissingClarification
from pairwright.perturbers.over_edit import OverEdit
from pairwright.perturbers.redundancy import Redundancy
from pairwright.perturbers.skipped_step import SkippedStep
from pairwright.perturbers.style import Style
from pairwright.perturbers.topic_drift import TopicDrift
from pairwright.perturbers.truncation import Truncation
from pairwright.perturbers.unchanged_copy import UnchangedCopy
from pairwright.perturbers.unsupported_claim import UnsupportedClaim
from pairwright.perturbers.wrong_antecedent import WrongAntecedent
from pairwright.perturbers.wrong_slot import WrongSlot
from pairwright.perturbers.wrong_tool_argument import WrongToolArgument

PERTURBERS: Mapping[str, type[Component]] = {
    perturber.name: perturber
    for perturber in (
        EntityDeletion,
        MadeAmbiguous,
        LeakedExample,
        UnchangedCopy,
        OverEdit,
        WrongAntecedent,
        Truncation,
        InventedEntity,
        AnswerInstead,
        TopicDrift,
        Redundancy,
        Style,
        IntentChange,
        CotFaults,
        BrushOff,
        UnsupportedClaim,
        MissingClarification,
        MissedSafetyNote,
        DraggingRepetition,
        SkippedStep,
        BrokenJson,
        WrongToolArgument,
        WrongSlot,
    )
}
