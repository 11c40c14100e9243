"""Pairs as people look at them: the dialogue, the chosen text, the rejected one with its difference marked, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pairwright.core.pages.difference import marked_change
from pairwright.core.pages.shown import Part, Shown
from pairwright.core.records import PreferencePair, Task, Turn
from pairwright.core.requests import Message
from pairwright.core.tool_calls import calls_text


@dataclass(frozen=True, repr=False)
class ShownPairs(Shown):
    """Pairs to look at, each with its dialogue; nothing where no pair fits."""

    pairs: tuple[PreferencePair, ...]

    def parts(self) -> Iterator[Part]:
        """One table per pair."""
        for pair in self.pairs:
            title = f"{pair.rejected.defect} ({pair.rejected.rejected_by}), {pair.split}, {place_of(pair.task)}"
            yield Part(
                title,
                (("part", "text"), *dialogue_cells(pair.task), ("chosen", pair.chosen.text), *rejected_cells(pair)),
            )
        if not self.pairs:
            yield Part(lines=("no such pair",))


def dialogue_cells(task: Task) -> Iterator[tuple[str, str]]:
    """What was said, from the first turn of the window to the last step since the query."""
    yield from ((turn.role, words_of(turn)) for turn in task.history)
    yield "query", task.query
    yield from ((turn.role, words_of(turn)) for turn in task.steps)


def rejected_cells(pair: PreferencePair) -> Iterator[tuple[str, str]]:
    """The rejected text of a pair, with what differs marked, and what makes it worse."""
    yield f"rejected: {pair.rejected.defect}", marked_change(pair.chosen.text, pair.rejected.text)
    if pair.rejected.evidence:
        yield "because", pair.rejected.evidence


def place_of(task: Task) -> str:
    """Where a task comes from, in a few words."""
    origin = task.origin
    return f"{origin.file}:{origin.line}" if origin.line else f"{origin.source} {origin.key}"


def words_of(turn: Turn | Message) -> str:
    """A turn in words, its calls as JSON."""
    return calls_text(turn.calls) if turn.calls else turn.content
