"""The report of a build: the funnel, what its stages have to tell, and where to look for any row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.result import BuildResult
from pairwright.pipelines.reporting.funnel import funnel_table


def write_report(result: BuildResult, path: Path) -> None:
    """Write the Markdown report of a build: counts and names; of dialogue text at most n-grams of several dialogues."""
    with atomic_writer(path) as file:
        file.write("\n".join(_lines(result)) + "\n")


def _lines(result: BuildResult) -> Iterator[str]:
    yield from (f"# Build {result.config.name}", "", f"Build id `{result.build_id}`.", "")
    yield from ("## Funnel", "", "Rows in = kept + dropped + failed, at every stage.", "")
    yield from markdown_table(funnel_table(result.counts))
    sections = (section for stage in result.tellers for section in stage.report(result))
    for section in sorted(sections, key=lambda one: one.place):
        yield from ("", f"## {section.title}", "", *section.lines)
    yield from ("", "## Prompts", "")
    yield from markdown_table([("prompt", "hash"), *sorted(result.prompt_hashes.items())])
    yield from (
        "",
        "`rows/dropped.jsonl` and `rows/failed.jsonl` hold every row that is not in the result, with its reason;",
        "`rows/pairs.jsonl` and `rows/sft.jsonl` hold where each row of the result came from.",
    )
