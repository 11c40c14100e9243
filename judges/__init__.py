"""Judges: each says what is wrong with a candidate, or which of two texts is better. One per file.

``JUDGES`` judge single candidates, ``COMPARERS`` compare two texts.
"""

from __future__ import annotations

from collections.abc import Mapping

from pairwright.core.components import Comparer, Improver, Judge
from pairwright.judges.llm.fine import Fine
from pairwright.judges.llm.improve_or_reject import ImproveOrReject
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.judges.llm.rubric import Rubric
from pairwright.judges.panels.pairwise_panel import PairwisePanel
from pairwright.judges.panels.panel import Panel
from pairwright.judges.rules.answer_instead import AnswerInstead
from pairwright.judges.rules.brush_off import BrushOff
from pairwright.judges.rules.contradiction import Contradiction
from pairwright.judges.rules.example_leak import ExampleLeak
from pairwright.judges.rules.invented_entity import InventedEntity
from pairwright.judges.rules.language_mismatch import LanguageMismatch
from pairwright.judges.rules.leftover_reference import LeftoverReference
from pairwright.judges.rules.length_ratio import LengthRatio
from pairwright.judges.rules.missing_key_entity import MissingKeyEntity
from pairwright.judges.rules.over_edited import OverEdited
from pairwright.judges.rules.repeated_answer import RepeatedAnswer
from pairwright.judges.rules.unchanged import Unchanged
from pairwright.judges.rules.valid_tool_call import ValidToolCall

_JUDGES: tuple[type[Judge], ...] = (
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
_COMPARERS: tuple[type[Comparer], ...] = (Pairwise, PairwisePanel)
_IMPROVERS: tuple[type[Improver], ...] = (Fine, ImproveOrReject)

JUDGES: Mapping[str, type[Judge]] = {judge.name: judge for judge in _JUDGES}
COMPARERS: Mapping[str, type[Comparer]] = {comparer.name: comparer for comparer in _COMPARERS}
IMPROVERS: Mapping[str, type[Improver]] = {improver.name: improver for improver in _IMPROVERS}
