"""Our stages as distilabel steps for anybody's pipeline. Importing them imports distilabel."""

from __future__ import annotations

import sys


def _import_distilabel() -> None:
    """Import it without what it does to every traceback from then on, in notebooks too: all local variables are shown.

    Those are prompts, dialogues and whatever else is around. A traceback of ours holds none of them.
    """
    from rich import traceback

    install = traceback.install
    traceback.install = lambda **_: sys.excepthook
    try:
        import distilabel  # noqa: F401
    finally:
        traceback.install = install


_import_distilabel()
