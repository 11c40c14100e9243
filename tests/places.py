"""Where things lie, whatever folder a test lives in."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
GOLDEN_FILES = TESTS / "golden"
TEST_DATA = TESTS / "data"
