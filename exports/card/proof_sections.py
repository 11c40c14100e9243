"""What the card says of splits and test sets: what was counted when the build checked itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pairwright.core.result import BuildResult
from pairwright.exports.markdown import table


def split_section(build: BuildResult) -> Iterator[str]:
    """Rows and dialogues of each split, and what does not cross from one to another."""
    proof = build.split_proof()
    yield from table(
        ("split", "dialogues", "rows"),
        [(split, f"{proof.dialogues[split]:,}", f"{rows:,}") for split, rows in proof.rows.items()],
    )
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
    yield from table(
        ("test set", "its rows", "queries here that copy one", "matched by"),
        [(one.name, f"{one.rows:,}", f"{one.queries:,}", _matched(one.matched)) for one in held_out],
    )
    yield ""
    if build.config.decontamination.action == "drop":
        yield f"Copies were dropped. Rows of the set that are flagged as one: {build.flagged():,}."
    else:
        yield f"Copies stay and are flagged: {build.flagged():,} rows of the set. It must not be published like this."


def _matched(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in numbers.items()) or "–"
