"""A YAML file of keys and values, read with errors that name it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pairwright.core.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """The content of a build file.

    Raises:
        ConfigError: no such file, not readable, not YAML, or no mapping at the top.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such build file"], "'pairwright init' writes one to start from.") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc
    except yaml.YAMLError as exc:
        raise ConfigError([f"{path}: not valid YAML: {' '.join(str(exc).split())}"]) from exc
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: expected keys and values, found {type(content).__name__}"])
    return content
