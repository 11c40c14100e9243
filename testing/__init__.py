"""What tests of components need: a server that misbehaves, an endpoint that says what the test wants, rows.

>>> from pairwright.testing import FaultServer, Scripted, behaviours, factories

See docs/testing.md. Nothing is loaded before it is asked for: a server in a process of its own starts at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pairwright.testing.fault_server import Behaviour, Body, FaultServer
    from pairwright.testing.scripted_endpoint import Scripted

__all__ = ["Behaviour", "Body", "FaultServer", "Scripted"]

_HOMES = {
    "Behaviour": "fault_server",
    "Body": "fault_server",
    "FaultServer": "fault_server",
    "Scripted": "scripted_endpoint",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return vars(importlib.import_module(f"{__name__}.{_HOMES[name]}"))[name]
