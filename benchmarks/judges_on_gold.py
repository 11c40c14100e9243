"""How often the deterministic judges fail human rewrites, and how many made defects they catch.

    python benchmarks/judges_on_gold.py [DATA_DIR...] [--limit 600] [--show JUDGE]

Reads the sets of ``examples_data.py`` that it finds in the folders, without a folder those of ``examples/data``. Every judge
sees every row twice: *blind*, as in a build whose source has no human rewrites, and *known*, with the human rewrite as the task's reference: the human rewrites are then compared with themselves, so they are judged a
second time, reworded (case, articles, courtesy, final particles). The defects are made here, by rules that share nothing with
the judges but the word diff that finds what a rewrite restores. Prints one Markdown table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from examples_data import EXAMPLES, NAMES, SETS, gold_files

from pairwright.core.components import Judge
from pairwright.core.language.text_analysis import (
    detect_language,
    is_question,
    mentions,
    mentions_many,
    normalise,
    restored,
    supported,
)
from pairwright.core.records import Candidate, Example, KnownCase, Language, Turn
from pairwright.core.requests import ChatRequest
from pairwright.judges import JUDGES
from pairwright.judges.rules.rule_verdicts import same_question

RULES = [name for name, judge in JUDGES.items() if not judge.paid and "rewrite" in judge.tasks]
HUMAN = {"human": "**human rewrites**", "human, reworded": "**human rewrites, reworded**"}
_PRONOUN = {
    "en": re.compile(r"\b(it|its|they|them|their|he|him|his|she|her|this|that|these|those)\b", re.IGNORECASE),
    "zh": re.compile(r"它|他|她|这|那(?=[个家里儿些位部首本座种边])"),
}
_COMPLETE = {"en": "The query is complete and needs no rewrite.", "zh": "问题本身已经完整，不需要改写。"}


class Defect(NamedTuple):
    """A wrong answer and the judge whose business it is."""

    judge: str
    kind: str
    rewrite: str
    analysis: str | None = None
    needs_rewrite: bool | None = None


def read_rows(path: Path, limit: int) -> list[dict[str, Any]]:
    """The rows of one file, at most ``limit`` of them drawn by a fixed seed."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if not row["meta"].get("ptkb_used") and row["meta"].get("original", True)]
    return rows if len(rows) <= limit else random.Random(0).sample(rows, limit)


@cache
def packaged_examples(language: Language) -> list[Example]:
    """The few-shot examples that builds use by default."""
    text = files("pairwright.core.prompts").joinpath(f"examples.{language}.jsonl").read_text(encoding="utf-8")
    return [Example.model_validate_json(line) for line in text.splitlines()]


def case_of(row: Mapping[str, Any], examples: list[Example], *, known: bool) -> KnownCase:
    shown = random.Random(row["id"]).sample(examples, 3)
    return KnownCase.create(
        language=row["lang"],
        history=tuple(Turn(**turn) for turn in row["history"]),
        query=row["query"],
        reference=row["rewrite"] if known else None,
        examples=tuple(shown),
    )


def defects(row: Mapping[str, Any], other: Mapping[str, Any], case: KnownCase) -> Iterator[Defect]:
    """Wrong answers to one row; ``other`` is a row that has nothing to do with it."""
    query, gold, language = row["query"], row["rewrite"], case.language
    texts = [*(turn.content for turn in case.history), query]
    foreign = next(
        (key for key in _keys(other) if not any(word in normalise(" ".join(texts)) for word in _parts(key))), ""
    )
    yield from _form_defects(row, case)
    if not texts[:-1] or same_question(query, gold, language):
        if texts[:-1]:
            yield Defect("contradiction", "needs_rewrite true, copied", query, needs_rewrite=True)
            if foreign:
                yield Defect("over_edited", "name added", f"{query} {foreign}")
        return
    yield Defect("unchanged", "copied", query)
    yield Defect("contradiction", "needs_rewrite false, rewritten", gold, needs_rewrite=False)
    yield Defect("contradiction", "analysis says complete", gold, _COMPLETE[language])
    yield Defect("over_edited", "another question", other["rewrite"])
    kept = {match.lower() for match in _PRONOUN[language].findall(gold)}
    overt = [match for match in _PRONOUN[language].findall(query) if match.lower() not in kept]
    if overt:
        yield Defect("leftover_reference", "copied", query)
    for key in _keys(row)[:1]:
        yield from _entity_defects(gold, key, foreign, texts, case, overt=bool(overt))


