"""Measures the judges of a build file against gold: ``pairwright calibrate``.

Every judge sees every text, the paid ones too: what a cascade would never show them has to be known as well. Answers go
through the build's ledger, so that a calibration that is run again asks nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pairwright.core.calibration import Calibration, Figure, JudgeCalibration, models_of, settings_of
from pairwright.core.component_calls import ask_comparer, ask_judge
from pairwright.core.components import Comparer, Configured, Judge
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError, RequestFailed
from pairwright.core.llm.ledger import Ledger
from pairwright.core.records import Candidate, Comparison, Verdict
from pairwright.core.requests import Answer, Ask, ChatRequest
from pairwright.pipelines.calibration import figures as figures
from pairwright.pipelines.calibration.figures import NONE, ComparedTexts, Said, estimate_figure, kappa
from pairwright.pipelines.calibration.gold_items import Item
from pairwright.pipelines.endpoint_servers import open_endpoints, running_servers
from pairwright.pipelines.judging.candidate_judging import ordered_map

V = TypeVar("V", Verdict, Comparison)
Answers = dict[tuple[str, str], Answer]  # by endpoint and request


def calibrate(config: BuildConfig, items: Sequence[Item], ledger: Ledger, precision: float, work: Path) -> Calibration:
    """Show ``items`` to every judge of ``config`` and measure what they say; thresholds are for ``precision``.

    Raises:
        ConfigError: the build file has no judge, or the items are all good or all bad.
        ModelError: an endpoint cannot be used at all.
        BudgetReached: asking would pass the build's limits.
    """
    _require(config, items)
    found = []
    with running_servers(config, work) as base_urls, open_endpoints(config, ledger, base_urls) as asked:

        def heard(work: Callable[[Item], Coroutine[Any, Any, V]], shown: Sequence[Item]) -> Iterator[V | None]:
            async def one(item: Item) -> V | None:
                try:
                    return await work(item)
                except RequestFailed:
                    return None

            return ordered_map(one, shown, asked.width, asked.runner)

        for judge in map(_thorough, config.judges):
            answers: Answers = {}
            said = list(heard(_judging(judge, _noting(asked.ask, answers)), items))
            about = _about(judge, config, answers)
            found.append(JudgeCalibration(**about, **_pointwise(items, said, config.seed, precision)))
        if config.comparison is not None:
            answers = {}
            pairs = [item for item in items if item.better is not None]
            ask = _noting(asked.ask, answers)
            compared = list(heard(_comparing(config.comparison, ask), pairs))
            about = _about(config.comparison, config, answers)
            found.append(JudgeCalibration(**about, **_pairwise(pairs, compared, config.seed)))
    languages = Counter(item.task.language for item in items)
    kinds = Counter("good" if item.good else "bad" for item in items)
    return Calibration(gold={**languages, **kinds}, seed=config.seed, judges=tuple(found))


def _require(config: BuildConfig, items: Sequence[Item]) -> None:
    if not config.judges and config.comparison is None:
        raise ConfigError(["judges: there is none to calibrate"], "Name the judges in the build file.")
    if len({item.good for item in items}) < 2:
        raise ConfigError(
            ["calibrate: the gold texts are all good or all bad"],
            "Sources need rows with a rewrite; files of marked rows need both 'good: true' and 'good: false'.",
        )


def _thorough(judge: Judge) -> Judge:
    """The judge without early stops: a score that was not asked to its end cannot choose a threshold."""
    return judge.model_copy(update={"early_stop": False}) if "early_stop" in judge.model_dump() else judge


def _judging(judge: Judge, ask: Ask) -> Callable[[Item], Coroutine[Any, Any, Verdict]]:
    async def one(item: Item) -> Verdict:
        candidate = Candidate.create(task=item.task.id, origin="teacher", text=item.text)
        (verdict,) = await ask_judge(judge, item.task, [candidate], ask)
        return verdict

    return one


def _comparing(comparer: Comparer, ask: Ask) -> Callable[[Item], Coroutine[Any, Any, Comparison]]:
    async def one(item: Item) -> Comparison:
        assert item.better is not None
        return await ask_comparer(comparer, item.task, item.better, item.text, ask)

    return one


def _pointwise(
    items: Sequence[Item], verdicts: Sequence[Verdict | None], seed: int, precision: float
) -> dict[str, Any]:
    said = [Said(item, verdict) for item, verdict in zip(items, verdicts, strict=True) if verdict is not None]
    groups = [one.item.task.dialogue for one in said]
    pairs = figures.pointwise_pairs(said)
    good = [(float(one.verdict.passed), one.item.task.dialogue) for one in said if one.item.good]
    return dict(
        kind="pointwise",
        items=len(items),
        kappa=kappa([one.verdict.passed for one in said], [one.item.good for one in said], [False, True], groups, seed),
        passed_good=_mean(good, seed),
        caught=figures.by_defect([(one.item, not one.verdict.passed) for one in said], seed),
        flip_rate=NONE,
        tie_rate=_mean([(float(margin == 0), item.task.dialogue) for item, margin in pairs], seed),
        position_bias=NONE,
        length_bias=figures.length_bias(pairs, seed),
        failures=len(items) - len(said),
        threshold=figures.threshold_for(said, precision),
        reliability=figures.reliability(said),
    )


def _pairwise(items: Sequence[Item], comparisons: Sequence[Comparison | None], seed: int) -> dict[str, Any]:
    seen = [ComparedTexts(item, one) for item, one in zip(items, comparisons, strict=True) if one is not None]
    # Against gold stand the verdicts of each single order: over both orders the good text always comes first.
    answers = [(one, place, said) for one in seen for place, said in enumerate(one.comparison.answers)]
    gold = ["first" if place == 0 else "second" for _, place, _ in answers]
    groups = [one.item.task.dialogue for one, _, _ in answers]
    wins = [(one.item, one.comparison.winner == "first") for one in seen]

    def share(values: Iterator[tuple[bool, ComparedTexts]]) -> Figure:
        return _mean([(float(value), one.item.task.dialogue) for value, one in values], seed)

    return dict(
        kind="pairwise",
        items=len(items),
        kappa=kappa([said for *_, said in answers], gold, ["first", "second", "equal"], groups, seed),
        passed_good=share((one.comparison.winner == "first", one) for one in seen),
        caught=figures.by_defect(wins, seed),
        flip_rate=share((one.comparison.flipped, one) for one in seen),
        tie_rate=share((one.comparison.winner == "tie", one) for one in seen),
        position_bias=figures.position_bias(seen, seed),
        length_bias=figures.length_bias([(one.item, _preference(one.comparison)) for one in seen], seed),
        failures=len(items) - len(seen),
    )


def _preference(comparison: Comparison) -> float:
    return {"first": 1.0, "second": -1.0, "tie": 0.0}[comparison.winner]


def _mean(rows: Sequence[tuple[float, str]], seed: int) -> Figure:
    return estimate_figure([value for value, _ in rows], [group for _, group in rows], seed)


def _about(judge: Configured, config: BuildConfig, answers: Answers) -> dict[str, Any]:
    """Who the judge is, and what its answers took, unusable ones included; whoever paid for them first."""
    taken = [(config.endpoints[endpoint].price, answer) for (endpoint, _), answer in sorted(answers.items())]
    return {
        "judge": judge.name,
        "models": models_of(judge, config),
        "settings": settings_of(judge),
        "requests": len(taken),
        "tokens": sum(answer.prompt_tokens + answer.completion_tokens for _, answer in taken),
        "cost": round(sum(price.of(one.prompt_tokens, one.completion_tokens) for price, one in taken), 6),
    }


def _noting(ask: Ask, answers: Answers) -> Ask:
    """``ask``, with every answer put into ``answers``: each request is counted once."""

    async def asked(endpoint: str, request: ChatRequest) -> Answer:
        answer = await ask(endpoint, request)
        answers[endpoint, answer.request_hash] = answer
        return answer

    return asked
