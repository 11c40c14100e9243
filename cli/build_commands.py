"""What ``pairwright build``, ``check``, ``plan`` and ``preview`` do: each calls one method of :class:`Build`."""

from __future__ import annotations

import sys
from pathlib import Path

from pairwright.cli.tables import print_parts
from pairwright.core.config.foreign_code import code_forbidden, foreign_code
from pairwright.core.config.yaml_file import read_yaml
from pairwright.core.pages.printable import printable
from pairwright.core.secret_patterns import hide_keys
from pairwright.pipelines.api import Build
from pairwright.pipelines.catalogues import CATALOGUES


def build_command(
    file: Path,
    output: Path | None,
    quiet: bool,
    allow_licence: bool = False,
    until: str | None = None,
    replace: bool = False,
    code: bool = True,
) -> None:
    """Run a build and print its funnel and the SHA-256 of every exported file; or run it as far as one stage."""
    changes = {"output": str(output)} if output else {}
    allowed = {"allow_licences": True} if allow_licence else {}
    build = Build.from_file(file, code=code, **changes, **allowed)
    done = build.run(progress=not quiet, until=until, replace=replace)
    if done.sent:
        print(done.sent, file=sys.stderr)
    print_parts(done)


def check_command(file: Path, code: bool = True) -> None:
    """Check the build file and all that it needs; whatever is missing is an error. Code of others is named before it runs."""
    found = foreign_code(read_yaml(file), CATALOGUES)
    if found and not code_forbidden(code=code):
        print(printable(hide_keys(f"runs code of: {', '.join(found)}")), flush=True)
    print_parts(Build.from_file(file, code=code).check())


def plan_command(file: Path, code: bool = True) -> None:
    """Print the rows, requests, tokens and cost to expect."""
    print_parts(Build.from_file(file, code=code).plan())


def preview_command(file: Path, queries: int, ask: bool, code: bool = True) -> None:
    """Print what the first few queries become."""
    print_parts(Build.from_file(file, code=code).preview(queries, ask=ask))
