"""Writes down which keys the installed trainers know, so that checking a recipe needs neither of them.

    python -m pairwright.training_recipes.models.trainer_snapshot training_recipes/models/trainer_keys.json

Run it after changing a trainer's version; a test compares the file with the installed trainers. A key's entry lists
what it takes: types (``int``, ``float``, ``bool``, ``str``, ``list``, ``dict``, ``null``, ``any``) and choices
(``'sigmoid'``), joined by `` | ``.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import re
import sys
import types
import typing
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pairwright.core.files.storage import write_json

_PLAIN = {int: "int", float: "float", bool: "bool", str: "str", list: "list", dict: "dict", type(None): "null"}
_REFUSED = {"kto_pair"}  # TRL names it only to refuse it
_LOSS = re.compile(r"loss_type (?:==|in) (\[[^\]]*\]|\"\w+\")")


def snapshot() -> dict[str, Any]:
    """Versions, keys by what reads them, LlamaFactory's templates and the models that it gives them to.

    ``shared`` are the keys that every training has, ``tool_templates`` those that can write tools their model's way.
    """
    from llamafactory.hparams.parser import _INFER_ARGS, _TRAIN_ARGS

    training = {"llamafactory": _keys(_TRAIN_ARGS), **_trl()}
    shared = dict(set.intersection(*(set(keys.items()) for keys in training.values())))
    own = {name: {key: kinds for key, kinds in keys.items() if key not in shared} for name, keys in training.items()}
    return {
        "versions": {name: version(name) for name in ("llamafactory", "trl", "transformers")},
        "shared": shared,
        "keys": {**own, "llamafactory.export": _keys(_INFER_ARGS)},
        **_templates(),
    }


def _trl() -> dict[str, dict[str, str]]:
    from trl.scripts.utils import DatasetMixtureConfig, ScriptArguments
    from trl.trainer.cpo_config import CPOConfig
    from trl.trainer.cpo_trainer import CPOTrainer
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer
    from trl.trainer.kto_config import KTOConfig
    from trl.trainer.kto_trainer import KTOTrainer
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    found = {}
    trainers: dict[str, tuple[type, type]] = {
        "sft": (SFTConfig, SFTTrainer),
        "dpo": (DPOConfig, DPOTrainer),
        "kto": (KTOConfig, KTOTrainer),
        "simpo": (CPOConfig, CPOTrainer),
    }
    for kind, (config, trainer) in trainers.items():
        keys = {**_keys((ScriptArguments, config, ModelConfig, DatasetMixtureConfig)), "env": "dict"}
        losses = sorted(f"'{loss}'" for loss in _losses(config, trainer) - _REFUSED)
        keys["loss_type"] = " | ".join([*losses, *(["list"] if "list" in keys["loss_type"] else [])])
        found[f"trl.{kind}"] = dict(sorted(keys.items()))
    return found


def _losses(*classes: type) -> set[str]:
    """The names that a trainer compares its loss type with: its config does not list them."""
    found = [loss for cls in classes for loss in _LOSS.findall(inspect.getsource(cls))]
    return {name for names in found for name in re.findall(r"\"(\w+)\"", names)}


def _keys(classes: Iterable[type]) -> dict[str, str]:
    found = {}
    for cls in classes:
        hints = typing.get_type_hints(cls)
        for field in dataclasses.fields(cls):
            choices = field.metadata.get("choices")
            kinds = [f"'{choice}'" for choice in choices] if choices else _kinds(hints[field.name])
            if choices and type(None) in typing.get_args(hints[field.name]):
                kinds = [*kinds, "null"]
            found[field.name] = " | ".join(dict.fromkeys(kinds))
    return dict(sorted(found.items()))


def _kinds(hint: Any) -> Iterator[str]:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        parts = typing.get_args(hint)
        choices = any(isinstance(part, type) and issubclass(part, enum.Enum) for part in parts)
        for part in parts:
            if not (choices and part is str):  # the text is made one of the choices, or refused
                yield from _kinds(part)
    elif origin is typing.Literal:
        yield from (f"'{choice}'" for choice in typing.get_args(hint))
    elif origin in (list, dict):
        yield origin.__name__
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        yield from (f"'{member.value}'" for member in hint)
    else:
        yield _PLAIN.get(hint, "any")


def _templates() -> dict[str, Any]:
    from llamafactory.data.template import TEMPLATES
    from llamafactory.extras.constants import DEFAULT_TEMPLATE, SUPPORTED_MODELS, DownloadSource

    models: dict[str, list[str]] = {}
    for name, sources in SUPPORTED_MODELS.items():
        if (template := DEFAULT_TEMPLATE[name]) and (model := sources.get(DownloadSource.DEFAULT)):
            models.setdefault(template, []).append(model)
    tools = sorted(name for name, found in TEMPLATES.items() if found.format_tools.tool_format != "default")
    return {
        "templates": sorted(TEMPLATES),
        "tool_templates": tools,
        "models": {name: sorted(set(ids)) for name, ids in sorted(models.items())},
    }


if __name__ == "__main__":
    write_json(Path(sys.argv[1]), snapshot())
