from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

import golden_files

pytest_plugins = ["pairwright.testing.fixtures"]

# A suite that was started in the background inherits an ignored Ctrl-C, and so would the builds it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples everywhere, however slow the machine: a red suite is then about the change that it was run for.
# `pytest --hypothesis-profile=explore` draws new ones.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", CALM, derandomize=True)
settings.register_profile("explore", CALM, derandomize=False, max_examples=1000)
settings.load_profile("steady")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers_stay() -> Iterator[None]:
    """A handler that a test leaves behind would end the whole run at the next signal that a test sends to itself."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    yield
    left = {number.name: now for number in _ENDING if (now := signal.getsignal(number)) != before[number]}
    for number, handler in before.items():
        signal.signal(number, handler)
    assert not left, f"the test leaves other handlers of signals behind: {left}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` prints golden files anew instead of comparing with them."""
    parser.addoption("--update-golden", action="store_true", help="print golden files anew; read the difference then")


def pytest_configure(config: pytest.Config) -> None:
    """Tell the tests what was asked for."""
    golden_files.update = config.getoption("--update-golden")
