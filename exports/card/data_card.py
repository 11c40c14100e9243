"""The data card: a ``README.md`` for people and for the Hub, with everything one must know before training on the set."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import Field

from pairwright.core.bookkeeping import StageCount
from pairwright.core.components import Component, Configured
from pairwright.core.config.sections import Section
from pairwright.core.errors import ExportError
from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.cells import list_counts
from pairwright.core.pages.markdown import block, inline, markdown_table
from pairwright.core.pages.printable import one_line
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import WRITTEN, PreferencePair
from pairwright.core.result import BuildResult, ReportSection
from pairwright.exports.card.answer_sections import told
from pairwright.exports.card.kinds import CARD_KINDS
from pairwright.exports.card.row_facts import Facts, facts_of
from pairwright.exports.card.training_section import Found, training_section
from pairwright.exports.card.use_sections import citation_section, personal_data_section
from pairwright.exports.publishing.licences import combined
from pairwright.exports.publishing.public_build_file import public_settings, without_homes

_FILE = re.compile(r"_(?P<kind>sft|dpo|kto)_(?P<split>train|validation|test)\.(?:jsonl|json|parquet)")
_FORMS = ("parquet", "trl", "llamafactory", "openai")  # the first that is there is what the Hub loads


class CardExporter(Component):
    """``FOLDER/README.md``: write it last, it lists the files of the exports before it."""

    name: ClassVar[str] = "card"

    title: str | None = Field(None, description="Heading of the card; default: the build's name.")
    notes: Mapping[str, str] = Field(
        default_factory=dict,
        description="By source name: what a reader must know about it, such as who wrote the rewrites.",
    )
    examples: int = Field(6, ge=0, description="Pairs to show, each of another defect or language.")
    citation: str | None = Field(None, description="How to cite the data set; default: its title, build and sources.")

    def export(self, build: BuildResult, folder: Path) -> Sequence[Path]:
        """Write the card and return its path.

        Raises:
            ExportError: ``notes`` names a source that the rows do not come from.
            StorageError: the file cannot be written.
        """
        facts = facts_of(build, self.examples)
        known = {source for source, _, _ in facts.sources}
        if unknown := sorted(set(self.notes) - known):
            raise ExportError(
                f"card: notes for {', '.join(unknown)}, but rows come from {', '.join(sorted(known))}",
                "Use the sources' names.",
            )
        path = folder / "README.md"
        with atomic_writer(path) as file:
            file.write("\n".join(self._lines(build, facts, folder)) + "\n")
        return [path]

    def _lines(self, build: BuildResult, facts: Facts, folder: Path) -> Iterator[str]:
        found = _found(folder, build.config.name)
        title = self.title or build.config.name
        kind = CARD_KINDS[build.config.task]
        yield from (
            "---",
            yaml.safe_dump(
                _metadata(one_line(title), kind.tags(facts), facts, found), allow_unicode=True, sort_keys=False
            ).rstrip(),
            "---",
        )
        yield from ("", f"# {inline(title)}", "", *kind.summary(build, facts))
        yield from ("", "## Sources and licences", "", *self._sources(facts))
        yield from ("", "## How it was made", "", *_method(build, facts))
        yield from (
            "",
            "## Funnel",
            "",
            "Rows in = kept + dropped + failed, at every stage.",
            "",
            *_funnel(build.counts),
        )
        yield from ("", "## What is in it", "", *_contents(facts))
        personal = ReportSection("Personal data", tuple(personal_data_section(build)), 30)
        parts = [personal, *(section for stage in build.tellers for section in stage.card(build))]
        for section in sorted(parts, key=lambda one: one.place):
            yield from ("", f"## {section.title}", "", *section.lines)
        yield from ("", "## Examples", "", *kind.examples(facts), *_examples(facts.shown.values()))
        yield from ("", "## Known limits", "", *_limits(build, facts))
        yield from kind.limits_of_files(build, folder)
        yield from ("", "## How to train on it", "", *training_section(build, found, folder))
        sources = sorted({source for source, _, _ in facts.sources})
        yield from ("", "## Citation", "", "Cite the sources as their licences ask, and the set as:", "")
        yield from citation_section(build, title, self.citation and without_homes(self.citation), sources)

    def _sources(self, facts: Facts) -> Iterator[str]:
        counted: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for (source, licence, kind), number in sorted(facts.sources.items()):
            counted[source, licence][kind] = number
        rows = [
            (
                source,
                licence,
                numbers.get("answers", 0),
                numbers.get("pairs", 0),
                without_homes(self.notes.get(source, "")),
            )
            for (source, licence), numbers in counted.items()
        ]
        yield from markdown_table([("source", "licence", "answers", "pairs", "note"), *rows])
        yield from (
            "",
            "Each row keeps the licence of its source: every column `licence` (Parquet) or `origin` (JSONL) names it.",
        )
        together = combined({source: licence for source, licence, _ in facts.sources})
        yield from ("", "For the set as a whole that means:", "", *(f"- {inline(term)}" for term in together.terms()))
        if together.problems:
            yield from ("", "**These licences exclude each other; the set must not be passed on as it is:**", "")
            yield from (f"- {inline(problem)}" for problem in together.problems)


def _metadata(title: str, tags: Sequence[str], facts: Facts, found: Found) -> dict[str, Any]:
    # The Hub reads all configs of a repository with one loader, so they all have one form.
    shown = next((found[form] for form in _FORMS if form in found), {})
    configs: list[dict[str, Any]] = [
        {"config_name": kind, "data_files": [{"split": split, "path": path} for split, path in files.items()]}
        for kind, files in shown.items()
    ]
    if configs:
        configs[0]["default"] = True
    return {
        "pretty_name": title,
        "language": facts.languages,
        "license": facts.hub_licences(),
        "task_categories": ["text-generation"],
        "size_categories": [facts.size()],
        "tags": [*tags, "conversational", "preference", "dpo", "sft", "distilabel", "pairwright"],
        "configs": configs,
    }


def _found(folder: Path, name: str) -> Found:
    """The data files below ``folder``, as ``{form: {kind: {split: path}}}``."""
    found: Found = {}
    for form in _FORMS:
        for path in sorted((folder / form).glob(f"{name}_*")):
            match = _FILE.fullmatch(path.name.removeprefix(name))
            if match:
                found.setdefault(form, {}).setdefault(match["kind"], {})[match["split"]] = f"{form}/{path.name}"
    return found


def _method(build: BuildResult, facts: Facts) -> Iterator[str]:
    config = build.config
    yield from CARD_KINDS[config.task].method(build)
    yield ""
    if facts.models:
        rows = [(use, model, temperature, number) for (use, model, temperature), number in sorted(facts.models.items())]
        yield from (*markdown_table([("text", "model", "temperature", "rows"), *rows]), "")
    else:
        yield from (
            "No text of this set was sampled from a model in this build: answers are those of the sources, worse ones were made by rules.",
            "",
        )
    yield from markdown_table([("prompt", "hash of its text"), *sorted(build.prompt_hashes.items())])
    yield from (
        "",
        "Judges (all must pass an answer before it can be chosen), perturbers (what makes the worse answers) and thresholds:",
        "",
    )
    config_parts: dict[str, Sequence[Configured] | Section] = {
        "judges": config.judges,
        "perturbers": config.perturbers,
        "dedup": config.dedup,
        "pairing": config.pairing,
        "split": config.split,
    }
    foreign = KINDS[config.task].foreign_rules
    yield from block([(name, _settings(part, foreign)) for name, part in config_parts.items()], longest=4000)


def _settings(part: Sequence[Configured] | Section, foreign: frozenset[str]) -> str:
    """A part of the build file without the keys that have no meaning in this build."""
    content = (
        part.model_dump(mode="json", exclude=set(foreign))
        if isinstance(part, Section)
        else [one.model_dump(mode="json") for one in part]
    )
    return json.dumps(public_settings(content), ensure_ascii=False)


def _funnel(counts: Iterable[StageCount]) -> list[str]:
    def reasons(numbers: Mapping[str, int]) -> str:
        return list_counts(dict(sorted(numbers.items()))) or "0"

    rows = [
        (one.stage, one.unit, f"{one.rows_in:,}", f"{one.kept:,}", reasons(one.dropped), reasons(one.failed))
        for one in counts
    ]
    return markdown_table([("stage", "counts", "in", "kept", "dropped", "failed"), *rows])


def _contents(facts: Facts) -> Iterator[str]:
    parts = [(*key, f"{number:,}") for key, number in sorted(facts.splits.items())]
    yield from (
        *markdown_table([("language", "split", "kind", "rows"), *parts]),
        "",
        "Where the answers to imitate come from:",
        "",
    )
    origins = [(*key, number) for key, number in sorted(facts.origins.items())]
    yield from markdown_table([("language", "origin", "answers"), *origins])
    yield from ("", "What is wrong with the rejected answers:", "")
    wrong = [(*key, f"{number:,}", f"{number / facts.pairs:.1%}") for key, number in sorted(facts.defects.items())]
    yield from markdown_table([("defect", "made by", "language", "pairs", "share"), *wrong])


def _examples(pairs: Iterable[PreferencePair]) -> Iterator[str]:
    for pair in pairs:
        yield from (
            f"{inline(pair.rejected.defect)}, made by {inline(pair.rejected.rejected_by)}, from {inline(pair.task.origin.source)}:",
            "",
        )
        answers = [("chosen", pair.chosen.text), ("rejected", pair.rejected.text)]
        yield from (*block([*told(pair.task), *answers], longest=300), "")


def _limits(build: BuildResult, facts: Facts) -> Iterator[str]:
    made = sum(number for (_, rejected_by, _), number in facts.defects.items() if rejected_by not in WRITTEN)
    if facts.pairs:
        yield f"- {made / facts.pairs:.0%} of the rejected answers were made by rules, not sampled from a model: a student may learn to spot the rule. Compare it with one that was trained on the answers alone."
    if not any(judge.paid for judge in build.config.judges) and build.config.improve is None:
        yield "- Only rules judged the answers: they find what they look for and nothing else."
    yield "- Token counts are estimates for a Qwen-like tokenizer."
    yield from CARD_KINDS[build.config.task].limits_of_texts()
    for origin in sorted({"teacher", "improved"} & {use for use, _, _ in facts.models}):
        yield f"- Answers of origin `{origin}` were written by a model; its terms of use may limit what they can be used for."
