"""The JSON schema of build files, with every component's own keys, and the same as a page to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pairwright.core.components import Catalogues, Component, Configured, is_ours, load_class
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.problems import model_in
from pairwright.core.config.sections import Section
from pairwright.core.config.slots import Slot, slot_in
from pairwright.core.pages.markdown import Markup, code, markdown_table
from pairwright.pipelines.catalogues import CATALOGUES

_CUSTOM = {
    "type": "object",
    "description": "A component of your own: 'use: package.module:Class' imports and runs that code.",
    "properties": {"use": {"type": "string", "pattern": ":"}},
    "required": ["use"],
}


def build_file_schema(catalogues: Catalogues = CATALOGUES) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a build file; a component is one of its kind's catalogue, told apart by ``use``."""
    schema = BuildConfig.model_json_schema()
    forms = {
        kind: [(cls, _component_form(name, cls, schema["$defs"])) for name, cls in _classes(catalogue)]
        for kind, catalogue in catalogues.items()
    }
    for cls, form in [one for of_kind in forms.values() for one in of_kind]:
        for key, slot in _inner_slots(cls):
            # A component that contains others takes none that contain others again.
            _fill(form["properties"][key], [one for other, one in forms[slot.kind] if not _inner_slots(other)])
    for kind, of_kind in {**forms, "evaluations": forms["sources"]}.items():
        _fill(schema["properties"]["gate" if kind == "gates" else kind], [form for _, form in of_kind])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _classes(catalogue: Mapping[str, type[Configured]]) -> list[tuple[str, type[Component]]]:
    return [(name, load_class(name, catalogue)) for name in sorted(catalogue)]


def _fill(place: dict[str, Any], forms: list[dict[str, Any]]) -> None:
    """Say of a key for a component, or for a list of them, what may stand there."""
    one_of = [*forms, _CUSTOM]
    if "items" in place:
        place["items"] = {"anyOf": one_of}
        return
    # pydantic writes a plain $ref only for what must be there.
    if place.pop("$ref", None) is None:
        one_of.append({"type": "null"})
    place["anyOf"] = one_of


def _component_form(name: str, cls: type[Component], definitions: dict[str, Any]) -> dict[str, Any]:
    # Models of other packages may be called as ours are.
    prefix = "" if is_ours(cls) else f"{cls.__module__}.{cls.__name__}."
    try:
        form = cls.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
    except PydanticInvalidForJsonSchema:
        # A field has a type that JSON does not know: any value may stand in each.
        form = {"type": "object", "description": one_line(cls), "properties": {key: {} for key in cls.model_fields}}
    definitions |= {f"{prefix}{inner}": model for inner, model in form.pop("$defs", {}).items()}
    form["properties"] = {"use": {"const": name}, **form.get("properties", {})}
    form["required"] = ["use", *form.get("required", [])]
    return form


def _inner_slots(cls: type[Component]) -> list[tuple[str, Slot]]:
    # field.annotation lacks the metadata, and that is where a slot is.
    slots = ((key, slot_in(field.rebuild_annotation())) for key, field in cls.model_fields.items())
    return [(key, slot) for key, slot in slots if slot is not None]


def _is_slot(field: FieldInfo) -> bool:
    return slot_in(field.rebuild_annotation()) is not None


def one_line(cls: type) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((cls.__doc__ or "").split("\n\n")[0].split())


def build_file_page() -> str:
    """``docs/build-file.md``: every key of every part, with type, default and meaning."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield from (
        "# The build file",
        "",
        "A build file is YAML. Unknown keys are errors, and all problems are reported at once. This page is printed by",
        "`pairwright schema --page`; `pairwright schema` prints the same as JSON schema for editors. The commented files in",
        "`examples/` are the quickest way in.",
        "",
    )
    yield from _section("Top level", BuildConfig)
    for name, field in BuildConfig.model_fields.items():
        model = model_in(field.annotation)
        if model and issubclass(model, Section):
            yield from _section(f"`{name}`", model)
            yield from (line for key, inner in _parts(model) for line in _section(f"`{name}.{key}`", inner))
    for kind, catalogue in CATALOGUES.items():
        yield from (f"## Components of `{kind}`", "")
        yield from (
            f"`use: package.module:Class` names one of your own in `{kind}`; **that imports and runs its code**.",
            "",
        )
        for name in sorted(catalogue):
            cls = load_class(name, catalogue)
            yield from _section(f"`use: {name}`", cls, level=3)
            yield from (line for key, inner in _parts(cls) for line in _section(f"`{name}.{key}`", inner, level=4))


def _parts(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for key, field in model.model_fields.items():
        if inner := model_in(field.annotation):
            yield key, inner


def _section(title: str, model: type[BaseModel], level: int = 2) -> Iterator[str]:
    yield from (f"{'#' * level} {title}", "", one_line(model), "")
    if model.model_fields:
        forms = model.model_json_schema()["properties"]
        rows = [
            (code(key), Markup(_type(field, forms[key])), _default(field), field.description or Markup(_meaning(field)))
            for key, field in model.model_fields.items()
        ]
        yield from markdown_table([("key", "type", "default", "meaning"), *rows])
        yield ""


def _meaning(field: FieldInfo) -> str:
    model = model_in(field.annotation)
    return one_line(model) if model else ""


def _type(field: FieldInfo, form: Mapping[str, Any]) -> str:
    if _is_slot(field):
        return "list of components" if form.get("type") == "array" else "component"
    return _form(form)


_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": "null"}
_BOUNDS = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}


def _form(form: Mapping[str, Any]) -> str:
    """What JSON schema says of a value, in words."""
    if "$ref" in form:
        return code(form["$ref"].rpartition("/")[2])
    if "enum" in form or "const" in form:
        return " or ".join(map(code, form.get("enum", [form.get("const")])))
    if "anyOf" in form:
        return " or ".join(_form(part) for part in form["anyOf"])
    kind = form.get("type", "object")
    if kind == "array":
        parts = form.get("prefixItems") or [form["items"]]
        return f"{len(parts)} × {_form(parts[0])}" if "prefixItems" in form else f"list of {_form(parts[0])}"
    if kind == "object":
        inner = form.get("additionalProperties")
        return f"names, each with {_form(inner)}" if isinstance(inner, dict) else "mapping"
    bounds = [f"{sign} {form[key]:g}" for key, sign in _BOUNDS.items() if key in form]
    return ", ".join([_WORDS[kind], *bounds])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return Markup("**required**")
    if field.default is PydanticUndefined:
        return "see below" if model_in(field.annotation) else "empty"
    return code(json.dumps(field.default, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)
