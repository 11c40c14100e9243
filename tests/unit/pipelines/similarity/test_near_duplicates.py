"""MinHash and verification: the same values as datasketch, no false pair, few missed ones, in any order."""

from __future__ import annotations

import random
from collections import Counter
from unittest.mock import patch

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given, settings
from hypothesis import strategies as st

from pairwright.pipelines.similarity import near_duplicates as near
from pairwright.pipelines.similarity import shingles
from pairwright.pipelines.similarity.minhash import band_keys, bands_for, signatures
from pairwright.pipelines.similarity.near_duplicates import find_clusters, find_near_duplicates
from pairwright.pipelines.similarity.overlap import Fingerprints
from pairwright.pipelines.similarity.shingles import Hashes, Shingler

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)
NEAR_TEXT = st.text("ab 北京", max_size=9)


def grams(text: str, ngram: int) -> set[str]:
    return {text[start : start + ngram] for start in range(len(text) - ngram + 1)} or {text}


def jaccard(left: str, right: str, ngram: int) -> float:
    return len(grams(left, ngram) & grams(right, ngram)) / len(grams(left, ngram) | grams(right, ngram))


def signature_of(texts: list[str], ngram: int, permutations: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    shingler = Shingler(ngram)
    codes, starts = shingler.block(texts)
    return signatures(Hashes(shingler).of(codes), starts, permutations)


def assert_as_datasketch(texts: list[str], ngram: int, permutations: int) -> None:
    found = signature_of(texts, ngram, permutations)
    for number, text in enumerate(texts):
        expected = MinHash(num_perm=permutations, scheme="affine32")
        expected.update_batch([gram.encode("utf-8", "surrogatepass") for gram in grams(text, ngram)])
        assert (found[:, number] == expected.hashvalues).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=6), st.sampled_from([1, 2, 3]))
def test_signatures_are_those_of_datasketch_bit_for_bit(texts: list[str], ngram: int) -> None:
    assert_as_datasketch(texts, ngram, 64)


