"""Fixtures for pytest: ``pytest_plugins = ["pairwright.testing.fixtures"]`` in your ``conftest.py``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pairwright.testing.fault_server import FaultServer


@pytest.fixture
def openai_server() -> Iterator[FaultServer]:
    """A running OpenAI-compatible server; its faults, latency and answers may be set by the test."""
    with FaultServer() as server:
        yield server
