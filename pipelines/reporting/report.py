"""The report of a build: the funnel, what the pairs teach, and where to look for any row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from pairwright.core.audit_result import Audit
from pairwright.core.bookkeeping import StageCount
from pairwright.core.config.model_families import family_warnings
from pairwright.core.records import SftRow
from pairwright.core.result import SPARSE_REGIONS, BuildResult, Diversity, HeldOutSet
from pairwright.core.storage import atomic_writer
from pairwright.core.tool_calls import calls_of
from pairwright.exports.calibration_section import calibration_section
from pairwright.pipelines.reporting.gate_tables import confusion_table, ways_table
from pairwright.pipelines.reporting.improvement_tables import improvement_tables
from pairwright.pipelines.reporting.judging_tables import agreement_table, cost_table, judge_table, verdict_table
from pairwright.pipelines.reporting.pair_tables import audit_table, balance_table, shortcut_table
from pairwright.pipelines.reporting.table import Table as Table
from pairwright.pipelines.reporting.table import markdown_table


def write_report(result: BuildResult, path: Path) -> None:
    """Write the Markdown report of a build: counts and names; of dialogue text at most n-grams of several dialogues."""
    with atomic_writer(path) as file:
        file.write("\n".join(_lines(result)) + "\n")


def funnel_table(counts: Iterable[StageCount]) -> Table:
    """Header and one row per stage: in, kept, dropped by reason, failed by error."""
    rows: list[Sequence[object]] = [("stage", "counts", "in", "kept", "dropped", "failed")]
    rows += [
        (count.stage, f"{count.unit}", count.rows_in, count.kept, _reasons(count.dropped), _reasons(count.failed))
        for count in counts
    ]
    return rows


def _reasons(numbers: object) -> str:
    assert isinstance(numbers, dict)
    total = sum(numbers.values())
    listed = ", ".join(f"{reason} {number}" for reason, number in sorted(numbers.items(), key=lambda item: -item[1]))
    return f"{total}: {listed}" if numbers else "0"


def _lines(result: BuildResult) -> Iterable[str]:
    yield from (f"# Build {result.config.name}", "", f"Build id `{result.build_id}`.", "")
    yield from ("## Funnel", "", "Rows in = kept + dropped + failed, at every stage.", "")
    yield from markdown_table(funnel_table(result.counts))
    yield from _gate_lines(result)
    if result.config.improve:
        yield from ("", "## Improvement", "", f"What `{result.config.improve.name}` did with each query's best answer:")
        for table in improvement_tables(result.improvements()):
            yield from ("", *markdown_table(table))
    yield from ("", "## Answers to imitate (SFT)", "")
    yield from markdown_table(_sft_table(result))
    yield from ("", "## Preference pairs", "")
    yield from markdown_table(_pair_table(result))
    yield from (
        "",
        "## Balance",
        "",
        "Shares of all pairs; length as the best rule over its cells would tell the sides.",
        "",
    )
    yield from markdown_table(balance_table(result))
    if diversity := result.diversity():
        yield from ("", "## Diversity", "", *_diversity_lines(diversity))
    if held_out := result.held_out():
        yield from ("", "## Test sets kept out", "", *_leak_lines(held_out, result.config.decontamination.action))
    yield from ("", "## Splits", "", *_split_lines(result))
    yield from _judging_lines(result)
    if measured := list(calibration_section(result)):
        yield from ("", "## Judges against gold", "", *measured)
    if audit := result.audit():
        yield from ("", "## Shortcut audit", "", *_audit_lines(audit))
    yield from ("", "## Prompts", "")
    yield from markdown_table([("prompt", "hash"), *sorted(result.prompt_hashes.items())])
    yield from (
        "",
        "`rows/dropped.jsonl` and `rows/failed.jsonl` hold every row that is not in the result, with its reason;",
        "`rows/pairs.jsonl` and `rows/sft.jsonl` hold where each row of the result came from.",
    )


def _diversity_lines(diversity: Diversity) -> Iterable[str]:
    sides = diversity.before, diversity.after
    names = {
        "rows": "rows",
        "distinct_1": "distinct unigrams",
        "distinct_2": "distinct bigrams",
        "mean_cosine": "mean cosine of two rows",
        "top_openings": "share of the ten most frequent openings",
    }
    figures = [side.model_dump() for side in sides]
    rows = [(told, *(side[name] for side in figures)) for name, told in names.items()]
    rows += [(f"rows: {name}", number, sides[1].domains.get(name, 0)) for name, number in sides[0].domains.items()]
    yield from markdown_table([("", "before", "after"), *rows])
    yield from (
        "",
        f"{diversity.sparse_regions} rows that stay stand far from all others. `rows/{SPARSE_REGIONS}` has their dialogues, for a build that",
        "asks a teacher for more of their kind.",
    )


def _leak_lines(held_out: Sequence[HeldOutSet], action: str) -> Iterable[str]:
    done = {"drop": "were dropped", "flag": "stay and are flagged: `pairwright publish` refuses them"}[action]
    yield from (f"Queries that copy a row of a test set, or would teach a passage of one, {done}.", "")
    yield from markdown_table(
        [
            ("test set", "rows", "queries that copy it", "matched by"),
            *((one.name, one.rows, one.queries, _reasons(one.matched)) for one in held_out),
        ]
    )


def _split_lines(result: BuildResult) -> Iterable[str]:
    proof = result.split_proof()
    yield from (
        "Every row was looked at: no dialogue is in two splits, and none of the "
        f"{proof.links} pairs of dialogues that share a duplicate, exact or near, lies in two splits.",
        "",
    )
    pairs: Counter[tuple[str, str]] = Counter((pair.split, pair.rejected.defect) for pair in result.pairs())
    splits = list(proof.rows)
    yield from markdown_table([("", *splits), ("dialogues", *proof.dialogues.values()), ("rows", *proof.rows.values())])
    yield from ("", "Pairs by defect, as shares of their split:", "")
    totals = Counter({split: sum(n for (one, _), n in pairs.items() if one == split) for split in splits})
    defects = sorted({defect for _, defect in pairs})
    cells = ([f"{pairs[split, defect] / max(totals[split], 1):.1%}" for split in splits] for defect in defects)
    yield from markdown_table(
        [("defect", *splits), *((defect, *row) for defect, row in zip(defects, cells, strict=True))]
    )


def _gate_lines(result: BuildResult) -> Iterable[str]:
    if result.config.gate is None:
        return
    yield from ("", f"## Gate (`{result.config.gate.name}`)", "")
    yield from markdown_table(ways_table(result.gate()))
    confusion = confusion_table(result.gate())
    if len(confusion) > 1:
        yield from (
            "",
            'Where a human rewrite is known it decides, whatever the gate says. How the gate\'s "needs a rewrite" compares:',
            "",
        )
        yield from markdown_table(confusion)
    yield from ("", "`rows/gate.jsonl` has every decision with its reason.")


def _judging_lines(result: BuildResult) -> Iterable[str]:
    """What the judges that ask a model said and took; nothing where there are none."""
    uses = result.judging()
    if not uses:
        return
    yield from ("", "## Judges that ask a model", "", *(f"{warning}\n" for warning in family_warnings(result.config)))
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


def _audit_lines(audit: Audit) -> Iterable[str]:
    yield from (
        f"How well chosen is told from rejected without the dialogue, on {audit.audited} of {audit.pairs} pairs: area under",
        f"the ROC curve with 95 % intervals, {audit.folds} folds over dialogues. 0.5 is chance; what passes "
        f"{audit.max_auc:g} is flagged.",
        "",
    )
    yield from markdown_table(audit_table(audit))
    shortcuts = shortcut_table(audit)
    if len(shortcuts) > 1:
        yield from ("", "What is flagged as a shortcut, and which side has more of what:", "")
        yield from markdown_table(shortcuts)


def _sft_table(result: BuildResult) -> Table:
    numbers = Counter(
        (
            row.task.language,
            row.chosen.origin,
            _answer_kind(row),
            row.split,
        )
        for row in result.sft()
    )
    return [
        ("language", "origin", "answer", "split", "rows"),
        *((*key, number) for key, number in sorted(numbers.items())),
    ]


def _answer_kind(row: SftRow) -> str:
    if row.task.kind == "rewrite":
        return "unchanged" if row.chosen.text == row.task.query else "rewritten"
    return "calls tools" if calls_of(row.chosen.text) else "words after calls" if row.task.steps else "words"


def _pair_table(result: BuildResult) -> Table:
    numbers = Counter((pair.rejected.defect, pair.rejected.rejected_by, pair.task.language) for pair in result.pairs())
    total = sum(numbers.values())
    rows = [(*key, number, f"{number / total:.1%}") for key, number in sorted(numbers.items())]
    return [("defect", "made by", "language", "pairs", "share"), *rows]
