"""Builds for tests: a small build file over real rows, and the command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[1] / "examples" / "data"
CLI = [sys.executable, "-m", "pairwright"]


def rows(name: str, count: int) -> list[dict[str, Any]]:
    """The first rows of one of the example files."""
    with (DATA / name).open(encoding="utf-8") as file:
        return [json.loads(next(file)) for _ in range(count)]


def write_rows(path: Path, content: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content), encoding="utf-8")
    return path


def build_file(folder: Path, base_url: str | None = None, **keys: Any) -> Path:
    """A build of 24 Chinese and 36 English rows in ``folder``; with ``base_url`` a teacher proposes rewrites too."""
    # Two builds that are compared share the data of the folder above: rows name the file that they came from.
    data = next(
        (path for path in (folder / "rows.jsonl", folder.parent / "rows.jsonl") if path.exists()), folder / "rows.jsonl"
    )
    if not data.exists():
        write_rows(data, [*rows("zh_gold.jsonl", 24), *rows("cast19.en.jsonl", 18), *rows("gecor.en.jsonl", 18)])
    content: dict[str, Any] = {
        "name": "small",
        "output": str(folder / "build"),
        "seed": 3,
        "sources": [{"use": "files", "source": "rows", "path": str(data), "licence": "MIT"}],
        "perturbers": [{"use": "entity_deletion"}, {"use": "made_ambiguous"}, {"use": "leaked_example"}],
        "exports": [{"use": "llamafactory"}],
        "pairing": {
            "max_defect_share": 1.0,
            "max_template_share": 1.0,
            "no_rewrite_share": [0, 1],
            "max_surface_auc": 1.0,
        },
        "limits": {"max_failure_rate": 1.0},
    }
    if base_url is not None:
        teacher = {"base_url": base_url, "model": "stub", "max_concurrency": 8, "timeout": 2, "max_retries": 8}
        content["endpoints"] = {"teacher": teacher}
        content["generation"] = [{"role": "teacher", "endpoint": "teacher", "temperatures": [0.0, 0.7]}]
    for key, value in keys.items():
        content[key] = (
            {**content[key], **value} if isinstance(content.get(key), dict) and isinstance(value, Mapping) else value
        )
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def run(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line; what it prints is wide enough to be searched."""
    return subprocess.run(
        [*CLI, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
    )


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the build in ``folder``."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return content
