"""Invented entities come from the other dialogues of the build, where it has enough names of the kind."""

from __future__ import annotations

import random
from itertools import product

import pytest

from pairwright.core.components import CorpusReader
from pairwright.core.identity import row_rng
from pairwright.core.records import Rejected, SftRow
from pairwright.perturbers.rewrites.invented_entity import FEW, InventedEntity
from pairwright.perturbers.text.corpus_names import MOST, collect, is_name
from pairwright.testing import factories

PLACES = ("海洋馆", "博物馆", "艺术馆", "动物园", "植物园", "游乐园", "纪念馆")


def row(name: str) -> SftRow:
    task = factories.task(
        "它的门票多少钱？", [("user", "推荐一个景点。"), ("assistant", f"推荐您去{name}。")], language="zh"
    )
    return factories.sft_row(task, f"{name}的门票多少钱？")


def rejects(perturber: InventedEntity, of: SftRow) -> list[str]:
    outcomes = perturber.perturb(of.task, of.chosen, row_rng(3, "perturb.invented_entity", of.task.id))
    return [outcome.text for outcome in outcomes if isinstance(outcome, Rejected)]


@pytest.fixture(scope="module")
def rows() -> list[SftRow]:
    return [row(f"东城{place}") for place in PLACES]


def test_the_name_put_in_is_one_of_another_dialogue(rows: list[SftRow]) -> None:
    perturber = InventedEntity(variants=1)
    assert isinstance(perturber, CorpusReader)
    knowing = perturber.knowing(rows)
    for one in rows:
        others = {other.chosen.text for other in rows if other is not one}
        assert set(rejects(knowing, one)) <= others
        assert not set(rejects(perturber, one)) & others
        assert rejects(knowing, one)


def test_the_order_of_the_rows_does_not_matter(rows: list[SftRow]) -> None:
    shuffled = random.Random(1).sample(rows, len(rows))
    here, there = InventedEntity().knowing(rows), InventedEntity().knowing(shuffled)
    assert [rejects(here, one) for one in rows] == [rejects(there, one) for one in rows]


def test_few_names_are_joined_by_the_packaged_ones(rows: list[SftRow]) -> None:
    few = InventedEntity(variants=9).knowing(rows[: FEW - 1])
    names = {rewrite.removesuffix("的门票多少钱？") for one in rows for rewrite in rejects(few, one)}
    assert any(not name.startswith("东城") for name in names)


def test_it_can_be_switched_off(rows: list[SftRow]) -> None:
    off = InventedEntity(corpus=False)
    assert off.knowing(rows) is off


def test_of_very_many_names_the_same_ones_stay_whatever_the_order() -> None:
    many = [row(f"{first}{second}{place}") for first, second, place in product("东西南北中", "城山河湖海桥", PLACES)]
    there = collect(many, lambda row, entity: "sight")
    assert there == collect(reversed(many), lambda row, entity: "sight")
    assert len(there["zh", "sight"]) == MOST


@pytest.mark.parametrize(
    ("text", "kind", "language", "expected"),
    [
        ("Royal Spice", "restaurant", "en", True),
        ("the Royal Standard", "restaurant", "en", True),
        ("the second one", "restaurant", "en", False),
        ("a coupe", "car", "en", False),
        ("Orion", "name", "en", False),
        ("北京国宾酒店", "hotel", "zh", True),
        ("4分以上的景点", "sight", "zh", False),
        ("《单车》", "song", "zh", True),
        ("发行", "album", "zh", False),
        ("我朋友", "person", "zh", False),
        ("", "hotel", "zh", False),
    ],
)
def test_a_description_is_no_name(text: str, kind: str, language: str, expected: bool) -> None:
    assert is_name(text, kind, "zh" if language == "zh" else "en") is expected
