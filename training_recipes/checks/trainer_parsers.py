"""Asks the installed trainers themselves what they think of a run: their own argument parsers, in one process.

This finds what only they know, combinations of keys above all. It needs the ``train`` extra and takes half a minute:
importing LlamaFactory does. Whatever depends on the device is left out; ``device_fit.py`` looks at that.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pairwright.core.errors import TrainingError
from pairwright.core.extras import install_line
from pairwright.training_recipes.checks.problem import Problem
from pairwright.training_recipes.recipes.filling import ROWS
from pairwright.training_recipes.recipes.rendering import Stage

# Precision is checked without the trainers, and they refuse what this machine lacks. A named optimizer needs no GPU.
_OF_THE_DEVICE: Mapping[str, Any] = {"bf16": False, "fp16": False, "use_cpu": True}
_NEEDS_PACKAGES = ("deepspeed", "use_unsloth", "enable_liger_kernel", "flash_attn")


def deep_check(stages: Sequence[Stage]) -> tuple[Problem, ...]:
    """What LlamaFactory's and TRL's own parsers refuse in stages that train or merge.

    Raises:
        TrainingError: the trainers are not installed, or cannot be run here.
    """
    with tempfile.TemporaryDirectory() as scratch:
        asked, said = Path(scratch) / "stages.json", Path(scratch) / "said.json"
        asked.write_text(json.dumps(to_parse(stages)), encoding="utf-8")
        command = [sys.executable, "-W", "ignore", "-m", __name__, str(asked), str(said)]
        run = subprocess.run(command, env={**os.environ, "WANDB_MODE": "disabled"}, capture_output=True, text=True)
        if run.returncode:
            reason = (run.stderr.strip().splitlines() or ["no message"])[-1]
            raise TrainingError(
                f"the trainers cannot be asked: {reason}", f"They must be installed: {install_line('train')}"
            )
        return tuple(Problem(*one) for one in json.loads(said.read_text(encoding="utf-8")))


def to_parse(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The stages that a trainer's parser reads, without what depends on the device."""
    return [_plain(stage) for stage in stages if stage.kind != "evaluate"]


def _plain(stage: Stage) -> dict[str, Any]:
    settings = {key: value for key, value in stage.settings.items() if key not in _NEEDS_PACKAGES}
    if stage.kind in ROWS:
        settings |= _OF_THE_DEVICE
    return {"name": stage.name, "trainer": stage.trainer, "kind": stage.kind, "settings": settings}


def main(asked: str, said: str) -> None:
    """Parse every stage of the file ``asked`` and write the problems to ``said``."""
    found = []
    for stage in json.loads(Path(asked).read_text(encoding="utf-8")):
        try:
            _parse(stage["trainer"], stage["kind"], stage["settings"])
        except (ValueError, TypeError, AssertionError, OSError, ImportError) as exc:
            trainer = {"llamafactory": "LlamaFactory", "trl": "TRL"}[stage["trainer"]]
            reason = " ".join(str(exc).split()) or type(exc).__name__
            found.append([stage["name"], "settings", f"{trainer} refuses them: {reason}", "Correct the keys it names."])
    Path(said).write_text(json.dumps(found), encoding="utf-8")


def _parse(trainer: str, kind: str, settings: dict[str, Any]) -> None:
    if trainer == "trl":
        if kind != "merge":  # which no parser of TRL's reads
            _parse_trl(kind, settings)
        return
    from llamafactory.hparams import get_infer_args, get_train_args

    (get_infer_args if kind == "merge" else get_train_args)(settings)


def _parse_trl(kind: str, settings: dict[str, Any]) -> None:
    """As ``trl sft --config FILE`` reads it."""
    from trl.scripts.utils import DatasetMixtureConfig, ScriptArguments, TrlParser
    from trl.trainer.cpo_config import CPOConfig
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    config = {"sft": SFTConfig, "dpo": DPOConfig, "kto": KTOConfig, "simpo": CPOConfig}[kind]
    classes: Any = (ScriptArguments, config, ModelConfig, DatasetMixtureConfig)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(settings, file)
        file.flush()
        TrlParser(classes).parse_args_and_config(["--config", file.name])


if __name__ == "__main__":
    main(*sys.argv[1:])
