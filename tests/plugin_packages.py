"""Packages with plug-ins as an installer leaves them: modules, and a ``.dist-info`` folder that registers names."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

GOOD = '''
from typing import ClassVar
from pairwright.core.components import Component
from pairwright.core.records import Verdict

class {name}(Component):
    """Passes everything."""
    name: ClassVar[str] = "{name}"
    word: str = "please"

    async def judge(self, case, candidates, ask):
        return [Verdict(judge=self.name, passed=True) for _ in candidates]
'''


def install(folder: Path, package: str, names: Mapping[str, str], version: str = "1.0", **modules: str) -> None:
    """Put a package into ``folder``: ``names`` are what it registers, ``modules`` the code of its modules by their names."""
    info = folder / f"{package.replace('-', '_')}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in names.items()]
    content = "\n".join(["[pairwright.components]", *lines, ""])
    (info / "entry_points.txt").write_text(content, encoding="utf-8")
    for name, code in modules.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code), encoding="utf-8")


def judge(name: str) -> str:
    """The code of a judge class that passes everything."""
    return GOOD.format(name=name)
