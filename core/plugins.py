"""Names of components that other packages register: the entry-point group ``pairwright.components``.

Looking for names imports nothing of those packages; :meth:`Plugin.load` imports the one that is asked for. What a component
is, ``core/components.py`` knows.
"""

from __future__ import annotations

import textwrap
from importlib.metadata import EntryPoint, entry_points
from types import TracebackType
from typing import NamedTuple

from pairwright.core.pages.printable import printable

GROUP = "pairwright.components"
_LONGEST = 300


class PluginError(LookupError):
    """A name that a package registers and that cannot be used: says which package, why, and what to do."""


class Plugin(NamedTuple):
    """A name and what it stands for, ``package.module:Class``. ``package`` is the distribution with its version."""

    name: str
    value: str
    package: str

    def __str__(self) -> str:
        return f"{self.name!r} of package {self.package}"

    def load(self) -> object:
        """Import what the name stands for. **That runs the package's code.**

        Raises:
            PluginError: the code raised, or there is nothing of that name in it.
        """
        with Loading(f"{self} cannot be loaded from {self.value}", "mend, update or uninstall that package"):
            return EntryPoint(self.name, self.value, GROUP).load()


class Loading:
    """Whatever somebody else's code raises while it is imported is told as a :class:`PluginError`, with what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self._what = what
        self._remedy = remedy

    def __enter__(self) -> None:
        """Nothing is needed."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A KeyboardInterrupt is somebody's Ctrl-C.
        if error is not None and not isinstance(error, KeyboardInterrupt):
            raise PluginError(f"{self._what}: {told_of(error)}; {self._remedy}") from error


def told_of(error: BaseException) -> str:
    """What somebody else's code raised, in a line."""
    try:
        text = printable(str(error))
    except Exception:  # noqa: BLE001 - an error whose text raises is still to be told
        text = "an error that cannot be shown"
    return textwrap.shorten(f"{type(error).__name__}: {text}", _LONGEST, placeholder=" …")


def installed_plugins() -> tuple[Plugin, ...]:
    """All names that installed packages register, sorted."""
    found = {
        Plugin(entry.name, entry.value, f"{entry.dist.name} {entry.dist.version}")
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    }
    return tuple(sorted(found))


def find_plugin(name: str) -> Plugin | None:
    """The one that is registered under ``name``; None where no package has that name.

    Raises:
        PluginError: it is registered more than once.
    """
    found = [plugin for plugin in installed_plugins() if plugin.name == name]
    if len(found) > 1:
        where = " and ".join(f"{plugin.package} ({plugin.value})" for plugin in found)
        raise PluginError(
            f"{name!r} is registered by {where}; say which with use: package.module:Class, or uninstall one"
        )
    return found[0] if found else None
