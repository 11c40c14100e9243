"""What the report says of the judges that ask a model."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.config.model_families import family_warnings
from pairwright.core.pages.markdown import inline, markdown_table
from pairwright.core.result import BuildResult
from pairwright.pipelines.reporting.judging_tables import agreement_table, cost_table, judge_table, verdict_table


def judging_lines(result: BuildResult) -> Iterator[str]:
    """What the judges that ask a model said and took; nothing where there are none."""
    uses = result.judging()
    if not uses:
        return
    yield from (f"{inline(warning)}\n" for warning in family_warnings(result.config))
    if result.config.comparison is not None:
        yield from markdown_table(verdict_table(result.comparisons()))
        yield from ("", "Bias: +1 names the first text whatever stands there, 0 looks at the texts alone.", "")
        yield from markdown_table(judge_table(result.comparisons()))
        yield ""
    agreement = agreement_table(result)
    if len(agreement) > 1:
        yield from (
            "How far the members of a panel agree, over what all of them saw:",
            "",
            *markdown_table(agreement),
            "",
        )
    accepted = sum(row.accepted for row in result.judged())
    pairs = sum(1 for _ in result.pairs())
    yield from (
        "What they took, answers from earlier runs included, and what it would be without the cascade: every judge for",
        "every candidate that could be chosen, every variant compared, nobody stopping early, at the tokens that a request",
        "took here.",
        "",
    )
    yield from markdown_table(cost_table(uses, accepted, pairs))
