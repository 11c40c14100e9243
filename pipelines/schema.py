"""The JSON schema of build files, with every component's own keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pairwright.core.components import Component
from pairwright.core.config import BuildConfig
from pairwright.pipelines.catalogues import CATALOGUES


def build_file_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a build file; a component is one of its kind's catalogue, told apart by ``use``."""
    schema = BuildConfig.model_json_schema()
    for kind, catalogue in CATALOGUES.items():
        forms = [_component_schema(name, cls) for name, cls in sorted(catalogue.items())]
        schema["properties"][kind]["items"] = {"anyOf": [*forms, _CUSTOM]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_CUSTOM = {
    "type": "object",
    "description": "A component of your own: 'use: package.module:Class' imports and runs that code.",
    "properties": {"use": {"type": "string", "pattern": ":"}},
    "required": ["use"],
}


def _component_schema(name: str, cls: type[Component]) -> dict[str, Any]:
    schema = cls.model_json_schema(ref_template="#/$defs/{model}")
    properties: Mapping[str, Any] = {"use": {"const": name}, **schema.get("properties", {})}
    return {**schema, "properties": properties, "required": ["use", *schema.get("required", [])]}


def one_line(cls: type[Component]) -> str:
    """The first sentence of a component's docstring."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())
