"""Comparing several rewrites of one query as a distilabel step, usable in anybody's pipeline.

    step = CompareRewrites(comparison=Pairwise(endpoint="judge"), endpoints={"judge": endpoint}, ledger="paid.sqlite")
    step.load()
    rows = next(step.process([{"language": "en", "history": [...], "query": "...", "rewrites": ["...", "..."]}]))

Importing this module imports distilabel, which takes seconds.
"""

# No "from __future__ import annotations" here: distilabel looks for StepInput in the annotations themselves.

import json
from collections.abc import Iterator
from typing import Literal

from distilabel.steps import Step, StepInput

from pairwright.core.config.slots import ComparerComponent
from pairwright.core.errors import RequestFailed
from pairwright.judges.tournament import Ranking, find_best, rank_all
from pairwright.pipelines.distilabel_steps.endpoint_slots import EndpointSlots
from pairwright.pipelines.distilabel_steps.task_rows import SETTING, Record, case_of_row
from pairwright.pipelines.judging.candidate_judging import ordered_map


class CompareRewrites(EndpointSlots, Step):  # type: ignore[misc]
    """Find the best of several rewrites of each query, or rank them all, by comparing two at a time in both orders.

    Input columns:
        - language, history, query and the columns of a setting: see :class:`pairwright.pipelines.distilabel_steps.rewrite_steps.JudgeCandidates`.
        - rewrites (`List[str]`): the rewrites to compare, favourite first; those that are `None` do not take part.

    Output columns:
        - best_rewrite (`str`): the best one; `None` where there is none or a comparison failed.
        - ranking (`List[int]`): places in `rewrites`, the best first; only the best one with `precision: best`.
        - comparisons (`str`): JSON list of the comparisons, see ``pairwright.core.records.Comparison``.
        - compare_error (`str`): empty, or why there is no verdict.

    Attributes:
        comparison: a component such as ``pairwright.judges.llm.pairwise.Pairwise``.
        endpoints, ledger, limits: see :class:`~pairwright.pipelines.distilabel_steps.endpoint_slots.EndpointSlots`.
        precision: `best` compares each rewrite with the leader (N - 1 comparisons), `all` each with each.

    Raises:
        ValidationError: ``comparison`` cannot compare.
        JudgeError: from ``load``: an endpoint was not given.
        BudgetReached, ModelError: from ``process``.
    """

    comparison: ComparerComponent
    precision: Literal["best", "all"] = "best"

    @property
    def inputs(self) -> dict[str, bool]:
        """The columns read, and whether each is required."""
        required = dict.fromkeys(("language", "history", "query", "rewrites"), True)
        return {**required, **dict.fromkeys(SETTING, False)}

    @property
    def outputs(self) -> list[str]:
        """The columns written."""
        return ["best_rewrite", "ranking", "comparisons", "compare_error"]

    def process(self, inputs: StepInput) -> Iterator[list[Record]]:
        """Yield one row per input, in order."""
        access = self.access()
        yield list(ordered_map(self._compared, inputs, access.width, access.runner))

    async def _compared(self, row: Record) -> Record:
        places = [place for place, text in enumerate(row["rewrites"]) if text is not None]
        try:
            ranking = await self._ranking(row, [row["rewrites"][place] for place in places])
        except RequestFailed as exc:
            error = f"{exc.kind}: {exc}"
            return {**row, "best_rewrite": None, "ranking": [], "comparisons": "[]", "compare_error": error}
        order = [places[place] for place in ranking.order]
        said = [bout.verdict.model_dump(mode="json") for bout in ranking.bouts]
        return {
            **row,
            "best_rewrite": row["rewrites"][order[0]] if order else None,
            "ranking": order,
            "comparisons": json.dumps(said, ensure_ascii=False),
            "compare_error": "",
        }

    async def _ranking(self, row: Record, texts: list[str]) -> Ranking:
        if not texts:
            return Ranking((), ())
        case, ask = case_of_row(row), self.access().ask
        if self.precision == "all":
            return await rank_all(self.comparison, case, texts, ask)
        winner, bouts = await find_best(self.comparison, case, texts, ask)
        return Ranking((winner,), bouts)
