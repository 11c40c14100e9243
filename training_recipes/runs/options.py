"""Reads what ``pairwright train`` is told on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pairwright.core.errors import ConfigError
from pairwright.core.records import Scalar, Split
from pairwright.training_recipes.recipes.trainer_yaml import read_value
from pairwright.training_recipes.runs.opening import Wishes
from pairwright.training_recipes.runs.watchdog import Limits

HeldOutChoice = Literal["test", "validation", "both", "none"]
SPLITS: Mapping[HeldOutChoice, tuple[Split, ...]] = {
    "test": ("test",),
    "validation": ("validation",),
    "both": ("validation", "test"),
    "none": (),
}
WORDS = ("yes", "no", "on", "off")


def asked(
    model: str | None, changes: Sequence[str], fresh: bool, stop: bool, held_out: HeldOutChoice = "test"
) -> Wishes:
    """The wishes of one command.

    Raises:
        ConfigError: a change is not ``KEY=VALUE``, or the model is a path that does not exist.
    """
    overrides = dict(_change(text) for text in changes)
    if model is not None:
        overrides["model_name_or_path"] = _model(model)
    return Wishes(overrides, fresh, Limits(stop=stop), SPLITS[held_out])


def _change(text: str) -> tuple[str, Scalar]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError([f"--set {text}: expected KEY=VALUE"], "For example: --set learning_rate=5e-6")
    return key.strip(), scalar(value)


def scalar(text: str) -> Scalar:
    """A value as a recipe's YAML reads it: ``5e-6`` is a number, ``true`` a boolean, all else text.

    ``no`` stays a word, though YAML 1.1 takes it for false: it is what trainers call a strategy.
    """
    if text.lower() in WORDS:
        return text
    try:
        found = read_value(text)
    except ValueError:
        return text
    return found if isinstance(found, str | int | float | bool) or found is None else text


def _model(model: str) -> str:
    looks_like_a_path = model.startswith((".", "/", "~")) or model.count("/") != 1
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder.resolve())
    if looks_like_a_path:
        raise ConfigError(
            [f"--model {model}: no such folder"],
            "Give the folder of a saved model (with config.json), or its name on the Hub: OWNER/NAME.",
        )
    return model
