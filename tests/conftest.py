from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_server import FaultServer


@pytest.fixture
def openai_server() -> Iterator[FaultServer]:
    """A running OpenAI-compatible server; its faults, latency and answers may be set by the test."""
    with FaultServer() as server:
        yield server
