"""Rewrites and pairs of them as the texts that a trainer reads; the counterpart of ``chat_rows.py``."""

from __future__ import annotations

from typing import NamedTuple

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.prompts.control_tokens import holds_control_token
from pairwright.core.prompts.rewriting import StudentPrompt, case_start, student_answer, student_prompt
from pairwright.core.records import PreferencePair, Split, Task
from pairwright.exports.rows.rendering import MARGIN, Budget, LeftOut, Rendered, Source, shared_tokens


class TrainingRow(NamedTuple):
    """One prompt with an answer and, for a pair, the answer to avoid.

    ``tokens`` is the counted or estimated length of the whole row. Only rows for KTO can have ``desirable=False``: then
    ``chosen`` is an answer to avoid.
    """

    split: Split
    system: str
    user: str
    chosen: str
    rejected: str | None
    tokens: int
    desirable: bool = True

    def to_avoid(self) -> TrainingRow:
        """Of a pair: the rejected side alone, as an answer to avoid."""
        assert self.rejected is not None
        return self._replace(chosen=self.rejected, rejected=None, desirable=False)


class RewriteRows:
    """Makes the rows of a build whose student learns to rewrite."""

    def render(self, source: Source, config: PromptConfig, budget: Budget) -> Rendered[TrainingRow] | LeftOut:
        """See :class:`~pairwright.exports.rows.rendering.RowRenderer`."""
        chosen = student_answer(source.chosen, config)
        rejected = student_answer(source.rejected, config) if isinstance(source, PreferencePair) else None
        if chosen is None or (isinstance(source, PreferencePair) and rejected is None):
            return LeftOut("no_analysis")
        sides = (chosen,) if rejected is None else (chosen, rejected)
        if problem := _problem(sides):
            return LeftOut(problem)
        fitted = _fitted(source.task, config, budget, max(map(budget.count, sides)))
        if fitted is None:
            return LeftOut("too_long")
        prompt, tokens, cut = fitted
        return Rendered(TrainingRow(source.split, prompt.system, prompt.user, chosen, rejected, tokens), cut)


def _problem(sides: tuple[str, ...]) -> str:
    if not all(side.strip() for side in sides):
        return "empty_answer"
    if any(map(holds_control_token, sides)):
        return "control_token"
    return "identical" if len(sides) == 2 and sides[0].strip() == sides[1].strip() else ""


def _fitted(task: Task, config: PromptConfig, budget: Budget, answer: int) -> tuple[StudentPrompt, int, bool] | None:
    """The prompt with as many of the newest turns as fit beside the answer, the row's tokens, whether turns went."""
    for start in range(len(task.history) + 1):
        shorter = task.model_copy(update={"history": task.history[start:]}) if start else task
        prompt = student_prompt(shorter, config)
        case = case_start(prompt, shorter, config)
        shared = shared_tokens(budget.count, prompt.system) + shared_tokens(budget.count, prompt.user[:case])
        tokens = shared + budget.count(prompt.user[case:]) + MARGIN + answer
        if tokens <= budget.max_tokens:
            return prompt, tokens, start > 0
    return None
