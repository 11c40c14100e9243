"""Finished builds for tests of training: real exports of a few rows, without running a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import answers
import yaml

from pairwright.core.exporter import Exporter
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.records import PreferencePair, SftRow
from pairwright.exports.forms.llamafactory import LlamaFactoryExporter
from pairwright.exports.forms.trl import TrlExporter
from pairwright.testing import factories

PEOPLE = ("Ada", "Ben", "Cleo", "Dai", "Eva", "Finn", "Gus", "Hana")


def rows() -> tuple[list[SftRow], list[PreferencePair]]:
    """Eight answers and eight pairs in each language; the last of each is for validation, the one before for test."""
    sft, pairs = [], []
    for at, name in enumerate(PEOPLE):
        split: Any = ("test", "validation")[at - 6] if at > 5 else "train"
        known = f"Yes, {name}. " * (100 if at == 0 else 1)  # one long row, as there is in any real build
        english = factories.task("Where is she?", [("user", f"Do you know {name}?"), ("assistant", known)])
        chinese = factories.task("她在哪里？", [("user", f"你认识{name}吗？"), ("assistant", "认识。")], language="zh")
        for task, answer, worse in (
            (english, f"Where is {name} now?", "Where is she now?"),
            (chinese, f"{name}现在在哪里？", "她现在在哪里？"),
        ):
            sft.append(factories.sft_row(task, answer, split))
            pairs.append(factories.pair(task, answer, worse, split))
    return sft, pairs


def finished_build(folder: Path, **config: Any) -> Path:
    """A finished build with LlamaFactory and TRL exports, KTO included, in ``folder``."""
    return _finished(folder, *rows(), (LlamaFactoryExporter(kto=True), TrlExporter(kto=True)), config)


def answering_build(folder: Path) -> Path:
    """A finished build whose student learns to answer, with tools in some dialogues."""
    return _finished(folder, *answers.rows(), (LlamaFactoryExporter(form="sharegpt"),), {"task": "answer"})


def _finished(
    folder: Path,
    sft: list[SftRow],
    pairs: list[PreferencePair],
    exporters: tuple[Exporter, ...],
    config: dict[str, Any],
) -> Path:
    settings = factories.build_result(folder, **config).config
    prompts = KINDS[settings.task].prompt_hashes(settings.prompt)
    build = factories.build_result(folder, sft, pairs, prompt_hashes=prompts, **config)
    for exporter in exporters:
        exporter.export(build, folder / "exports")
    manifest = {"build": build.build_id, "name": build.config.name, "prompts": dict(prompts), "files": {}, "stages": []}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    content = build.config.model_dump(mode="json")
    (folder / "build.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder
