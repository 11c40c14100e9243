"""Each perturber's damage is seen by the metric made for it, on real rows of both languages."""

from __future__ import annotations

import importlib.util
from collections import Counter

import pytest

from places import ROOT

SPEC = importlib.util.spec_from_file_location("metric_damage", ROOT / "benchmarks" / "metric_damage.py")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("file", ["zh_gold.jsonl", "cast19.en.jsonl"])
def test_the_metric_made_for_a_defect_sees_at_least_95_percent_of_its_rejects(file: str) -> None:
    assert SPEC is not None
    assert SPEC.loader is not None
    benchmark = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(benchmark)
    seen: dict[str, Counter[str]] = {}
    metrics = {metric.name: metric for metric in benchmark.METRICS}
    for row in benchmark.sampled(ROOT / "examples" / "data" / file, 60):
        for name, reject in benchmark.rejects(row):
            ways = {benchmark.direction(metrics[one], row, reject) for one in benchmark.MADE_FOR[name]}
            seen.setdefault(name, Counter())[
                "right" if "right" in ways else "idle" if ways == {"idle"} else "missed"
            ] += 1
    counted = {name: found for name, found in seen.items() if found["right"] + found["missed"] >= 20}
    assert len(counted) >= 8
    shares = {name: found["right"] / (found["right"] + found["missed"]) for name, found in counted.items()}
    # One miss in twenty is within the noise of sixty rows: the benchmark holds the figure on all of them.
    assert {name: share for name, share in shares.items() if share < 0.93} == {}
