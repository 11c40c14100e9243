"""The preview shows what every perturber makes of one rewrite."""

from __future__ import annotations

import pytest

from pairwright.core.records import Example, Rejected, Turn
from pairwright.perturbers import PERTURBERS
from pairwright.perturbers.preview import preview
from pairwright.perturbers.rewrites.invented_entity import InventedEntity, packaged_names

HISTORY = (
    Turn(role="user", content="推荐一个景点。"),
    Turn(role="assistant", content="推荐您去钟鼓楼，附近还有恭王府。"),
)
EXAMPLE = Example(
    id="z",
    language="zh",
    history=(Turn(role="user", content="《雾中灯塔》的作者沈砚秋是谁？"),),
    query="她还写过什么？",
    analysis="“她”是沈砚秋。",
    needs_rewrite=True,
    rewrite="沈砚秋还写过什么？",
)


def test_every_perturber_is_shown_with_at_least_one_outcome() -> None:
    found = preview("钟鼓楼的门票多少钱？", "它的门票多少钱？", HISTORY, examples=(EXAMPLE,), analysis="“它”是钟鼓楼。")
    assert list(found) == [name for name, component in PERTURBERS.items() if "rewrite" in component.tasks]
    assert all(found.values())
    made = {name for name, outcomes in found.items() if isinstance(outcomes[0], Rejected)}
    assert made >= {
        "entity_deletion",
        "made_ambiguous",
        "leaked_example",
        "unchanged_copy",
        "invented_entity",
        "cot_faults",
    }
    texts = [outcome.text for outcome in found["entity_deletion"] if isinstance(outcome, Rejected)]
    assert texts == ["门票多少钱？"]


def test_the_seed_decides_what_is_shown() -> None:
    arguments = ("钟鼓楼的门票多少钱？", "它的门票多少钱？", HISTORY)
    assert preview(*arguments, seed=1) == preview(*arguments, seed=1)
    assert any(preview(*arguments, seed=1) != preview(*arguments, seed=seed) for seed in range(2, 6))


def test_names_of_the_own_domain_come_with_the_packaged_ones() -> None:
    from pairwright.core.identity import row_rng
    from pairwright.core.records import Candidate, Origin, Task

    task = Task.create(
        conversation="c", dialogue="d", language="zh", history=HISTORY, query="它的门票多少钱？", tokens=1,
        origin=Origin(source="s", file="f", key="k", licence="MIT"),
    )  # fmt: skip
    chosen = Candidate.create(task=task.id, origin="reference", text="钟鼓楼的门票多少钱？")
    perturber = InventedEntity(pool=("雷峰塔",))
    shown = {
        outcome.text
        for seed in range(30)
        for outcome in perturber.perturb(task, chosen, row_rng(seed, "x", task.id))
        if isinstance(outcome, Rejected)
    }
    assert "雷峰塔的门票多少钱？" in shown
    assert len(shown) > 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_packaged_kind_has_names_to_choose_from(language: str) -> None:
    groups = packaged_names("zh" if language == "zh" else "en")
    assert len(groups) > 10
    assert all(names and all(names) for names in groups.values())
