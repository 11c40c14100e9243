"""The distilabel steps mark duplicates and copies in anybody's pipeline."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_near_duplicates_are_marked_with_the_row_that_stays() -> None:
    from pairwright.pipelines.distilabel_steps.dedup_steps import MinHashDeduplicate

    step = MinHashDeduplicate(name="dedup", threshold=0.7)
    step.load()
    texts = [None, "What is the best museum?", "Please, what is the best museum", "门票多少钱？", "hi", None]
    (rows,) = step.process([{"text": text} for text in texts])
    assert [row["keep_row_after_minhash_filtering"] for row in rows] == [True, True, False, True, True, True]
    assert (rows[2]["duplicate_of"], rows[2]["duplicate_jaccard"]) == (1, 1.0)


def test_copies_of_evaluation_texts_are_marked() -> None:
    from pairwright.pipelines.distilabel_steps.dedup_steps import Decontaminate

    originals = ["What are the educational requirements to become one?", "颐和园附近有什么餐馆可以推荐吗"]
    step = Decontaminate(name="clean", evaluation_texts=originals)
    step.load()
    texts = [
        "what are the eductional requirements to become one",
        "颐和园附近有什么饭馆可以推荐吗？",
        "天气怎么样",
        "",
        None,
    ]
    (rows,) = step.process([{"text": text} for text in texts])
    assert [row["contaminated_by"] for row in rows] == [*originals, None, None, None]
