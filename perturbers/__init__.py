"""Perturbers: each makes a good rewrite or a good answer worse in one named way, and proves it."""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.components import Perturber
from pairwright.perturbers.answers.broken_json import BrokenJson
from pairwright.perturbers.answers.brush_off import BrushOff
from pairwright.perturbers.answers.dragging_repetition import DraggingRepetition
from pairwright.perturbers.answers.missed_safety_note import MissedSafetyNote
from pairwright.perturbers.answers.missing_clarification import MissingClarification
from pairwright.perturbers.answers.skipped_step import SkippedStep
from pairwright.perturbers.answers.unsupported_claim import UnsupportedClaim
from pairwright.perturbers.answers.wrong_slot import WrongSlot
from pairwright.perturbers.answers.wrong_tool_argument import WrongToolArgument
from pairwright.perturbers.rewrites.answer_instead import AnswerInstead
from pairwright.perturbers.rewrites.cot_faults import CotFaults
from pairwright.perturbers.rewrites.entity_deletion import EntityDeletion
from pairwright.perturbers.rewrites.intent_change import IntentChange
from pairwright.perturbers.rewrites.invented_entity import InventedEntity
from pairwright.perturbers.rewrites.leaked_example import LeakedExample
from pairwright.perturbers.rewrites.made_ambiguous import MadeAmbiguous
from pairwright.perturbers.rewrites.over_edit import OverEdit
from pairwright.perturbers.rewrites.redundancy import Redundancy
from pairwright.perturbers.rewrites.style import Style
from pairwright.perturbers.rewrites.topic_drift import TopicDrift
from pairwright.perturbers.rewrites.truncation import Truncation
from pairwright.perturbers.rewrites.unchanged_copy import UnchangedCopy
from pairwright.perturbers.rewrites.wrong_antecedent import WrongAntecedent

_PERTURBERS: tuple[type[Perturber], ...] = (
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

PERTURBERS: Mapping[str, type[Perturber]] = {perturber.name: perturber for perturber in _PERTURBERS}
