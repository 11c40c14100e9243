"""The recipes: plain YAML files for LlamaFactory and TRL, the command that runs each in its first line.

A recipe is the trainer's own file: ``llamafactory-cli`` and ``trl`` read it as it stands. What is not in its keys
stands in its opening comment: the first line is the command, the rest says what the recipe is for.

A chain names recipes to run one after the other and the models to compare at the end::

    chain: [qwen2.5-3b.sft.lora, qwen2.5-3b.merge, qwen2.5-3b.dpo.mixed]
    evaluate: {base: hf:…, sft: hf:…, dpo: hf:…+…}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from pairwright.core.config.problems import did_you_mean
from pairwright.core.errors import ConfigError
from pairwright.training_recipes.recipes.trainer_yaml import read_yaml

Trainer = Literal["llamafactory", "trl"]
Kind = Literal["sft", "dpo", "kto", "simpo", "orpo", "merge", "evaluate"]

_TRL_COMMAND = re.compile(r"# trl (sft|dpo|kto) ")


class Recipe(BaseModel):
    """One recipe file. ``stage`` is what it does, or ``chain`` for several recipes in order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    trainer: Trainer
    stage: Kind | Literal["chain"]
    student: str
    summary: str
    path: Path
    settings: Mapping[str, Any]

    @property
    def chain(self) -> tuple[str, ...]:
        """Names of the recipes that a chain runs; empty for a single recipe."""
        return tuple(self.settings.get("chain", ()))

    @property
    def writes_to(self) -> str:
        """The folder that the recipe's trainer writes to when it runs the file as it stands."""
        return str(self.settings.get("export_dir") or self.settings.get("output_dir") or "")


def recipes() -> Mapping[str, Recipe]:
    """The shipped recipes by name, in order of name."""
    folder = Path(str(files("pairwright.training_recipes").joinpath("configs")))
    return {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}


def read_recipe(name_or_path: str) -> Recipe:
    """A shipped recipe by its name, or a recipe file by its path.

    Raises:
        ConfigError: no such recipe or file, not YAML, or a file of neither trainer.
    """
    path = Path(str(files("pairwright.training_recipes").joinpath("configs", f"{name_or_path}.yaml")))
    if path.is_file() and "/" not in name_or_path:
        return _read(path)
    if Path(name_or_path).is_file():
        return _read(Path(name_or_path))
    raise ConfigError(
        [f"no recipe {name_or_path!r}{did_you_mean(name_or_path, _names())}"],
        "'pairwright recipes list' prints the names; a file of your own is named by its path.",
    )


def made_by(folder: str) -> str | None:
    """The shipped recipe that writes to ``folder`` as it stands, such as ``saves/qwen2.5-3b/merged``."""
    found = (name for name, recipe in recipes().items() if folder in (recipe.writes_to, recipe.writes_to + "/"))
    return next(found, None)


def _names() -> list[str]:
    folder = Path(str(files("pairwright.training_recipes").joinpath("configs")))
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _read(path: Path) -> Recipe:
    settings = read_yaml(path)
    command, summary = _opening(path.read_text(encoding="utf-8-sig"))
    if "chain" in settings:
        _require_chain(path, settings)
        first = read_recipe(settings["chain"][0])
        return Recipe(
            name=path.stem,
            trainer=first.trainer,
            stage="chain",
            student=first.student,
            summary=summary,
            path=path,
            settings=settings,
        )
    trainer, stage = _kind(path, settings, command)
    return Recipe(
        name=path.stem,
        trainer=trainer,
        stage=stage,
        student=str(settings.get("model_name_or_path", "")),
        summary=summary,
        path=path,
        settings=settings,
    )


def _require_chain(path: Path, settings: Mapping[str, Any]) -> None:
    chain, systems = settings["chain"], settings.get("evaluate", {})
    if not isinstance(chain, list) or not chain or not all(isinstance(name, str) for name in chain):
        raise ConfigError([f"{path}: chain: expected a list of recipes, found {chain!r}"])
    if not isinstance(systems, dict) or not all(isinstance(system, str) for system in systems.values()):
        raise ConfigError([f"{path}: evaluate: expected a system by its name, such as 'sft: hf:FOLDER'"])


def _opening(text: str) -> tuple[str, str]:
    """The command in the first comment line and the sentence that follows it."""
    comment: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        comment.append(line)
    summary = " ".join(line.lstrip("# ") for line in comment[1:])
    return (comment[0] if comment else ""), summary.split(". ")[0].rstrip(".")


def _kind(path: Path, settings: Mapping[str, Any], command: str) -> tuple[Trainer, Kind]:
    if "export_dir" in settings:
        return ("llamafactory" if "template" in settings else "trl"), "merge"
    if {"stage", "finetuning_type", "template"} & settings.keys():
        return "llamafactory", llamafactory_kind(settings)
    if settings.get("loss_type") == "simpo":
        return "trl", "simpo"
    if found := _TRL_COMMAND.match(command):
        kinds: Mapping[str, Kind] = {"sft": "sft", "dpo": "dpo", "kto": "kto"}
        return "trl", kinds[found[1]]
    raise ConfigError(
        [f"{path}: neither a LlamaFactory recipe (it has a 'stage') nor a TRL one (the first line names its command)"],
        "Begin the file with '# trl sft --config FILE', '# trl dpo …' or '# trl kto …', or add LlamaFactory's 'stage'.",
    )


def llamafactory_kind(settings: Mapping[str, Any]) -> Kind:
    """What LlamaFactory trains with these settings: SimPO and ORPO are losses of its stage ``dpo``."""
    losses: Mapping[Any, Kind] = {"simpo": "simpo", "orpo": "orpo"}
    if settings.get("stage", "sft") == "dpo":
        return losses.get(str(settings.get("pref_loss")), "dpo")
    return "kto" if settings.get("stage") == "kto" else "sft"
