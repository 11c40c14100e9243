"""Duplicate removal: what goes, what stays, and that the order of the rows does not matter."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.bookkeeping import Dropped
from pairwright.core.config.sections import DedupConfig
from pairwright.core.errors import StorageError
from pairwright.core.records import Task
from pairwright.pipelines.dedup.deduplication import deduplicate, link_dialogues
from pairwright.pipelines.dedup.outline import outline
from pairwright.pipelines.dedup.request_text import compared_text
from pairwright.pipelines.dedup.spool import write_task
from pairwright.testing.factories import origin, task

CONFIG = DedupConfig(threshold=0.6, per_template=3)
HISTORY = (("user", "颐和园在哪里？"), ("assistant", "颐和园在北京市海淀区新建宫门路19号。"))


def tasks_of(*queries: str, history: Any = HISTORY, first: int = 1, **fields: Any) -> list[Task]:
    return [
        task(query, history, "zh", origin=origin(line=line, key=str(line)), **fields)
        for line, query in enumerate(queries, start=first)
    ]


def reasons(tasks: list[Task], config: DedupConfig = CONFIG) -> list[str]:
    return [found.reason if isinstance(found, Dropped) else "kept" for found in deduplicate(tasks, config)]


def test_texts_that_differ_in_form_only_are_exact_duplicates() -> None:
    rows = tasks_of("门票多少钱？", "门票多少钱", " 门票 多少钱。", "门票多少錢", "ＡＢＣ酒店？", "abc 酒店")
    assert reasons(rows, DedupConfig(near=False)) == [
        "kept",
        "exact_duplicate",
        "exact_duplicate",
        "kept",
        "kept",
        "exact_duplicate",
    ]


def test_one_query_after_two_histories_is_two_tasks() -> None:
    elsewhere = (("user", "故宫在哪里？"), ("assistant", "故宫在北京市东城区景山前街4号。"))
    assert reasons(tasks_of("多少钱？") + tasks_of("多少钱？", history=elsewhere)) == ["kept", "kept"]


def test_two_queries_after_one_history_are_two_tasks() -> None:
    assert reasons(tasks_of("它几点开门？", "门票多少钱？", "附近有酒店吗？")) == ["kept"] * 3


def test_an_entity_in_the_history_makes_another_task() -> None:
    changed = (
        (HISTORY[0][0], HISTORY[0][1].replace("颐和园", "圆明园")),
        (HISTORY[1][0], HISTORY[1][1].replace("颐和园", "圆明园")),
    )
    assert reasons(tasks_of("门票多少钱？") + tasks_of("门票多少钱？", history=changed, first=2)) == ["kept", "kept"]


def test_particles_and_politeness_make_near_duplicates() -> None:
    rows = tasks_of("请问它的门票多少钱", "它的门票多少钱呢", "你好，请问它的门票多少钱？")
    assert reasons(rows) == ["kept", "near_duplicate", "near_duplicate"]


def test_entity_and_number_swaps_are_not_merged_but_capped() -> None:
    rows = tasks_of(
        *(f"明天上午从{city}出发去三亚海棠湾度假的航班怎么预订" for city in ("北京", "上海", "广州", "深圳", "成都")),
        history=(),
    )
    assert reasons(rows) == ["kept", "kept", "kept", "template", "template"]
    assert reasons(tasks_of(*(f"帮我订{count}张后天去上海的高铁票" for count in "123"), history=())) == ["kept"] * 3


def test_a_dropped_row_names_the_one_that_stays_and_the_similarity() -> None:
    rows = tasks_of("它的门票现在多少钱", "它的门票现在多少钱呢", "它的门票现在多少钱？")
    kept, near, exact = deduplicate(rows, CONFIG)
    assert kept == rows[0]
    assert isinstance(near, Dropped)
    assert isinstance(exact, Dropped)
    assert (near.row, near.detail) == (rows[1].id, f"of {rows[0].id}, Jaccard 1.000")
    assert (exact.row, exact.detail) == (rows[2].id, f"of {rows[0].id}, Jaccard 1.000")


def test_the_row_with_a_human_rewrite_stays() -> None:
    rows = tasks_of("门票多少钱？", "门票多少钱") + tasks_of("门票多少钱呢", first=3, reference="颐和园门票多少钱？")
    assert reasons(rows) == ["near_duplicate", "exact_duplicate", "kept"]
    assert {row.detail for row in deduplicate(rows, CONFIG) if isinstance(row, Dropped)} == {
        f"of {rows[2].id}, Jaccard 1.000"
    }


@pytest.mark.parametrize("near", [True, False])
def test_outcomes_come_in_the_order_of_the_tasks(near: bool) -> None:
    rows = tasks_of("甲乙丙丁", "甲乙丙丁", "戊己庚辛", history=())
    found = list(deduplicate(rows, DedupConfig(near=near)))
    assert [row.row if isinstance(row, Dropped) else row.id for row in found] == [row.id for row in rows]
    assert list(deduplicate([], DedupConfig(near=near))) == []


WORDS = st.sampled_from(
    [
        "北京",
        "上海",
        "天气",
        "怎么样",
        "请问",
        "呢",
        "？",
        "hotel ",
        "Hotel ",
        "please ",
        "12",
        "13",
        "𠮷野家",
        "\u202e",
        "A",
        "",
    ]
)
QUERIES = st.lists(st.lists(WORDS, min_size=1, max_size=6).map("".join), min_size=1, max_size=14)


@pytest.mark.slow
@settings(deadline=None)
@given(QUERIES, st.randoms(use_true_random=False))
def test_what_is_kept_does_not_depend_on_the_order_of_the_rows(queries: list[str], shuffler: random.Random) -> None:
    rows = tasks_of(*(query or "x" for query in queries), history=())
    config = DedupConfig(threshold=0.5, per_template=2)
    expected = {row.row if isinstance(row, Dropped) else row.id: row for row in deduplicate(rows, config)}
    assert len(expected) == len(rows)
    shuffler.shuffle(rows)
    assert {row.row if isinstance(row, Dropped) else row.id: row for row in deduplicate(rows, config)} == expected


@settings(deadline=None)
@given(QUERIES)
def test_nothing_that_is_kept_has_an_exact_duplicate(queries: list[str]) -> None:
    rows = tasks_of(*(query or "x" for query in queries), history=())
    kept = [row for row in deduplicate(rows, DedupConfig(near=False)) if isinstance(row, Task)]
    texts = [compared_text(row) for row in kept]
    assert len(set(texts)) == len(texts)
    assert set(texts) == {compared_text(row) for row in rows}


def test_extreme_texts_pass() -> None:
    rows = tasks_of("好", "长" * 100_000, "长" * 99_999, "𠮷" * 3, "。。。", "？？", history=())
    assert reasons(rows) == ["kept"] * 6
    assert reasons(tasks_of(*["一样的问题"] * 300)) == ["kept"] + ["exact_duplicate"] * 299


@pytest.mark.slow
def test_a_large_family_of_swaps_is_capped_in_reasonable_time() -> None:
    rows = tasks_of(*(f"帮我查一下订单{number}的物流状态到哪里了" for number in range(100_000, 101_500)), history=())
    found = reasons(rows, DedupConfig(threshold=0.6, per_template=5))
    assert found.count("near_duplicate") == 0
    assert found.count("kept") < 300


def test_a_full_temporary_folder_is_a_clear_error() -> None:
    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_task(Full(), tasks_of("x")[0])  # type: ignore[arg-type]


def test_dialogues_that_share_a_duplicate_are_linked() -> None:
    rows = [
        *tasks_of("它的门票多少钱", dialogue="a"),
        *tasks_of("请问它的门票多少钱呢", dialogue="b"),
        *tasks_of("它的电话是多少", dialogue="b"),
        *tasks_of("附近有什么酒店", dialogue="c"),
    ]
    assert link_dialogues(map(outline, rows), CONFIG) == [("b", "a")]
    kept = [row for row in deduplicate(rows, CONFIG) if isinstance(row, Task)]
    assert link_dialogues(map(outline, kept), CONFIG) == []
