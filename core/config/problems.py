"""Turns pydantic's error records into ``path: message`` lines that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from pairwright.core.components import Catalogues, Component, Configured, load_class
from pairwright.core.records import TaskKind

Location = tuple[int | str, ...]
_LONGEST_WORD = 100
MOST_SHOWN = 100  # problems: whoever reads another format as a build file needs no more, and each one costs time


def explain(
    errors: Sequence[Any],
    model: type[BaseModel],
    content: object,
    catalogues: Catalogues,
) -> list[str]:
    """One ``path: message`` per pydantic error, without those that only follow from another one; of very many the first."""
    locations = [error["loc"] for error in errors]
    # A list whose items are all wrong is also reported as too short: noise beside the items' own errors.
    real = [e for e in errors if not (e["type"] == "too_short" and any(_below(other, e["loc"]) for other in locations))]
    more = [f"and {len(real) - MOST_SHOWN:,} problems more"] if len(real) > MOST_SHOWN else []
    return [*sorted(_dotted(e["loc"]) + _message(e, model, content, catalogues) for e in real[:MOST_SHOWN]), *more]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``, did you mean X?`` when one of ``known`` is close to ``word``, else nothing."""
    if len(word) > _LONGEST_WORD:
        return ""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""


def find_misfits(
    task: TaskKind,
    used: Iterable[tuple[str, Component]],
    catalogues: Catalogues,
) -> list[str]:
    """One problem per component that is not for builds of this kind of task, with the names of those that are."""
    return [
        f"{path}: {one.name} is not for task: {task}; there are: {_fitting(task, catalogues.get(_kind(path.split('.')[0]), {}))}"
        for path, one in used
        if task not in one.tasks
    ]


def _kind(key: str) -> str:
    """The catalogue of the components that stand under ``key`` of a build file."""
    return {"evaluations": "sources", "gate": "gates"}.get(key, key)


def _fitting(task: TaskKind, catalogue: Mapping[str, type[Configured]]) -> str:
    return ", ".join(sorted(name for name, one in catalogue.items() if task in one.tasks)) or "none"


def _below(location: Location, parent: Location) -> bool:
    return len(location) > len(parent) and location[: len(parent)] == parent


def shorten(word: str) -> str:
    """``word``, with … in the middle of a long one."""
    return word if len(word) <= _LONGEST_WORD else f"{word[:50]}…{word[-20:]}"


def _dotted(location: Location) -> str:
    return "".join(f"{shorten(str(part))}." for part in location)[:-1] + ": " if location else ""


def _message(error: Any, model: type[BaseModel], content: object, catalogues: Catalogues) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        known = _keys_at(error["loc"][:-1], model, content, catalogues)
        guess = did_you_mean(str(error["loc"][-1]), known)
        there_are = f"; there are: {', '.join(sorted(known))}" if known else ""
        return f"unknown key{guess or there_are}"
    if kind == "missing":
        return "required key is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    if not _may_show(error["loc"], error["input"], model, content, catalogues):
        return message
    shown = repr(error["input"])
    # A whole section as the value that was found would bury the message.
    return message if kind == "value_error" or len(shown) > 60 else f"{message}, found {shown}"


def _may_show(location: Location, value: object, model: type[BaseModel], content: Any, catalogues: Catalogues) -> bool:
    """Not the texts of endpoints and of others' components: a key may stand where something else belongs."""
    if value is None or isinstance(value, bool | int | float) or location[-1:] == ("use",):
        return True
    if "endpoints" in location[:1] or "base_url" in model.model_fields:
        return False
    for part in location:
        try:
            content = content[part]
        except (LookupError, TypeError):
            return True
        if isinstance(content, Mapping) and "use" in content:
            catalogue = catalogues.get(_kind(str(location[0])), {})
            if not (isinstance(content["use"], str) and content["use"] in catalogue):
                return False
    return True


def _keys_at(location: Location, model: type[BaseModel], content: Any, catalogues: Catalogues) -> list[str]:
    """The keys that the mapping at ``location`` may have."""
    annotation: Any = model
    for part in location:
        content = content[part]
        annotation = _inner(annotation, part)
        # Slots have protocols as their types; all other mappings with keys to explain are models.
        if isinstance(content, dict) and "use" in content and model_in(annotation) is None:
            try:
                annotation = load_class(content["use"], catalogues[_kind(str(location[0]))])
            except LookupError:
                return []
    found = model_in(annotation)
    names = list(found.model_fields) if found else []
    return [*names, "use"] if found and issubclass(found, Component) else names


def _inner(annotation: Any, part: int | str) -> Any:
    model = model_in(annotation) if isinstance(part, str) else None
    if model and part in model.model_fields:
        return model.model_fields[str(part)].annotation
    arguments = get_args(annotation)
    # In an annotation the values of a mapping stand last, the items of a tuple first.
    return arguments[-1] if isinstance(part, str) and arguments else (arguments[0] if arguments else annotation)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model class in an annotation such as ``Model``, ``Model | None`` or ``Annotated[Model, …]``."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((model for argument in get_args(annotation) if (model := model_in(argument))), None)