def test_signatures_of_long_texts_and_crowded_tables_are_those_of_datasketch(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    long = "".join(chr(rng.randrange(0x4E00, 0x9FFF)) for _ in range(9000))
    assert_as_datasketch(["", "a", "𠮷", long, "𠮷野家"], 2, 128)
    monkeypatch.setattr(shingles, "_SLOT_BITS", 4)
    assert_as_datasketch([long[:500], long[:600], long[300:700]], 2, 16)


def test_banding_is_that_of_datasketch() -> None:
    index = MinHashLSH(threshold=0.7, num_perm=128, weights=(0.05, 0.95))
    assert bands_for(0.7, 128) == (index.b, index.r)
    values = np.array([[1, 1, 1], [2, 2, 3], [4, 4, 4], [5, 6, 5]], np.uint32)
    keys = band_keys(values, bands_for(0.7, 128)._replace(bands=2, rows=2))
    assert [[len(set(keys[band, [0, other]].tolist())) == 1 for other in (1, 2)] for band in (0, 1)] == [
        [True, False],
        [False, True],
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(NEAR_TEXT, max_size=25), st.sampled_from([1, 2, 3]), st.sampled_from([0.4, 0.7, 1.0]))
def test_every_reported_pair_is_true_and_equal_texts_are_found(texts: list[str], ngram: int, threshold: float) -> None:
    pairs = find_near_duplicates(texts, ngram, threshold, 64)
    assert pairs == sorted(set(pairs))
    for left, right, similarity in pairs:
        assert left < right
        assert similarity == pytest.approx(jaccard(texts[left], texts[right], ngram))
        assert similarity >= threshold
    assert len(set(find_clusters(len(texts), pairs))) <= len(set(texts))


@settings(max_examples=30, deadline=None)
@given(st.lists(ANY_TEXT, min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order_of_the_texts(texts: list[str], shuffler: random.Random) -> None:
    def grouped(order: list[str]) -> set[frozenset[str]]:
        roots = find_clusters(len(order), find_near_duplicates(order, 2, 0.6, 64))
        return {frozenset(text for text, root in zip(order, roots, strict=True) if root == wanted) for wanted in roots}

    expected = grouped(texts)
    shuffler.shuffle(texts)
    assert grouped(texts) == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(NEAR_TEXT, min_size=2, max_size=20), st.integers(1, 40))
def test_pairs_do_not_depend_on_how_the_texts_are_partitioned(texts: list[str], block: int) -> None:
    expected = find_near_duplicates(texts, 2, 0.6, 64)
    with patch.object(shingles, "_BLOCK", block):
        assert find_near_duplicates(texts, 2, 0.6, 64) == expected


def planted(count: int, seed: int) -> tuple[list[str], dict[tuple[int, int], float]]:
    """Random texts in two alphabets, every second one followed by an edited copy."""
    rng = random.Random(seed)
    texts: list[str] = []
    similarities = {}
    for _ in range(count):
        alphabet = rng.choice(["abcdefghijklmnopqrst ", "北京上海天气怎么样附近有什么好吃的餐馆酒店景点"])
        text = [rng.choice(alphabet) for _ in range(rng.randrange(20, 60))]
        copy = list(text)
        for _ in range(rng.randrange(1, 6)):
            copy[rng.randrange(len(copy))] = rng.choice(alphabet)
        texts += ["".join(text), "".join(copy)]
        similarities[len(texts) - 2, len(texts) - 1] = jaccard(texts[-2], texts[-1], 2)
    return texts, similarities


def test_recall_of_planted_pairs() -> None:
    texts, similarities = planted(1500, seed=3)
    found = {(left, right) for left, right, _ in find_near_duplicates(texts, 2, 0.7, 128)}
    hits: Counter[tuple[bool, bool]] = Counter()
    for pair, similarity in similarities.items():
        if similarity >= 0.7 and texts[pair[0]] != texts[pair[1]]:
            hits[similarity >= 0.75, pair in found] += 1
    assert hits[False, True] / (hits[False, True] + hits[False, False]) >= 0.90
    assert hits[True, True] / (hits[True, True] + hits[True, False]) >= 0.97


@pytest.mark.slow
def test_a_crowd_with_one_key_does_not_cost_its_square_and_stays_one_cluster() -> None:
    texts = [f"帮我查一下订单编号为{number}的快递现在到哪里了谢谢" for number in range(10_000, 11_000)]
    pairs = find_near_duplicates(texts, 2, 0.6, 128)
    assert len(set(find_clusters(len(texts), pairs))) == 1
    assert all(jaccard(texts[left], texts[right], 2) >= 0.6 for left, right, _ in pairs[::997])


def test_equal_texts_are_paired_with_the_first_of_them_only() -> None:
    assert find_near_duplicates(["x"] * 1000, 2, 0.8, 64) == [(0, number, 1.0) for number in range(1, 1000)]
    assert find_near_duplicates([], 2, 0.8, 64) == []
    assert find_near_duplicates(["", "a", ""], 2, 0.8, 64) == [(0, 2, 1.0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(NEAR_TEXT, min_size=2, max_size=8), st.floats(0.1, 1))
def test_fingerprints_never_rule_out_a_similar_pair(texts: list[str], threshold: float) -> None:
    shingler = Shingler(2)
    codes, starts = shingler.block(texts)
    prints = Fingerprints(len(texts))
    prints.add(0, Hashes(shingler).of(codes), starts)
    left, right = (
        np.array(side, np.uint64) for side in zip(*[(a, b) for a in range(len(texts)) for b in range(a)], strict=True)
    )
    kept = prints.may_reach(left, right, threshold)
    for one, other, may in zip(left, right, kept, strict=True):
        assert may or jaccard(texts[one], texts[other], 2) < threshold


def test_items_must_be_similar_in_every_part() -> None:
    queries = ["附近有什么好吃的餐馆", "附近有什么好吃的餐馆呢", "附近有什么好吃的餐馆啊"]
    before = ["我在北京市海淀区颐和园", "我在北京市海淀区颐和园", "上海外滩今天晚上的灯光秀"]
    pairs = near.find_similar([queries, before], 2, 0.7, 128)
    assert (pairs.left.tolist(), pairs.right.tolist()) == ([0], [1])
    assert pairs.jaccard.tolist() == pytest.approx([9 / 10])
