"""``use:`` of modules that fail, are not there or have odd names, and components that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hostile.build_files.case import Case, keys

PERTURBER = """
from typing import ClassVar
from pydantic import model_validator
from pairwright.core.components import Component

class Mine(Component):
    name: ClassVar[str] = "mine"
    defect: ClassVar[str] = "mine"

    def perturb(self, case, seed):
        return []
"""


def own(module: str, code: str, use: str = "") -> Callable[[Path], str]:
    """A build file with a perturber of the user's own, whose module has ``code``."""

    def make(folder: Path) -> str:
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
        return keys(perturbers=f'[{{use: "{use or module + ":Mine"}"}}]')

    return make


RAISING = tuple(
    Case(f"module-{name}", "modules", own(f"own_{number}", code), "config error", ("perturbers",), apart=apart)
    for number, (name, code, apart) in enumerate(
        (
            ("divides-by-zero", "1 / 0\n", False),
            ("exits-with-0", "raise SystemExit(0)\n", False),
            ("exits-with-a-word", "import sys\nsys.exit('再见')\n", True),
            ("does-not-parse", "def f(:\n", False),
            ("has-a-nul", "x = 1\0\n", False),
            ("raises-a-long-text", "raise ValueError('很长' * 100000)\n", False),
            ("raises-escapes", "raise ValueError('\\x1b[2J\\x07红')\n", False),
            ("raises-a-surrogate", "raise ValueError('\\ud800')\n", False),
            ("raises-what-cannot-be-told", "class E(Exception):\n    def __str__(self): 1 / 0\nraise E\n", False),
            ("raises-a-base-exception", "class E(BaseException): pass\nraise E('自己的')\n", True),
            ("recurses", "def f(): f()\nf()\n", False),
            ("runs-out-of-memory", "raise MemoryError\n", False),
            ("generator-exit", "raise GeneratorExit\n", True),
            ("imports-what-is-not-there", "import no_such_package_at_all\n", False),
            ("imports-itself", "from own_14 import Mine\n", False),
            ("raises-a-config-error", "from pairwright.core.errors import ConfigError\nraise ConfigError(['mine: 不行'])\n", False),
            ("has-no-such-class", "print('正在加载')\n", False),
            ("prints-and-has-a-function", "print('loading')\ndef Mine(): ...\n", False),
            ("has-a-plain-class", "class Mine: ...\n", False),
            ("has-a-class-without-methods", "from pairwright.core.components import Component\nclass Mine(Component): ...\n", False),
            ("class-without-name", PERTURBER.replace('    name: ClassVar[str] = "mine"\n', ""), False),
            ("class-raises-when-made", PERTURBER + "\n    @model_validator(mode='after')\n    def _no(self):\n        raise RuntimeError('做不了')\n", False),
            ("class-divides-when-made", PERTURBER + "\n    @model_validator(mode='before')\n    @classmethod\n    def _no(cls, given):\n        return 1 / 0\n", False),
            ("class-exits-when-made", PERTURBER + "\n    def model_post_init(self, context):\n        raise SystemExit(0)\n", True),
        )
    )
)  # fmt: skip
INTERRUPTED = (
    Case("module-raises-keyboard-interrupt", "modules", own("own_k", "raise KeyboardInterrupt\n"), "stopped", (), apart=True),
    Case("class-raises-keyboard-interrupt", "modules", own("own_l", PERTURBER + "\n    def model_post_init(self, context):\n        raise KeyboardInterrupt\n"), "stopped", (), apart=True),
)  # fmt: skip
NAMES = tuple(
    Case(f"use-{name}", "names of modules", keys(perturbers=f"[{{use: {use}}}]"), says=("perturbers",), absent=("pwned",))
    for name, use in (
        ("missing-module", '"no_such_module:Mine"'),
        ("missing-chinese-module", '"没有的模块:类"'),
        ("missing-submodule", '"json.nothing:Mine"'),
        ("relative", '"..x:Y"'),
        ("relative-one-dot", '".x:Y"'),
        ("only-dots", '"...:Y"'),
        ("two-dots-inside", '"x..y:Z"'),
        ("space-inside", '"a b:c"'),
        ("only-a-colon", '":"'),
        ("no-class", '"json:"'),
        ("no-module", '":Mine"'),
        ("two-colons", '"json:JSONDecoder:x"'),
        ("empty", '""'),
        ("spaces", '"   "'),
        ("number", "3"),
        ("list", "[unchanged_copy]"),
        ("mapping", "{use: unchanged_copy}"),
        ("null", "null"),
        ("function", '"os:system"'),
        ("module-in-a-module", '"os:path"'),
        ("plain-class", '"json:JSONDecoder"'),
        ("base-class", '"pairwright.core.components:Component"'),
        ("slash", '"a/b:C"'),
        ("file-name", '"own.py:Mine"'),
        ("nul", '"a\\0b:C"'),
        ("newline", '"json\\n:C"'),
        ("call", "\"os:system('touch pwned')\""),
        ("judge-as-a-perturber", "unchanged"),
        ("typo", "unchanged_kopy"),
        ("upper-case", "Unchanged_Copy"),
        ("chinese", "原样复制"),
    )
)  # fmt: skip
COMPONENT_CASES = (*RAISING, *INTERRUPTED, *NAMES)
