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
        content = yaml_value(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{path}: no such build file"], "'pairwright init' writes one to start from.") from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc
    except ValueError as exc:
        raise ConfigError([f"{path}: {exc}"]) from exc
    if not isinstance(content, dict):
        raise ConfigError([f"{path}: expected keys and values, found {type(content).__name__}"])
    return content


def yaml_value(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The value of a YAML text.

    Raises:
        ValueError: not YAML, nested too deeply, or a value that cannot be, such as the 99th of May; in one line.
    """
    try:
        return yaml.load(text, Loader=loader)
    except RecursionError:
        raise ValueError("not valid YAML: nested too deeply") from None
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError) as exc:
        raise ValueError(f"not valid YAML: {' '.join(str(exc).split())}") from exc
