"""What installed packages add to the catalogues. Looking at it imports all of them: for ``list`` and ``schema`` only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pairwright.core.components import Catalogues, Component, plugin_class
from pairwright.core.config.slots import kinds_of
from pairwright.core.plugins import Plugin, PluginError, find_plugin, installed_plugins
from pairwright.pipelines.catalogues import CATALOGUES


class UsablePlugin(NamedTuple):
    """A component that a build file can name in the slots of ``kinds``, which are keys of the catalogues."""

    plugin: Plugin
    kinds: tuple[str, ...]
    cls: type[Component]


class UnusablePlugin(NamedTuple):
    """A registered name that no build file can use, and why."""

    plugin: Plugin
    reason: str


def look_at_plugins() -> tuple[list[UsablePlugin], list[UnusablePlugin]]:
    """All registered names, sorted: those that can be used, and those that cannot."""
    usable, unusable = [], []
    for plugin in installed_plugins():
        try:
            usable.append(_usable(plugin))
        except (PluginError, ValueError) as exc:
            unusable.append(UnusablePlugin(plugin, str(exc)))
    return usable, unusable


def _usable(plugin: Plugin) -> UsablePlugin:
    if ":" in plugin.name:
        raise ValueError(f"{plugin}: a name with ':' names a class of a module; its author must choose another")
    # Raises where two packages have registered this name.
    find_plugin(plugin.name)
    cls = plugin_class(plugin)
    kinds = kinds_of(cls, plugin.value)
    free = tuple(kind for kind in kinds if plugin.name not in CATALOGUES[kind])
    if not free:
        raise ValueError(f"pairwright has {plugin.name!r} itself; write use: {plugin.value}")
    return UsablePlugin(plugin, free, cls)


def with_plugins(usable: Sequence[UsablePlugin]) -> Catalogues:
    """The catalogues with the components of other packages."""
    return {
        kind: {**catalogue, **{one.plugin.name: one.cls for one in usable if kind in one.kinds}}
        for kind, catalogue in CATALOGUES.items()
    }
