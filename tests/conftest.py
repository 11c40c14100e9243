from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_server import FaultServer

# A suite that was started in the background inherits an ignored Ctrl-C, and so would the builds it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def openai_server() -> Iterator[FaultServer]:
    """A running OpenAI-compatible server; its faults, latency and answers may be set by the test."""
    with FaultServer() as server:
        yield server
