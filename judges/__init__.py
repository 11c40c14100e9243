"""Judges: each says what is wrong with a candidate, or which of two texts is better. One per file.

``JUDGES`` judge single candidates, ``COMPARERS`` compare two texts.
"""

from __future__ import annotations

from pairwright.core.components import Component
from pairwright.judges.answer_instead import AnswerInstead
from pairwright.judges.brush_off import BrushOff
from pairwright.judges.contradiction import Contradiction
from pairwright.judges.example_leak import ExampleLeak
from pairwright.judges.fine import Fine
from pairwright.judges.improve_or_reject import ImproveOrReject
from pairwright.judges.invented_entity import InventedEntity
from pairwright.judges.language_mismatch import LanguageMismatch
from pairwright.judges.leftover_reference import LeftoverReference
from pairwright.judges.length_ratio import LengthRatio
from pairwright.judges.missing_key_entity import MissingKeyEntity
from pairwright.judges.over_edited import OverEdited
from pairwright.judges.pairwise import Pairwise
from pairwright.judges.pairwise_panel import PairwisePanel
from pairwright.judges.panel import Panel
from pairwright.judges.repeated_answer import RepeatedAnswer
from pairwright.judges.rubric import Rubric
from pairwright.judges.unchanged import Unchanged
from pairwright.judges.valid_tool_call import ValidToolCall

JUDGES: dict[str, type[Component]] = {
    judge.name: judge
    for judge in (
        LeftoverReference,
        MissingKeyEntity,
        InventedEntity,
        ExampleLeak,
        Contradiction,
        Unchanged,
        OverEdited,
        LengthRatio,
        AnswerInstead,
        LanguageMismatch,
        BrushOff,
        RepeatedAnswer,
        ValidToolCall,
        Rubric,
        Panel,
    )
}
COMPARERS: dict[str, type[Component]] = {comparer.name: comparer for comparer in (Pairwise, PairwisePanel)}
IMPROVERS: dict[str, type[Component]] = {improver.name: improver for improver in (Fine, ImproveOrReject)}