def _entity_defects(
    gold: str, key: str, foreign: str, texts: list[str], case: KnownCase, *, overt: bool
) -> Iterator[Defect]:
    pronoun, article = ("它", "") if case.language == "zh" else ("it", r"(?:\b(?:the|an?|his|her|their|its)\s+)?")
    yield Defect("leftover_reference", "entity to pronoun", re.sub(article + re.escape(key), pronoun, gold))
    if supported(key, texts[:-1]) and not supported(key, texts[-1:]):
        without = " ".join(gold.replace(key, " ").split()) if case.language == "en" else gold.replace(key, "")
        yield Defect("missing_key_entity", "deleted" if overt else "deleted, no reference in query", without)
    if foreign:
        yield Defect("invented_entity", "swapped", gold.replace(key, foreign))
    leaked = [span for example in case.examples for span in restored(example.query, example.rewrite, example.language)]
    leaked = [span for span in leaked if not supported(span, texts)]
    if leaked:
        yield Defect("example_leak", "in rewrite", gold.replace(key, leaked[0]))


def _form_defects(row: Mapping[str, Any], case: KnownCase) -> Iterator[Defect]:
    gold, query = row["rewrite"], row["query"]
    copied = next((example.analysis for example in case.examples if example.needs_rewrite), None)
    if copied is not None:
        yield Defect("example_leak", "analysis copied", gold, copied)
    foreign = packaged_examples("en" if case.language == "zh" else "zh")
    if detect_language(query) == case.language:
        yield Defect("language_mismatch", "other language", random.Random(row["id"]).choice(foreign).rewrite)
    if case.history:
        yield Defect(
            "length_ratio", "dialogue repeated", " ".join([*(turn.content for turn in case.history), gold] * 3)
        )
    if len(query) > 20:
        yield Defect("length_ratio", "cut off", query[: len(query) // 4])
    answers = [turn.content for turn in case.history if turn.role == "assistant"]
    if answers and is_question(query, case.language) and not is_question(answers[-1], case.language):
        yield Defect("answer_instead", "previous answer", answers[-1])


def _keys(row: Mapping[str, Any]) -> list[str]:
    """What the human rewrite restores: its names and noun phrases that the query lacks, longest first."""
    spans = restored(row["query"], row["rewrite"], row["lang"])
    found = [mention.text for mention in mentions(row["rewrite"], row["lang"]) if mention.kind in {"entity", "noun"}]
    keys = [text for text in found if any(text in span or span in text for span in spans)]
    return sorted((key for key in keys if not supported(key, [row["query"]])), key=len, reverse=True)


def reworded(rewrite: str, language: Language) -> str:
    """The rewrite in slightly other words that ask the same."""
    if language == "zh":
        return "请问" + re.sub(r"[呢啊呀吧]?[？?。！!]*$", "", rewrite)
    plain = re.sub(r"\b(?:the|an?)\s+(?=\w)", "", rewrite, flags=re.IGNORECASE).rstrip(" ?.!")
    return f"Please, {plain[:1].lower()}{plain[1:]}"


def _is_name(key: str) -> bool:
    """Single words in small letters ("teams", "food") may be no name of anything."""
    return not key.isascii() or " " in key or key[:1].isupper()


def _parts(key: str) -> list[str]:
    """What must not be said for a name to be foreign: its words, in Chinese its first two characters."""
    plain = normalise(key)
    return plain.split() if plain.isascii() else [plain[:2]]


async def _refuse(endpoint: str, request: ChatRequest) -> NoReturn:  # noqa: ARG001
    raise AssertionError("a rule asks nobody")


class RuleCounts:
    """Counts of (judge, kind): how many were judged, how many failed; and the texts for ``--show``."""

    def __init__(self) -> None:
        self.judged: dict[tuple[str, str, bool], int] = {}
        self.failed: dict[tuple[str, str, bool], int] = {}
        self.shown: list[tuple[str, ...]] = []

    def add(self, judge: str, kind: str, *, known: bool, failed: bool) -> None:
        key = (judge, kind, known)
        self.judged[key] = self.judged.get(key, 0) + 1
        self.failed[key] = self.failed.get(key, 0) + failed

    def cell(self, judge: str, kind: str) -> str:
        if not (judged := self.judged.get((judge, kind, True), 0)):
            return "–"
        blind, known = (100 * self.failed[judge, kind, known] / judged for known in (False, True))
        return f"{blind:.1f} / {known:.1f} ({judged})"


def measure(rows: list[dict[str, Any]], show: str | None) -> RuleCounts:
    """Judge the human rewrites and the defects of all rows, blind and known."""
    language: Language = rows[0]["lang"]
    examples, judges, tally = packaged_examples(language), {name: JUDGES[name]() for name in RULES}, RuleCounts()
    mentions_many([text for row in rows for text in (row["query"], row["rewrite"])], language)
    half = len(rows) // 2  # far enough to be of another dialogue
    others = [*rows[half:], *rows[:half]]
    for row, other in zip(rows, others, strict=True):
        made = list(defects(row, other, case_of(row, examples, known=True)))
        for known in (False, True):
            case = case_of(row, examples, known=known)
            for name, judge in judges.items():
                wrong = [defect for defect in made if defect.judge == name]
                answers = [
                    _candidate(case, Defect(name, "human", row["rewrite"])),
                    _candidate(case, Defect(name, "human, reworded", reworded(row["rewrite"], language))),
                    *(_candidate(case, one) for one in wrong),
                ]
                verdicts = asyncio.run(_judge(judge, case, answers))
                for kind, answer, verdict in zip(
                    [*HUMAN, *(one.kind for one in wrong)], answers, verdicts, strict=True
                ):
                    tally.add(name, kind, known=known, failed=not verdict.passed)
                    if name == show and verdict.passed == (kind not in HUMAN):
                        tally.shown.append((kind, str(known), verdict.evidence, row["query"], answer.text))
    return tally


async def _judge(judge: Any, case: KnownCase, answers: list[Candidate]) -> Any:
    checked: Judge = judge
    return await checked.judge(case, answers, _refuse)


def _candidate(case: KnownCase, defect: Defect) -> Candidate:
    return Candidate.create(
        task=case.id,
        origin="reference" if defect.kind == "human" else "teacher",
        text=defect.rewrite or " ",
        analysis=defect.analysis,
        needs_rewrite=defect.needs_rewrite,
    )


def print_table(tallies: Mapping[str, RuleCounts]) -> None:
    """One Markdown table: a column per data set, each cell the share of failed answers blind / known, and how many."""
    print(f"| judge | answers | {' | '.join(tallies)} |\n|---|---|{'---:|' * len(tallies)}")
    cases = dict.fromkeys((judge, kind) for tally in tallies.values() for judge, kind, _ in tally.judged)
    for judge, kind in sorted(cases, key=lambda case: (RULES.index(case[0]), case[1] not in HUMAN)):
        label = HUMAN.get(kind, kind)
        print(f"| {judge} | {label} | {' | '.join(tally.cell(judge, kind) for tally in tallies.values())} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="DATA_DIR", default=[EXAMPLES], help=f"with some of {NAMES}"
    )
    parser.add_argument("--limit", type=int, default=600, help="rows per data set")
    parser.add_argument("--only", choices=SETS, help="this set alone")
    parser.add_argument("--show", choices=RULES, help="print this judge's mistakes")
    arguments = parser.parse_args()
    tallies, started = {}, time.process_time()
    for name, path in gold_files(arguments.folders, arguments.only).items():
        tallies[name] = tally = measure(read_rows(path, arguments.limit), arguments.show)
        for mistake in tally.shown:
            print("   ", " | ".join(mistake))
    print_table(tallies)
    verdicts = sum(sum(tally.judged.values()) for tally in tallies.values())
    print(f"\n{verdicts:,} verdicts, {1000 * (time.process_time() - started) / verdicts:.2f} ms CPU each")


if __name__ == "__main__":
    main()
