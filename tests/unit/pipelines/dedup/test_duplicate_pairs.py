"""Which texts ask the same: single rules, and 150 pairs labelled by hand."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.config.sections import DedupConfig
from pairwright.core.language.canonical_form import canonical
from pairwright.pipelines.dedup.deduplication import find_near_verdicts
from pairwright.pipelines.dedup.same_request import are_variants, essence, outline, words
from places import TEST_DATA

PAIRS = TEST_DATA / "near_pairs.zh.jsonl"


def same_request(left: str, right: str) -> bool:
    return are_variants(words(essence(left)), words(essence(right)))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("请问北京的天气怎么样？", "北京天气怎么样呢"),
        ("这家酒店的联系电话是多少？", "好的，这个酒店电话多少啊"),
        ("谢谢你！", "好的，谢谢您的帮助"),
        ("Could you please tell me where it is?", "where is it?".replace("is it", "it is")),
        ("What restaurants are there?", "what restaurant are there"),
        ("Is there a cheap restauant?", "is there a cheap restaurant"),
        ("Great, thanks! Is there a museum?", "Is there a museum?"),
        ("What's the phone number?", "what is the telephone"),
    ],
)
def test_form_does_not_make_another_request(left: str, right: str) -> None:
    assert same_request(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("北京天气", "上海天气"),
        ("订2张票", "订3张票"),
        ("从北京到上海的火车", "从上海到北京的火车"),
        ("不贵的酒店", "贵的酒店"),
        ("他多大了", "她多大了"),
        ("酒店在哪", "这家酒店在哪"),
        ("他知道吗", "她知道吗"),
        ("谢谢", "好的"),
        ("附近有不错的餐馆吗", "附近有餐馆吗"),
        ("Is there a nice museum?", "Is there a museum?"),
        ("是的", "不是"),
        ("Who is he?", "Who is she?"),
        ("flights from A to B", "flights from B to A"),
        ("Can I pay?", "Can I not pay?"),
        ("Is Austria cold?", "Is Australia cold?"),
        ("the employer left", "the employee left"),
        ("It costs 2.5 euros", "It costs 25 euros"),
    ],
)
def test_what_decides_makes_another_request(left: str, right: str) -> None:
    assert not same_request(left, right)


@pytest.mark.slow
def test_the_labelled_pairs_are_told_apart() -> None:
    config = DedupConfig(threshold=0.7)
    counts: Counter[tuple[str, bool]] = Counter()
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        verdicts = find_near_verdicts([essence(pair["left"]), essence(pair["right"])], config)
        counts[pair["label"], any(verdict.reason == "near_duplicate" for verdict in verdicts.values())] += 1
    assert counts.total() == 150
    assert counts["entity", True] == 0
    found, missed, false = counts["duplicate", True], counts["duplicate", False], counts["different", True]
    assert 2 * found / (2 * found + missed + false) >= 0.95


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_asking_the_same_is_symmetric_and_implied_by_equal_spelling(left: str, right: str) -> None:
    assert same_request(left, left)
    assert same_request(left, right) == same_request(right, left)
    if canonical(left) == canonical(right):
        assert same_request(left, right)


WORD = st.sampled_from(
    ["restaurant", "restaurants", "restauant", "bus", "buses", "address", "adress", "employer", "employee", "a", "as"]
)


@settings(deadline=None)
@given(st.lists(WORD, max_size=3), st.lists(WORD, max_size=3))
def test_variants_have_one_outline(left: list[str], right: list[str]) -> None:
    mine, yours = words(" ".join(left)), words(" ".join(right))
    if are_variants(mine, yours):
        assert outline(mine) == outline(yours)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_canonical_spelling_is_stable_and_never_empties_a_text(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert bool(canonical(text)) == bool(text.strip())


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Ｗhere's the　CAFÉ?", "wheres the café"),
        ("多少 钱？", "多少钱"),
        ("iPhone 12 的 价格", "iphone 12的价格"),
        ("2.5 km - 10:30", "2.5 km 10:30"),
        ("C# or C++, 5%", "c# or c++ 5%"),
        ("。。。", "。。。"),
        ("😀", "😀"),
    ],
)
def test_canonical_spelling(text: str, spelling: str) -> None:
    assert canonical(text) == spelling
