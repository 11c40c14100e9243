"""The extension points, and how a build file's ``use:`` becomes an object.

A component is a frozen pydantic model: its fields are its configuration, its one method is its behaviour. A build
file names it by its name in the catalogue (``use: entity_deletion``), by one that an installed package registers (see
``core/plugins.py``), or as ``use: package.module:Class``.
**The last two import and run that code**: use only build files and packages that you trust.
"""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, get_args, runtime_checkable

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from pairwright.core.bookkeeping import Failed
from pairwright.core.plugins import Loading, Plugin, PluginError, find_plugin, installed_plugins
from pairwright.core.records import (
    Candidate,
    Case,
    Comparison,
    Conversation,
    GateDecision,
    KnownCase,
    Rejected,
    SftRow,
    TaskKind,
    Verdict,
)

if TYPE_CHECKING:
    from pairwright.core.bookkeeping import Dropped
    from pairwright.core.improvement import Review
    from pairwright.core.requests import Ask


def require_number(cls: type[BaseModel], value: object, info: ValidationInfo) -> object:
    """Refuse ``yes`` and ``true`` where a number is meant: pydantic takes them for 1.

    Raises:
        ValueError: ``value`` is one, and the field takes nothing but numbers.
    """
    field = cls.model_fields.get(info.field_name or "") if isinstance(value, bool) else None
    if field is not None:
        kinds = set(get_args(field.annotation) or (field.annotation,)) - {type(None)}
        if kinds and kinds <= {int, float}:
            raise ValueError(f"expected a number, found {str(value).lower()}")
    return value


class Component(BaseModel):
    """The one base of all components: frozen configuration, unknown keys forbidden.

    ``name`` is the component's name in its catalogue, and what rows and reports call it. ``paid`` says that it asks
    an endpoint: such judges come last and see only what the others let through. ``tasks`` are the kinds of task that a
    judge, improver or perturber is for; a build file that uses it for another kind is refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    paid: ClassVar[bool] = False
    tasks: ClassVar[frozenset[TaskKind]] = frozenset({"rewrite"})

    def requests_per_candidate(self, kind: TaskKind) -> int:  # noqa: ARG002
        """How many requests one candidate for a task of that kind costs at most; for forecasts and the report."""
        return 0

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: object, info: ValidationInfo) -> object:
        return require_number(cls, value, info)

    @model_serializer(mode="wrap")
    def _with_use(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Dump as a build file has it, so that the resolved file can be built again."""
        cls = type(self)
        return {"use": cls.name if is_ours(cls) else reference_of(cls), **handler(self)}


def is_ours(cls: type) -> bool:
    """Whether a class is part of this package; all others are somebody's own."""
    return cls.__module__.startswith("pairwright.")


def reference_of(cls: type) -> str:
    """What names a class in a build file: ``package.module:Class``."""
    return f"{cls.__module__}:{cls.__name__}"


class Configured(Protocol):
    """What all components have, whatever they do; see :class:`Component`. The protocols below add what each kind does."""

    name: ClassVar[str]
    paid: ClassVar[bool]
    tasks: ClassVar[frozenset[TaskKind]]

    def requests_per_candidate(self, kind: TaskKind) -> int:
        """How many requests one candidate for a task of that kind costs at most."""
        ...

    @property
    def model_fields_set(self) -> set[str]:
        """The settings that the build file gives; all others have their defaults."""
        ...

    def model_dump(self, *, mode: str = "python", exclude: set[str] | None = None) -> dict[str, Any]:
        """All settings, and what names the component in a build file under ``use``."""
        ...

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """The component with other settings."""
        ...


@runtime_checkable
class Source(Configured, Protocol):
    """Where dialogues come from."""

    def read(self) -> Iterator[Conversation | Failed]:
        """Yield one outcome per raw row, in the order of the source; a bad row is a ``Failed``, not an exception.

        Raises:
            SourceError: the source cannot be read at all.
        """
        ...


@runtime_checkable
class Gate(Configured, Protocol):
    """Says of a query whether it needs a rewrite, and whether what it lacks stands in an answer that is missing."""

    async def decide(self, case: Case, ask: Ask) -> GateDecision:
        """The decision on one query. ``ask`` sends a request to a named endpoint; rules ignore it.

        A :class:`Case` has no reference: what a gate says must not depend on the answer.

        Raises:
            RequestFailed: no usable answer came; the stage turns it into a ``Failed`` row.
        """
        ...


@runtime_checkable
class Judge(Configured, Protocol):
    """Says what is wrong with a candidate, or that nothing is."""

    async def judge(self, case: KnownCase, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Verdict]:
        """One verdict per candidate, in their order. ``ask`` sends a request to a named endpoint; rules ignore it.

        Raises:
            RequestFailed: no usable answer came; the stage turns it into ``Failed`` rows.
        """
        ...


@runtime_checkable
class Comparer(Configured, Protocol):
    """Says which of two texts answers a case better."""

    async def compare(self, case: Case, first: str, second: str, ask: Ask) -> Comparison:
        """The verdict over both orders: swapping ``first`` and ``second`` swaps the winner and nothing else.

        Raises:
            RequestFailed: no usable answer came in one of the orders.
        """
        ...


