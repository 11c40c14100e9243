from __future__ import annotations

import pytest

from pairwright.core.llm import rate_limits


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(rate_limits, "BACKOFF_BASE", 0.01)
    monkeypatch.setattr(rate_limits, "BACKOFF_CAP", 0.05)
