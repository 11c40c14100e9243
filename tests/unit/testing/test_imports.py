"""Who uses ``pairwright.testing`` need not use pytest, and waits for nothing that is not asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import pairwright.testing
from places import ROOT


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_only_the_fixtures_need_pytest() -> None:
    names = sorted(path.stem for path in (ROOT / "testing").glob("[a-z]*.py") if path.stem != "fixtures")
    assert len(names) >= 4
    modules = ["pairwright.testing", *(f"pairwright.testing.{name}" for name in names)]
    code = f"import importlib, sys\nsys.modules['pytest'] = None\nfor name in {modules}: importlib.import_module(name)"
    assert run(code) == ""


@pytest.mark.slow
def test_the_server_loads_nothing_beside_itself() -> None:
    code = "import sys\nfrom pairwright.testing import FaultServer\nprint('pydantic' in sys.modules)"
    assert run(code) == "False"


def test_every_name_of_the_package_is_there_and_no_other() -> None:
    from pairwright.testing import Behaviour, Body, FaultServer, Scripted

    assert [FaultServer.__name__, Scripted.__name__] == ["FaultServer", "Scripted"]
    assert str(Body) in str(Behaviour)
    assert pairwright.testing.__all__ == ["Behaviour", "Body", "FaultServer", "Scripted"]
    with pytest.raises(ImportError):
        from pairwright.testing import Missing  # type: ignore[attr-defined]  # noqa: F401
