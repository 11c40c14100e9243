"""``pairwright calibrate`` with a real model: 100 gold rows per language through the embedded server.

Skipped unless PAIRWRIGHT_TEST_GGUF names a GGUF file. It takes about an hour of one core with half a billion weights;
its ledger lies in pytest's cache, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from building import CLI, DATA

MODEL = os.environ.get("PAIRWRIGHT_TEST_GGUF")
SOURCES = {"cast19": "cast19.en.jsonl", "gecor": "gecor.en.jsonl", "zh_gold": "zh_gold.jsonl"}
RULES = ("leftover_reference", "missing_key_entity", "invented_entity")
pytestmark = [
    pytest.mark.skipif(MODEL is None, reason="PAIRWRIGHT_TEST_GGUF names no GGUF file: no real model judges"),
    pytest.mark.skipif(
        importlib.util.find_spec("xllamacpp") is None, reason="the extra 'embedded' is not installed: no model judges"
    ),
    pytest.mark.timeout(4 * 3600),
]


def judging(folder: Path) -> Path:
    """One graded quality and both orders of each pair, beside three rules that cost nothing."""
    content = {
        "name": "local-judge",
        "output": str(folder),
        "seed": 7,
        "sources": [
            {"use": "files", "source": name, "path": str(DATA / file), "licence": "see examples/data"}
            for name, file in SOURCES.items()
        ],
        "endpoints": {
            "local": {"use": "embedded", "model": MODEL, "threads": 1, "slots": 2, "logprobs": True, "timeout": 600}
        },
        "judges": [
            *({"use": name} for name in RULES),
            {"use": "rubric", "endpoint": "local", "dimensions": ["correctness"]},
        ],
        "comparison": {"use": "pairwise", "endpoint": "local"},
        "exports": [{"use": "trl"}],
    }
    path = folder / "calibrate.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_a_local_model_is_calibrated_on_a_hundred_gold_rows_per_language(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("local_judge")
    command = [*CLI, "calibrate", str(judging(folder)), "--limit", "100", "--variants", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "160"})
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    found = json.loads((folder / "calibration/calibration.json").read_text(encoding="utf-8"))
    assert (found["gold"]["good"], found["gold"]["en"] > 100, found["gold"]["zh"] > 100) == (200, True, True)
    judges = {one["judge"]: one for one in found["judges"]}
    assert list(judges) == [*RULES, "rubric", "pairwise"]
    for name in ("rubric", "pairwise"):
        assert name in done.stdout
        assert judges[name]["failures"] < judges[name]["items"] / 10
        assert (
            -1 <= judges[name]["kappa"]["low"] <= judges[name]["kappa"]["value"] <= judges[name]["kappa"]["high"] <= 1
        )
    assert 0 <= judges["pairwise"]["position_bias"]["value"] <= 1
