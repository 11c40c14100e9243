"""The builds that are troubled: small ones that between them use every stage, in both languages, of both kinds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
DATA = ROOT / "examples" / "data"
KEY = "CHAOS_API_KEY"
TIMEOUT = 12.0
"""Seconds for one request."""
IN_FLIGHT = 6
"""Requests at once to each endpoint."""
SEED, OTHER_SEED = 5, 6
"""The seed of the build file, and the one that it is edited to."""

REWRITE_PERTURBERS = [{"use": "entity_deletion"}, {"use": "made_ambiguous"}, {"use": "over_edit"}]
ANSWER_PERTURBERS = [
    {"use": "brush_off"},
    {"use": "unsupported_claim"},
    {"use": "broken_json"},
    {"use": "skipped_step"},
]
TEACHER = {"role": "teacher", "endpoint": "teacher", "temperatures": [0.0, 0.7], "reasks": 2}
RUBRIC = {"use": "rubric", "endpoint": "judge", "dimensions": ["correctness", "clarity"]}
SECOND = {**RUBRIC, "endpoint": "second"}
RULES = [{"use": "leftover_reference"}, {"use": "language_mismatch"}]
PANEL = {"use": "panel", "members": [RUBRIC, SECOND], "rule": "mean", "threshold": 0.3}


class Shape(NamedTuple):
    """A build: rows taken from the example data (file: how many), and what its file says beside the common keys."""

    rows: Mapping[str, int]
    keys: Mapping[str, Any]

    @property
    def asks(self) -> bool:
        """Whether it asks a model at all."""
        return any(word in json.dumps(self.keys) for word in ("endpoint", "generation"))

    @property
    def generates(self) -> bool:
        """Whether it starts processes of its own."""
        return "generation" in self.keys


QUICK = {"dedup": {"near": False}}
SHAPES: Mapping[str, Shape] = {
    "smallest": Shape({"zh_gold.jsonl": 30}, {**QUICK, "judges": [RUBRIC], "exports": [{"use": "jsonl"}]}),
    "no_model": Shape(
        {"zh_gold.jsonl": 60},
        {
            "perturbers": REWRITE_PERTURBERS,
            "exports": [{"use": "llamafactory", "kto": True}, {"use": "openai"}, {"use": "jsonl"}],
        },
    ),
    "no_model_en": Shape(
        {"cast19.en.jsonl": 40},
        {
            **QUICK,
            "perturbers": REWRITE_PERTURBERS,
            "audit": {"resamples": 100},
            "exports": [{"use": "trl"}, {"use": "parquet"}, {"use": "card"}],
        },
    ),
    "judged_zh": Shape(
        {"zh_gold.jsonl": 60},
        {**QUICK, "judges": [*RULES, RUBRIC], "exports": [{"use": "llamafactory"}, {"use": "jsonl"}]},
    ),
    "judged_both": Shape(
        {"gecor.en.jsonl": 20, "zh_gold.jsonl": 20},
        {
            **QUICK,
            "judges": [{"use": "language_mismatch"}, PANEL],
            "comparison": {"use": "pairwise", "endpoint": "second"},
            "perturbers": [{"use": "over_edit"}, {"use": "made_ambiguous"}],
            "pairing": {"verify": "judge"},
            "exports": [{"use": "openai"}, {"use": "parquet"}, {"use": "card"}],
        },
    ),
    "gate_and_improve": Shape(
        {"cast19.en.jsonl": 30, "zh_gold.jsonl": 30},
        {
            **QUICK,
            "gate": {"use": "llm", "endpoint": "judge"},
            "judges": [{"use": "language_mismatch"}],
            "improve": {"use": "fine", "endpoint": "judge"},
            "exports": [{"use": "llamafactory"}, {"use": "jsonl"}],
        },
    ),
    "answers_with_tools": Shape(
        {"tools.zh.jsonl": 6, "tools.en.jsonl": 6},
        {
            **QUICK,
            "task": "answer",
            "context": {"queries": "every", "turns": 4, "max_tokens": 3072},
            "judges": [{"use": "brush_off"}, {"use": "valid_tool_call"}, {"use": "language_mismatch"}],
            "improve": {"use": "improve_or_reject", "endpoint": "judge", "rules": "rules/childrens_clothing.{language}.txt"},
            "perturbers": ANSWER_PERTURBERS,
            "exports": [{"use": "llamafactory", "form": "sharegpt", "max_tokens": 4096}, {"use": "openai"}],
        },
    ),
    "generated_zh": Shape(
        {"zh_gold.jsonl": 24},
        {
            **QUICK,
            "generation": [TEACHER],
            "judges": [{"use": "language_mismatch"}, RUBRIC],
            "exports": [{"use": "llamafactory"}, {"use": "jsonl"}],
        },
    ),
    "generated_en": Shape(
        {"cast19.en.jsonl": 24},
        {
            **QUICK,
            "generation": [TEACHER, {"role": "weak", "endpoint": "second", "temperatures": [0.7]}],
            "judges": RULES,
            "comparison": {"use": "pairwise", "endpoint": "judge"},
            "pairing": {"choose": "knockout"},
            "exports": [{"use": "llamafactory"}, {"use": "openai"}],
        },
    ),
    "everything": Shape(
        {"zh_gold.jsonl": 16, "gecor.en.jsonl": 16},
        {
            "gate": {"use": "llm", "endpoint": "judge"},
            "generation": [TEACHER],
            "judges": [*RULES, PANEL],
            "improve": {"use": "fine", "endpoint": "judge"},
            "perturbers": REWRITE_PERTURBERS,
            "exports": [{"use": "llamafactory"}, {"use": "trl"}, {"use": "parquet"}, {"use": "jsonl"}, {"use": "card"}],
        },
    ),
}  # fmt: skip


def write_rows(shape: Shape, folder: Path) -> None:
    """The data of a build below ``folder``: always under the same names, which rows bear."""
    (folder / "rules").symlink_to(ROOT / "examples" / "rules")
    for name, count in shape.rows.items():
        with (DATA / name).open(encoding="utf-8") as file:
            (folder / name).write_text(
                "".join(line for line, _ in zip(file, range(count), strict=False)), encoding="utf-8"
            )


def write_build(
    shape: Shape,
    folder: Path,
    url: str,
    *,
    name: str = "build",
    output: str = "out",
    ledger: str | None,
    seed: int = SEED,
) -> str:
    """Write ``NAME.yaml`` into ``folder`` and return its name; paths in it are relative to ``folder``."""
    loose = {"max_defect_share": 1.0, "max_template_share": 1.0, "no_rewrite_share": [0, 1], "max_surface_auc": 1.0}
    content: dict[str, Any] = {"name": "chaos", "output": output, "seed": seed}
    content["sources"] = [
        {"use": "files", "source": Path(row).stem, "path": row, "licence": "MIT"} for row in shape.rows
    ]
    content |= shape.keys
    content["pairing"] = {**loose, **shape.keys.get("pairing", {})}
    content["limits"] = {"max_failure_rate": 1.0}
    if ledger is not None:
        content["ledger"] = ledger
    if shape.asks:
        settings = {
            "base_url": url,
            "api_key_env": KEY,
            "max_concurrency": IN_FLIGHT,
            "timeout": TIMEOUT,
            "max_retries": 12,
        }
        content["endpoints"] = {part: {**settings, "model": f"chaos-{part}"} for part in ("teacher", "judge", "second")}
    partial = folder / f".{name}.yaml.partial"
    partial.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    os.replace(partial, folder / f"{name}.yaml")
    return f"{name}.yaml"
