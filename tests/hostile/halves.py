"""Hostile cases are split by a hash of their names: one half is looked at while mending, the other measures the mend."""

from __future__ import annotations

import hashlib
from typing import Literal

Half = Literal["seen", "unseen"]


def half(name: str) -> Half:
    """Which half a case belongs to."""
    return "unseen" if hashlib.sha256(name.encode()).digest()[0] % 2 else "seen"
