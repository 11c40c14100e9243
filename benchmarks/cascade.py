"""What the cascade of judges saves, against judging everything, and that it accepts the same.

    python benchmarks/cascade.py [examples/demo.yaml]

Runs twice over the demo's corpus, with a scripted judge that costs nothing: once with everything before every judge,
once as a build does it (rules first, judges that ask a model only on what is left, no dimension and no panel member
asked in vain). Candidates are the human rewrite of each query and none to three faulty ones beside it, drawn by seed from what
the demo's perturbers make of it. *Known*: the rules see the human rewrite, as in the demo; *blind*: they do not, as with a
teacher's candidates for new queries. Then the same for pairs that a judge has to confirm: all variants compared, against
those only that would be pairs. The first table is the demo as it is: its human rewrites graded, its own variants compared;
weak samples are judged by rules alone and are not in it. Tokens are estimated as everywhere (core/language/text_analysis.py); the accepted sets are compared one
by one. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from pydantic import PrivateAttr

from pairwright.core.components import Component, Judge
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.config.slots import JudgeComponent
from pairwright.core.execution.coroutines import CoroutineRunner
from pairwright.core.identity import content_id, row_rng
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.pages.markdown import markdown_table
from pairwright.core.records import Candidate, JudgedCandidate, KnownCase, Rejected, SftRow, Task, Verdict
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.judges.llm.pairwise import Pairwise
from pairwright.judges.llm.rubric import Rubric
from pairwright.judges.panels.panel import Panel
from pairwright.pipelines.artefacts import QUERIES
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.forecast import reading
from pairwright.pipelines.judging import candidate_judging
from pairwright.pipelines.judging.endpoint_access import EndpointAccess, UsageCounter
from pairwright.pipelines.pairing import preference_pairs
from pairwright.pipelines.pairing.balance import rules_of
from pairwright.pipelines.pairing.pair_features import extract_features
from pairwright.pipelines.pairing.verification import VerificationState, unverified, verify_variants

_TEXT = re.compile(r"<(rewrite|first_text|second_text)>(.*?)</\1>", re.DOTALL)
_EXPLANATION = {
    "en": "It says what the user asks for, but the part about the place stays open and could be read in two ways.",
    "zh": "改写说清了用户要问的内容，但地点的部分没有交代，可能有两种理解。",
}


class Scripted:
    """A judge that knows the human rewrites: mostly right about them, and about most of what is wrong with the others."""

    def __init__(self, gold: Sequence[str]) -> None:
        self._gold = set(gold)
        self.requests = self.tokens = 0

    async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
        texts = dict(_TEXT.findall(request.messages[-1].content))
        language = "zh" if "对话" in request.messages[-1].content else "en"
        said = {"explanation": _EXPLANATION[language], **self._verdict(endpoint, request, texts)}
        text = json.dumps(said, ensure_ascii=False)
        prompt = sum(estimate_tokens(message.content) for message in request.messages)
        self.requests += 1
        self.tokens += prompt + estimate_tokens(text)
        return Answer(
            request_hash=content_id([endpoint, request.model_dump()]),
            model=endpoint,
            text=text,
            finish_reason="stop",
            prompt_tokens=prompt,
            completion_tokens=estimate_tokens(text),
        )

    def _verdict(self, endpoint: str, request: ChatRequest, texts: Mapping[str, str]) -> Mapping[str, int | str]:
        if "rewrite" in texts:
            return {"score": self._grade(endpoint, request, texts["rewrite"])}
        # One verdict in ten is wrong, the same one in both orders.
        sure = _chance("compare", *sorted(texts.values())) > 0.1
        better = "first_text" if texts["first_text"] in self._gold else "second_text"
        return {"better": better.removesuffix("_text") if sure else "equal"}

    def _grade(self, endpoint: str, request: ChatRequest, text: str) -> int:
        luck = _chance(endpoint, request.schema_name, str(request.seed), text)
        if text in self._gold:
            return 5 if luck < 0.7 else 4 if luck < 0.99 else 2
        if _chance(endpoint, text) < 0.15:  # overlooks what is wrong
            return 5 if luck < 0.5 else 4
        return 1 + int(luck * 5)


class Remembered(Component):
    """A rule whose verdicts are kept: both ways of judging put the same candidates before it."""

    name: ClassVar[str] = "remembered"
    rule: JudgeComponent
    _known: dict[tuple[bool, str], Verdict] = PrivateAttr(default_factory=dict)

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        found = []
        for candidate in candidates:
            key = case.reference is None, candidate.id
            if key not in self._known:
                self._known[key] = (await self.rule.judge(case, [candidate], ask))[0]
            found.append(self._known[key])
        return found


def _chance(*parts: str) -> float:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:6], "big") / 2**48


class Row(NamedTuple):
    """What judging took, and what was accepted."""

    accepted: frozenset[str]
    requests: int
    tokens: int


def faulty(task: Task, config: BuildConfig, most: int) -> list[str]:
    """Up to ``most`` different worse rewrites of the query, drawn by seed from those that the perturbers make."""
    assert task.reference is not None
    gold = Candidate.create(task=task.id, origin="reference", text=task.reference)
    found: list[str] = []
    rng = row_rng(config.seed, "cascade", task.id)
    for perturber in rng.sample(config.perturbers, len(config.perturbers)):
        outcomes = perturber.perturb(task, gold, row_rng(config.seed, f"perturb.{perturber.name}", task.id))
        found += [
            one.text for one in outcomes if isinstance(one, Rejected) and one.text not in [task.reference, *found]
        ][:1]
        if len(found) >= most:
            break
    return found[:most]


def proposed(tasks: Sequence[tuple[Task, Sequence[str]]], wrong: int, known: bool) -> list[candidate_judging.Pair]:
    """The candidates of every query: the human rewrite and ``wrong`` faulty ones."""
    pairs = []
    for task, texts in tasks:
        assert task.reference is not None
        shown = task if known else task.model_copy(update={"reference": None})
        for text in (task.reference, *texts[:wrong]):
            pairs.append((shown, Candidate.create(task=task.id, origin="teacher", text=text)))
    return pairs


def everything(
    pairs: Sequence[candidate_judging.Pair], rules: Sequence[Judge], paid: Judge, gold: Sequence[str]
) -> Row:
    """Every candidate before every judge, nothing left out."""
    ask = Scripted(gold)

    async def run() -> frozenset[str]:
        passed = set()
        for task, candidate in pairs:
            verdicts: list[Verdict] = []
            for one in (*rules, paid):
                verdicts += await one.judge(task, [candidate], ask)
            if all(verdict.passed for verdict in verdicts):
                passed.add(candidate.id)
        return frozenset(passed)

    return Row(asyncio.run(run()), ask.requests, ask.tokens)


def cascaded(pairs: Sequence[candidate_judging.Pair], rules: Sequence[Judge], paid: Judge, gold: Sequence[str]) -> Row:
    """As a build judges."""
    ask = Scripted(gold)
    with CoroutineRunner() as runner:
        rows = list(
            candidate_judging.judge_candidates(pairs, [*rules, paid], EndpointAccess(ask, runner, 64, UsageCounter()))
        )
    accepted = frozenset(row.candidate.id for row in rows if isinstance(row, JudgedCandidate) and row.accepted)
    return Row(accepted, ask.requests, ask.tokens)


def paid_judges() -> Iterator[tuple[str, Judge, Judge]]:
    """Each judge twice: as it asks in a build, and asking everything."""
    yield "rubric", Rubric(endpoint="a"), Rubric(endpoint="a", early_stop=False)
    members = {early: tuple(Rubric(endpoint=name, early_stop=early) for name in "abc") for early in (True, False)}
    yield (
        "panel of three rubrics",
        Panel(members=members[True]),
        Panel(members=members[False], early_stop=False, agreement_share=1.0),
    )


def judging(tasks: Sequence[tuple[Task, Sequence[str]]], rules: Sequence[Judge]) -> Iterator[Sequence[object]]:
    """The table of judging."""
    yield ("judge", "rules are", "faulty per query", "candidates", "accepted", "same set", "tokens, all", "tokens, cascade",
           "per accepted, all", "cascade", "saved")  # fmt: skip
    gold = [task.reference or "" for task, _ in tasks]
    for name, hurried, thorough in paid_judges():
        for known in (True, False):
            for wrong in range(4):
                pairs = proposed(tasks, wrong, known)
                full = everything(pairs, rules, thorough, gold)
                cascade = cascaded(pairs, rules, hurried, gold)
                number = len(cascade.accepted)
                yield (
                    *(name, "known" if known else "blind", wrong, f"{len(pairs):,}", f"{number:,}"),
                    *("yes" if full.accepted == cascade.accepted else "NO", f"{full.tokens:,}", f"{cascade.tokens:,}"),
                    *(f"{full.tokens / number:,.0f}", f"{cascade.tokens / number:,.0f}"),
                    f"{1 - cascade.tokens / full.tokens:.0%}",
                )


class Confirmed(NamedTuple):
    """Variants and the pairs among them, and what comparing took: all of them, and those only that would be pairs."""

    variants: int
    pairs: int
    everything: Scripted
    cascade: Scripted


def confirmed(config: BuildConfig, tasks: Sequence[tuple[Task, Sequence[str]]]) -> Confirmed:
    """Compare the variants that the demo's perturbers make, both ways."""
    rows = []
    for task, _ in tasks:
        chosen = Candidate.create(task=task.id, origin="reference", text=task.reference or "")
        rows.append(SftRow.create(task=task, chosen=chosen, verdicts=()))
    attempts = preference_pairs.list_attempts(rows, (), config.perturbers)
    variants = [
        one for one in preference_pairs.make_rejected(attempts, config, {}) if isinstance(one, preference_pairs.Variant)
    ]
    proposals = [(one.row, one.rejected) for one in variants]
    everywhere, ask = (Scripted([row.chosen.text for row in rows]) for _ in range(2))
    comparer = Pairwise(endpoint="a")

    async def compare_all() -> None:
        for row, worse in proposals:
            await comparer.compare(row.task, row.chosen.text, worse.text, everywhere)

    asyncio.run(compare_all())
    standing = VerificationState(extract_features(proposals, config.prompt, config.seed), rules_of(config))
    with tempfile.TemporaryDirectory() as folder, CoroutineRunner() as runner:
        asked = unverified(standing, lambda: proposals)
        log = Path(folder) / "comparisons.jsonl"
        for _ in verify_variants(asked, standing, comparer, EndpointAccess(ask, runner, 64, UsageCounter()), log):
            pass
    return Confirmed(len(proposals), sum(not code for code in standing.plan().keeps), everywhere, ask)


