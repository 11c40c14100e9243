"""What the card says of splits and test sets: what was counted when the build checked itself."""

from __future__ import annotations

from collections.abc import Iterator

from pairwright.core.pages.cells import NOTHING, list_counts
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.result import BuildResult


def split_section(build: BuildResult) -> Iterator[str]:
    """Rows and dialogues of each split, and what does not cross from one to another."""
    proof = build.split_proof()
    rows = [(split, f"{proof.dialogues[split]:,}", f"{number:,}") for split, number in proof.rows.items()]
    yield from markdown_table([("split", "dialogues", "rows"), *rows])
    yield ""
    yield (
        "No dialogue and no cluster of duplicates crosses: every row was looked at, and none of the "
        f"{proof.links:,} pairs of dialogues that share a duplicate, exact or near, lies in two splits."
    )


def held_out_section(build: BuildResult) -> Iterator[str]:
    """The test sets that the rows were compared with, and what became of copies."""
    held_out = build.held_out()
    if not held_out:
        yield (
            "The rows were compared with no test set: the build file names none under `evaluations`. Do so before you "
            "report scores on a public one."
        )
        return
    rows = [(one.name, f"{one.rows:,}", f"{one.queries:,}", list_counts(one.matched) or NOTHING) for one in held_out]
    yield from markdown_table([("test set", "its rows", "queries here that copy one", "matched by"), *rows])
    yield ""
    if build.config.decontamination.action == "drop":
        yield f"Copies were dropped. Rows of the set that are flagged as one: {build.flagged():,}."
    else:
        yield f"Copies stay and are flagged: {build.flagged():,} rows of the set. It must not be published like this."
