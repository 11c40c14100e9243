"""Reads YAML as the trainers' own command lines do: ``1e-5`` is a number, and a key that stands twice is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pairwright.core.config.yaml_file import yaml_value
from pairwright.core.errors import ConfigError

# YAML 1.1 wants a dot in a float; LlamaFactory (OmegaConf) and people do not.
_FLOAT = re.compile(
    r"^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?(?:[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)"
    r"|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice[0]!r} stands here twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a recipe.

    Raises:
        ConfigError: no such file, not YAML, or no mapping.
    """
    try:
        content = yaml_value(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc
    except ValueError as exc:
        raise ConfigError([f"{path}: {exc}"]) from exc
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError([f"{path}: expected keys and values, found {type(content).__name__}"])
    return content


def read_value(text: str) -> Any:
    """One value, as it would stand in a recipe.

    Raises:
        yaml.YAMLError: it could not stand there.
    """
    return yaml.load(text, Loader=_Loader)
