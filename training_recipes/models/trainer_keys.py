"""What the trainers know, from ``trainer_keys.json``: their keys, LlamaFactory's templates, and which models each template is for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from pairwright.training_recipes.recipes.rendering import Stage


def keys_of(stage: Stage) -> Mapping[str, str]:
    """The keys of a stage that a trainer reads, each with what it takes (see ``trainer_snapshot.py``)."""
    found = _snapshot()
    if stage.kind == "merge":
        return _TRL_MERGE if stage.trainer == "trl" else _keys(found, "llamafactory.export")
    name = f"trl.{stage.kind}" if stage.trainer == "trl" else "llamafactory"
    return {**found["shared"], **_keys(found, name)}


def templates() -> tuple[str, ...]:
    """Names of LlamaFactory's templates."""
    return tuple(_snapshot()["templates"])


def tool_templates() -> tuple[str, ...]:
    """Names of the templates that write tools and calls as their models know them."""
    return tuple(_snapshot()["tool_templates"])


def templates_by_model() -> Mapping[str, str]:
    """LlamaFactory's template of each model that it knows, by the model's name in lower case without its owner."""
    return {
        model.rpartition("/")[2].lower(): template
        for template, models in _snapshot()["models"].items()
        for model in models
    }


def trainer_version(name: str) -> str:
    """The version of a trainer that the keys were taken from."""
    return str(_snapshot()["versions"][name])


_TRL_MERGE = {"model_name_or_path": "str", "adapter_name_or_path": "str", "export_dir": "str"}


def _keys(found: Mapping[str, Any], name: str) -> Mapping[str, str]:
    keys: Mapping[str, str] = found["keys"][name]
    return keys


@cache
def _snapshot() -> Mapping[str, Any]:
    text = files("pairwright.training_recipes.models").joinpath("trainer_keys.json").read_text(encoding="utf-8")
    content: Mapping[str, Any] = json.loads(text)
    return content