def confirming(found: Confirmed) -> Iterator[Sequence[object]]:
    """The table of pairs that a judge has to confirm."""
    full, cascade = found.everything, found.cascade
    yield ("variants", "pairs", "compared, all", "compared, cascade", "tokens per pair, all", "cascade", "saved")
    yield (
        *(f"{found.variants:,}", f"{found.pairs:,}", f"{full.requests // 2:,}", f"{cascade.requests // 2:,}"),
        *(f"{full.tokens / found.pairs:,.0f}", f"{cascade.tokens / found.pairs:,.0f}"),
        f"{1 - cascade.tokens / full.tokens:.0%}",
    )


def own_texts(
    tasks: Sequence[tuple[Task, Sequence[str]]], rules: Sequence[Judge], found: Confirmed
) -> Iterator[Sequence[object]]:
    """The table of the demo as it is: its human rewrites graded by a rubric, its own variants compared."""
    pairs, gold = proposed(tasks, 0, known=True), [task.reference or "" for task, _ in tasks]
    full = everything(pairs, rules, Rubric(endpoint="a", early_stop=False), gold)
    cascade = cascaded(pairs, rules, Rubric(endpoint="a"), gold)
    assert full.accepted == cascade.accepted
    yield ("the demo's own texts", "texts", "tokens, all", "tokens, cascade", "saved")
    shown = {
        "rubric: the human rewrites": (len(pairs), full.tokens, cascade.tokens),
        "pairwise: variants of its perturbers": (found.variants, found.everything.tokens, found.cascade.tokens),
    }
    for name, (texts, all_of_it, left) in (
        *shown.items(),
        ("both", tuple(map(sum, zip(*shown.values(), strict=True)))),
    ):
        yield name, f"{texts:,}", f"{all_of_it:,}", f"{left:,}", f"{1 - left / all_of_it:.0%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_file", type=Path, nargs="?", default=Path("examples/demo.yaml"))
    config = read_build(parser.parse_args().build_file, CATALOGUES)
    with reading(config) as run:
        tasks = [(task, faulty(task, config, 3)) for task in run.read(QUERIES) if task.reference is not None]
    rules, found = [Remembered(rule=rule) for rule in config.judges], confirmed(config, tasks)
    tables = [own_texts(tasks, rules, found), judging(tasks, rules), confirming(found)]
    print("\n\n".join("\n".join(markdown_table(list(table))) for table in tables))


if __name__ == "__main__":
    main()