@runtime_checkable
class Improver(Configured, Protocol):
    """Says whether an answer is worth learning from, and writes a better one where it can."""

    async def review(self, case: Case, candidate: Candidate, ask: Ask) -> Review:
        """What to do with the best answer to ``case``, and the text that may take its place.

        Raises:
            RequestFailed: no usable answer came; the stage turns it into a ``Failed`` row.
        """
        ...

    async def prefer(self, case: Case, improved: Candidate, original: Candidate, ask: Ask) -> Comparison:
        """Whether ``improved`` (the first) is better than ``original``. Asked only for texts that differ.

        Raises:
            RequestFailed: no usable answer came.
        """
        ...


@runtime_checkable
class Perturber(Configured, Protocol):
    """Makes a good rewrite worse in one named way."""

    def perturb(self, case: KnownCase, chosen: Candidate, rng: random.Random) -> Iterator[Rejected | Dropped]:
        """Yield the rejected variants, best first; each already verified to have its defect.

        A variant that cannot be made, or whose defect cannot be proven, is a ``Dropped`` with its reason. Always
        yields at least one outcome and never raises for any text.
        """
        ...


Build = TypeVar("Build", contravariant=True)


@runtime_checkable
class ExporterOf(Configured, Protocol[Build]):
    """Writes a build in a form that a trainer or a person reads.

    What it is given holds the build file, which names exporters: so it has no type here, see core/exporter.py.
    """

    def export(self, build: Build, folder: Path) -> Sequence[Path]:
        """Write files below ``folder`` and return them.

        Raises:
            ExportError: the rows cannot be written in this form.
        """
        ...


@runtime_checkable
class NamedSource(Protocol):
    """A source that a build file gives a name of its own."""

    @property
    def source(self) -> str:
        """What rows and reports call it."""
        ...


@runtime_checkable
class EndpointUser(Protocol):
    """A component that asks an endpoint."""

    @property
    def endpoint(self) -> str:
        """The endpoint's name in the build file."""
        ...


@runtime_checkable
class ThresholdJudge(Protocol):
    """A judge that passes what scores at least so much."""

    @property
    def threshold(self) -> float:
        """The smallest score that passes."""
        ...


@runtime_checkable
class EarlyStopper(Protocol):
    """A judge that may stop before all its scores are known."""

    @property
    def early_stop(self) -> bool:
        """Whether it stops as soon as its verdict is certain."""
        ...


@runtime_checkable
class BatchReader(Perturber, Protocol):
    """A perturber that reads many tasks together faster than one by one."""

    def read_ahead(self, cases: Iterable[KnownCase]) -> None:
        """Get ready for ``cases``, which come next; what is made of them stays the same."""
        ...


@runtime_checkable
class CorpusReader(Perturber, Protocol):
    """A perturber that reads all chosen answers of a build before it makes the first of them worse."""

    def knowing(self, rows: Iterable[SftRow]) -> Perturber:
        """The perturber with what it learnt from ``rows``, whatever their order."""
        ...


Catalogues = Mapping[str, Mapping[str, type[Configured]]]
"""The components that a build file can name without a module: by kind, and by name."""


class NoSuchComponent(LookupError):
    """A name that neither the catalogue nor any installed package has. ``known`` are those that there are."""

    def __init__(self, name: str, catalogue: Iterable[str], plugins: Iterable[str]) -> None:
        ours, others = sorted(catalogue), sorted(set(plugins))
        from_others = f"; from other packages: {', '.join(others)}" if others else ""
        super().__init__(f"no component {name!r}; there are: {', '.join(ours)}{from_others}")
        self.known = (*ours, *others)


def load_class(reference: str, catalogue: Mapping[str, type[Configured]]) -> type[Component]:
    """The component class that ``use: reference`` names. A name of the catalogue is ours, whatever packages register.

    Raises:
        NoSuchComponent: no such name.
        PluginError: a package has the name, and it cannot be used.
        LookupError: no such module or class.
    """
    module_name, own, class_name = reference.partition(":")
    if not own and reference not in catalogue:
        if (plugin := find_plugin(reference)) is None:
            raise NoSuchComponent(reference, catalogue, (other.name for other in installed_plugins()))
        return plugin_class(plugin)
    found = _imported(module_name, class_name) if own else catalogue[reference]
    if found is None:
        raise LookupError(f"{module_name!r} has nothing called {class_name!r}")
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise LookupError(f"{reference} is no class derived from {reference_of(Component)}")
    return found


def plugin_class(plugin: Plugin) -> type[Component]:
    """The component class that a package registers.

    Raises:
        PluginError: it cannot be imported, is no component, or cannot be found again by its own module and name, which
            is how the ``build.yaml`` of a finished build names it.
    """
    found = plugin.load()
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise PluginError(f"{plugin}: {plugin.value} is no class of a Component; its author must name one")
    there: object = vars(sys.modules[found.__module__]).get(found.__name__)
    if there is not found:
        raise PluginError(
            f"{plugin}: {reference_of(found)} is not there; the class must stand at the top of its module"
        )
    return found


def _imported(module: str, name: str) -> object:
    if not (name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise LookupError(
            f"{module + ':' + name!r} names no class; expected package.module:Class, without '..' and spaces"
        )
    with Loading(
        f"cannot import {module!r}", "Python must find it (in a folder of yours: PYTHONPATH=.), and its code must run"
    ):
        return vars(importlib.import_module(module)).get(name)
