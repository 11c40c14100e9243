"""Splits: whole dialogues, whole clusters, the same whatever the order of the rows."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.core.config.sections import SplitConfig
from pairwright.core.errors import BuildError
from pairwright.core.records import Language, Task
from pairwright.pipelines.pairing.splits import assign_splits, defect_labels, verify_splits
from pairwright.pipelines.similarity.disjoint_set import DisjointSet
from pairwright.testing.factories import pair, rejected, task


def rows(
    dialogues: int, each: int = 1, language: Language = "en", domain: str | None = None, prefix: str = "d"
) -> list[Task]:
    one = task(language=language, domain=domain)
    return [
        one.model_copy(update={"dialogue": f"{prefix}{number}"}) for number in range(dialogues) for _ in range(each)
    ]


def test_shares_are_met_in_dialogues() -> None:
    splits = assign_splits(rows(1000, each=2), SplitConfig(validation=0.1, test=0.05), seed=0)
    assert Counter(splits.values()) == {"train": 850, "validation": 100, "test": 50}


def test_every_language_and_domain_gets_its_share() -> None:
    mixed = rows(400, prefix="a") + rows(100, language="zh", prefix="b") + rows(100, domain="hotel", prefix="c")
    splits = assign_splits(mixed, SplitConfig(validation=0.1, test=0.1), seed=3)
    tested = Counter(dialogue[0] for dialogue, split in splits.items() if split == "test")
    assert tested == {"a": 40, "b": 10, "c": 10}


@pytest.mark.parametrize(
    ("dialogues", "expected"),
    [(3, {"train": 1, "validation": 1, "test": 1}), (2, {"train": 2}), (10, {"train": 8, "validation": 1, "test": 1})],
)
def test_small_data_leaves_no_split_empty_where_there_is_enough_to_share(
    dialogues: int, expected: dict[str, int]
) -> None:
    assert Counter(assign_splits(rows(dialogues), SplitConfig(), seed=1).values()) == expected


def test_many_small_domains_do_not_always_lose_the_same_ones() -> None:
    one_each = [row.model_copy(update={"domain": f"x{number}"}) for number, row in enumerate(rows(50))]
    config = SplitConfig(validation=0, test=0.1)
    picked = [
        frozenset(key for key, split in assign_splits(one_each, config, seed).items() if split == "test")
        for seed in range(3)
    ]
    assert all(len(names) == 5 for names in picked)
    assert len(set(picked)) == 3


def test_every_label_gets_its_share() -> None:
    members = rows(300)
    labels = {f"d{number}": ("common" if number % 10 else "rare") for number in range(300)}
    splits = assign_splits(members, SplitConfig(validation=0.1, test=0.1), seed=5, labels=labels)
    found = Counter((labels[name], split) for name, split in splits.items() if split != "train")
    assert found == {
        ("common", "test"): 27,
        ("common", "validation"): 27,
        ("rare", "test"): 3,
        ("rare", "validation"): 3,
    }


def test_shares_are_met_among_groups_of_many_sizes() -> None:
    links = [(f"d{number}", f"d{number + 1}") for number in range(0, 600, 3)]
    splits = assign_splits(rows(601), SplitConfig(validation=0.05, test=0.1), seed=2, links=links)
    assert Counter(splits.values()) == {"train": 511, "test": 60, "validation": 30}


def test_a_dialogue_is_labelled_by_its_rarest_defect() -> None:
    made = [("a", "deleted"), ("a", "vague"), ("b", "deleted"), ("c", "deleted"), ("c", "deleted")]
    pairs = [pair(task(dialogue=name), worse=rejected(defect=defect)) for name, defect in made]
    assert defect_labels(pairs) == {"a": "vague", "b": "deleted", "c": "deleted"}


def test_no_share_means_no_rows() -> None:
    assert set(assign_splits(rows(50), SplitConfig(validation=0, test=0), seed=0).values()) == {"train"}
    assert assign_splits([], SplitConfig(), seed=0) == {}


def test_the_seed_changes_the_splits() -> None:
    assert assign_splits(rows(50), SplitConfig(), seed=0) != assign_splits(rows(50), SplitConfig(), seed=1)


links_of = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=20)


@settings(deadline=None)
@given(links_of, st.randoms(use_true_random=False), st.integers(0, 5))
def test_linked_dialogues_stay_together_in_any_order(
    pairs: list[tuple[int, int]], shuffler: random.Random, seed: int
) -> None:
    links = [(f"d{left}", f"d{right}") for left, right in pairs]
    members = rows(30, each=2)
    config = SplitConfig(validation=0.2, test=0.2)
    splits = assign_splits(members, config, seed, links)
    assert all(splits[left] == splits[right] for left, right in links)
    shuffler.shuffle(members)
    shuffler.shuffle(links)
    assert assign_splits(members, config, seed, [(right, left) for left, right in links]) == splits
    proof = verify_splits([(row, splits[row.dialogue]) for row in members], links)
    assert (sum(proof.rows.values()), sum(proof.dialogues.values()), proof.links) == (60, 30, len(links))


def test_a_group_larger_than_every_share_does_not_leave_test_empty() -> None:
    links = [("d0", f"d{number}") for number in range(1, 8)]
    splits = assign_splits(rows(10), SplitConfig(validation=0.1, test=0.1), seed=0, links=links)
    assert Counter(splits.values()) == {"train": 8, "validation": 1, "test": 1}


def test_links_to_dialogues_that_are_not_there_change_nothing() -> None:
    assert assign_splits(rows(9), SplitConfig(), 0, [("d1", "gone"), ("gone", "d2")]) == assign_splits(
        rows(9), SplitConfig(), 0
    )


def test_a_dialogue_in_two_splits_is_refused() -> None:
    row = rows(1)[0]
    with pytest.raises(BuildError, match="d0"):
        verify_splits([(row, "train"), (row, "test")])


def test_a_duplicate_across_splits_is_refused() -> None:
    left, right = rows(2)
    with pytest.raises(BuildError, match="share a duplicate"):
        verify_splits([(left, "train"), (right, "test")], [("d0", "d1")])


@settings(deadline=None)
@given(links_of, st.randoms(use_true_random=False))
def test_components_do_not_depend_on_the_order_of_joining(
    pairs: list[tuple[int, int]], shuffler: random.Random
) -> None:
    def roots(order: list[tuple[int, int]]) -> list[int]:
        unions = DisjointSet()
        for left, right in order:
            unions.join(left, right)
        return [unions.root(item) for item in range(30)]

    first = roots(pairs)
    shuffler.shuffle(pairs)
    assert roots(pairs) == first
    assert all(first[root] == root <= item for item, root in enumerate(first))
