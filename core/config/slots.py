"""The slots of a build file: what kind of component each one takes. Components that contain others have slots, too.

A slot is a type: ``gate: GateComponent`` is a :class:`~pairwright.core.components.Gate` for the type checker, and when a
build file is read, whatever else stands there is refused with what it is and what belongs there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_args

from pydantic import GetCoreSchemaHandler, SerializeAsAny, ValidationError, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from pairwright.core.components import (
    Catalogues,
    Comparer,
    Component,
    ExporterOf,
    Gate,
    Improver,
    Judge,
    NoSuchComponent,
    Perturber,
    Source,
    is_ours,
    load_class,
    reference_of,
)
from pairwright.core.config.foreign_code import code_forbidden, require_ours
from pairwright.core.config.problems import did_you_mean
from pairwright.core.pages.printable import printable
from pairwright.core.plugins import installed_plugins, told_of


class Kind(NamedTuple):
    """A kind of component: what one is called, and the methods that make a class one."""

    called: str
    methods: tuple[str, ...]

    def includes(self, cls: type[Component]) -> bool:
        """Whether a class has the methods."""
        return set(self.methods) <= set(dir(cls))

    def __str__(self) -> str:
        return f"{self.called} (a class with {' and '.join(map(repr, self.methods))})"


_KINDS: Mapping[type, Kind] = {
    Source: Kind("a source", ("read",)),
    Gate: Kind("a gate", ("decide",)),
    Judge: Kind("a judge", ("judge",)),
    Comparer: Kind("a comparer", ("compare",)),
    Improver: Kind("an improver", ("review", "prefer")),
    Perturber: Kind("a perturber", ("perturb",)),
    ExporterOf: Kind("an exporter", ("export",)),
}


@dataclass(frozen=True)
class Slot:
    """A place for components that keep to the protocol ``takes``; ``kind`` is their catalogue.

    Stands beside the protocol in an annotation. The value is a component, or what a build file has in its place.
    """

    kind: str
    takes: type

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In schemas and when it is written a slot is any component; only what may be put into it differs."""
        written = handler.generate_schema(SerializeAsAny[Component])
        return core_schema.with_info_before_validator_function(self._fill, written)

    def _fill(self, value: object, info: ValidationInfo) -> Component:
        key = info.field_name or self.kind
        if isinstance(value, Component):
            self._require(type(value), reference_of(type(value)), key)
            return value
        if not isinstance(value, dict) or not isinstance(value.get("use"), str):
            raise ValueError(f"expected a mapping with 'use: NAME' that names one of the {self.kind}")
        settings = {name: item for name, item in value.items() if name != "use"}
        context = info.context or {}
        catalogues: Catalogues = context.get("catalogues", {})
        if code_forbidden(code=context.get("code", True)):
            require_ours(value["use"], catalogues.get(self.kind, {}))
        chosen = self._find(value["use"], catalogues)
        self._require(chosen, value["use"], key)
        with _told_of(chosen):
            return chosen.model_validate(settings, context=info.context)

    def _find(self, reference: str, catalogues: Catalogues) -> type[Component]:
        catalogue = catalogues.get(self.kind, {})
        try:
            return load_class(reference, catalogue)
        except NoSuchComponent as exc:
            raise ValueError(f"{exc}{did_you_mean(reference, exc.known)}") from exc
        except LookupError as exc:
            raise ValueError(str(exc)) from exc

    def _require(self, cls: type[Component], reference: str, key: str) -> None:
        wanted = _KINDS[self.takes]
        if not wanted.includes(cls):
            found = [kind.called for kind in _KINDS.values() if kind.includes(cls)]
            what = f"is {' and '.join(found)}" if found else "has the methods of no kind of component"
            raise ValueError(f"{_called(reference)} {what}, {key} takes {wanted}")
        if not _is_named(cls):
            raise ValueError(f'{_called(reference)} has no name; give the class one: name: ClassVar[str] = "..."')


@contextmanager
def _told_of(cls: type[Component]) -> Iterator[None]:
    """What somebody's own component raises while it looks at its settings is a problem of the build file."""
    try:
        yield
    except (ValueError, AssertionError) as exc:
        # pydantic passes them on, and cannot encode every text.
        if isinstance(exc, ValidationError) or (text := str(exc)) == printable(text):
            raise
        raise ValueError(printable(text)) from exc
    except KeyboardInterrupt:
        raise
    except BaseException as exc:
        if is_ours(cls):
            raise
        raise ValueError(f"{reference_of(cls)} failed: {told_of(exc)}") from exc


def slot_in(annotation: Any) -> Slot | None:
    """The slot in an annotation such as ``GateComponent | None`` or ``tuple[JudgeComponent, ...]``."""
    if isinstance(annotation, Slot):
        return annotation
    return next((slot for argument in get_args(annotation) if (slot := slot_in(argument))), None)


def kinds_of(cls: type[Component], reference: str) -> tuple[str, ...]:
    """The catalogues that a class can stand in, as ``("judges", "comparison")``.

    Raises:
        ValueError: in none: it lacks the methods of all kinds, or a name.
    """
    found = tuple(slot.kind for slot in map(slot_in, _COMPONENTS) if slot and _KINDS[slot.takes].includes(cls))
    if not found:
        kinds = ", ".join(map(str, _KINDS.values()))
        raise ValueError(f"{reference} has the methods of no kind of component; there are: {kinds}")
    if not _is_named(cls):
        raise ValueError(f'{reference} has no name; give the class one: name: ClassVar[str] = "..."')
    return found


def _called(reference: str) -> str:
    plugin = next((plugin for plugin in installed_plugins() if plugin.name == reference), None)
    return f"{reference} of package {plugin.package}" if plugin else reference


def _is_named(cls: type[Component]) -> bool:
    """Whether rows and reports can call the component by a name: an annotation alone, or a field, gives the class none."""
    try:
        return isinstance(cls.name, str) and bool(cls.name.strip())
    except AttributeError:
        return False


SourceComponent = Annotated[Source, Slot("sources", Source)]
GateComponent = Annotated[Gate, Slot("gates", Gate)]
JudgeComponent = Annotated[Judge, Slot("judges", Judge)]
ComparerComponent = Annotated[Comparer, Slot("comparison", Comparer)]
ImproverComponent = Annotated[Improver, Slot("improve", Improver)]
PerturberComponent = Annotated[Perturber, Slot("perturbers", Perturber)]
ExporterComponent = Annotated[ExporterOf[Any], Slot("exports", ExporterOf)]
_COMPONENTS = (
    SourceComponent,
    GateComponent,
    JudgeComponent,
    ComparerComponent,
    ImproverComponent,
    PerturberComponent,
    ExporterComponent,
)
