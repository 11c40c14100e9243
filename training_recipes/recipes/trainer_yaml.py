"""Reads YAML as the trainers' own command lines do: ``1e-5`` is a number, and a key that stands twice is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pairwright.core.config.yaml_file import parse_yaml, read_mapping
from pairwright.core.errors import ConfigError


def read_yaml(path: Path) -> dict[str, Any]:
    """The keys and values of a recipe.

    Raises:
        ConfigError: no such file, not YAML, or no mapping.
    """
    try:
        return read_mapping(path, "trainer")
    except OSError as exc:
        raise ConfigError([f"{path}: cannot be read: {exc}"]) from exc


def read_value(text: str) -> Any:
    """One value, as it would stand in a recipe.

    Raises:
        ValueError: it could not stand there.
    """
    return parse_yaml(text, "trainer")
