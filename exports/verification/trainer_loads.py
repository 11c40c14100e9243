"""Loads every exported set with the trainers' own code and compares what they made of it with the files.

Building never imports a trainer: the work is done by ``llamafactory_loads`` and ``trl_loads`` in a process of their
own, which needs the ``train`` extra.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pairwright.core.config.build_file import PromptConfig
from pairwright.core.errors import ExportError
from pairwright.core.extras import install_line
from pairwright.core.files.storage import read_rows
from pairwright.core.identity import Row
from pairwright.core.prompts.student import Student

TEMPLATES = ("qwen", "qwen3_nothink", "smollm2")  # LlamaFactory's names; TRL renders the tokenizer's own template


class Checked(Row):
    """One set as one trainer loaded it. ``problems`` is empty when every row arrived as it was written.

    ``skipped`` says why a set was not tried with a template that cannot write it.
    """

    trainer: str
    name: str
    template: str
    rows: int
    longest: int
    problems: tuple[str, ...] = ()
    skipped: str = ""


def verify_exports(
    folder: Path, tokenizer: str, templates: Sequence[str] = TEMPLATES, cutoff_len: int = 2048
) -> tuple[Checked, ...]:
    """Check the LlamaFactory and TRL files below ``folder`` and return one report per set, trainer and template.

    ``tokenizer`` is the student's: a local folder or a model name. ``cutoff_len`` is the recipe's, in tokens.

    Raises:
        ExportError: there is nothing to check, or the trainers cannot be run here.
    """
    trainers = [
        name
        for name, file in (("llamafactory", "dataset_info.json"), ("trl", "export.json"))
        if (folder / name / file).is_file()
    ]
    if not trainers:
        raise ExportError(
            f"{folder}: no llamafactory or trl export here", "Add one of them to 'exports' and build again."
        )
    for trainer in trainers:
        require_current_prompt(folder / trainer / "export.json")
    return tuple(
        one for trainer in trainers for one in _checked(trainer, folder / trainer, tokenizer, templates, cutoff_len)
    )


def require_current_prompt(summary: Path) -> PromptConfig:
    """The prompt section that the export of an ``export.json`` was made with, if its text is still ours.

    Raises:
        ExportError: the prompts of this version differ from those in the files, so a student trained on the files
            would be served with another prompt than it knows.
    """
    content = json.loads(summary.read_text(encoding="utf-8"))
    config = PromptConfig.model_validate(content["prompt"])
    now = Student(kind=content.get("task", "rewrite"), prompt=config).prompt_hashes()
    changed = [
        f"{name} was {then}, is {now[name]}" for name, then in content["prompt_hashes"].items() if now[name] != then
    ]
    if changed:
        raise ExportError(
            f"{summary}: the prompt has changed: {', '.join(changed)}",
            "Build again, or use the version that exported it.",
        )
    return config


def _checked(trainer: str, folder: Path, tokenizer: str, templates: Sequence[str], cutoff_len: int) -> list[Checked]:
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.jsonl"
        command = [
            sys.executable,
            "-m",
            f"pairwright.exports.verification.{trainer}_loads",
            str(folder),
            tokenizer,
            str(cutoff_len),
            str(report),
            *templates,
        ]
        # A cache of its own, so that no earlier run's rows stand in for the files.
        env = {**os.environ, "HF_DATASETS_CACHE": scratch, "WANDB_MODE": "disabled", "TOKENIZERS_PARALLELISM": "false"}
        run = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", check=False)
        if run.returncode:
            reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise ExportError(
                f"{trainer} could not load {folder}: {reason}",
                f"It needs the trainers: {install_line('train')}",
            )
        return list(read_rows(report, Checked))
