"""What ``pairwright build``, ``check``, ``plan`` and ``preview`` do: each calls one method of :class:`Build`."""

from __future__ import annotations

import sys
from pathlib import Path

from pairwright.cli.tables import print_parts
from pairwright.pipelines.api import Build


def build_command(
    file: Path,
    output: Path | None,
    quiet: bool,
    allow_licence: bool = False,
    until: str | None = None,
    replace: bool = False,
) -> None:
    """Run a build and print its funnel and the SHA-256 of every exported file; or run it as far as one stage."""
    changes = {"output": str(output)} if output else {}
    allowed = {"allow_licences": True} if allow_licence else {}
    build = Build.from_file(file, **changes, **allowed)
    done = build.run(progress=not quiet, until=until, replace=replace)
    if done.sent:
        print(done.sent, file=sys.stderr)
    print_parts(done)


def check_command(file: Path) -> None:
    """Check the build file and all that it needs; whatever is missing is an error."""
    print_parts(Build.from_file(file).check())


def plan_command(file: Path) -> None:
    """Print the rows, requests, tokens and cost to expect."""
    print_parts(Build.from_file(file).plan())


def preview_command(file: Path, queries: int, ask: bool) -> None:
    """Print what the first few queries become."""
    print_parts(Build.from_file(file).preview(queries, ask=ask))
