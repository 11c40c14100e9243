"""What a card says of a set whose student learns to rewrite queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pairwright.core.result import BuildResult
from pairwright.exports.card.row_facts import Facts
from pairwright.exports.card.use_sections import asking


class RewriteCard:
    """See :class:`~pairwright.exports.card.kinds.CardKind`."""

    def tags(self, facts: Facts) -> tuple[str, ...]:  # noqa: ARG002
        """What the Hub's search finds the set by."""
        return ("query-rewriting",)

    def summary(self, build: BuildResult, facts: Facts) -> Iterator[str]:
        """What the rows are, and how many of them."""
        languages = " and ".join({"en": "English", "zh": "Chinese"}[language] for language in facts.languages)
        yield (
            f"Data for contextual query rewriting: a dialogue and a query that depends on it become one query that stands alone. "
            f"{facts.sft:,} answers to imitate (SFT) and {facts.pairs:,} preference pairs in {languages or 'no language'}."
        )
        yield from ("", f"Build `{build.build_id}`, seed {build.config.seed}, made with pairwright and distilabel.")
        share = facts.unchanged / facts.sft if facts.sft else 0
        yield from ("", f"{share:.0%} of the answers repeat the query unchanged, because it already stands alone.")

    def method(self, build: BuildResult) -> Iterator[str]:
        """What a row's prompt holds."""
        yield f"Context: the last {build.config.context.turns} user turns with the answers between them, at most {build.config.context.max_tokens} estimated tokens."
        yield f"Target style: {build.config.prompt.style}. Few-shot examples in the prompt: {'yes' if build.config.prompt.examples else 'no'}. Analysis before the rewrite: {'yes' if build.config.prompt.analysis else 'no'}."

    def examples(self, facts: Facts) -> Iterator[str]:  # noqa: ARG002
        """None: a pair shows the query and both rewrites."""
        yield from ()

    def limits_of_texts(self) -> Iterator[str]:
        """What nobody checked in the texts."""
        yield "- Dialogues may hold whatever people typed; nothing was checked for truth, and a rewrite of a false question is still false."

    def limits_of_files(self, build: BuildResult, folder: Path) -> Iterator[str]:  # noqa: ARG002
        """What is in every one of the files."""
        if build.config.prompt.examples:
            yield "- The prompts contain few-shot examples. Serve the student with the same prompt, or build again with `prompt.examples: false`."

    def asking(self, path: str, trained: str) -> Iterator[str]:
        """A few lines of Python: the prompt of a row is all that the student needs."""
        yield from ("", asking(path, trained))
