"""What ``pairwright list``, ``schema`` and ``init`` do: all that a person needs to write a build file."""

from __future__ import annotations

import json
import os
import sys
from importlib.resources import files
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.errors import ConfigError
from pairwright.core.files.storage import atomic_writer
from pairwright.core.pages.printable import printable, spelled_out
from pairwright.pipelines.plugin_catalogue import look_at_plugins, with_plugins
from pairwright.pipelines.schema import build_file_page, build_file_schema, one_line


def list_command(kind: str | None) -> None:
    """Print the catalogue, and what installed packages add to it."""
    usable, unusable = look_at_plugins()
    packages = {(each, one.plugin.name): one.plugin.package for one in usable for each in one.kinds}
    for each, catalogue in with_plugins(usable).items():
        if kind in (None, each):
            rows = [
                (name, one_line(cls), packages.get((each, name), "pairwright"))
                for name, cls in sorted(catalogue.items())
            ]
            print_table(each, [("use", "what it does", "package"), *rows])
    if unusable:
        rows = [(one.plugin.name, one.reason, one.plugin.package) for one in unusable]
        print_table("Cannot be used", [("use", "why", "package"), *rows])


def schema_command(page: bool) -> None:
    """Print the JSON schema of build files, installed plug-ins included, or the page about our own keys."""
    if page:
        print(build_file_page(), end="")
        return
    usable, unusable = look_at_plugins()
    schema = build_file_schema(with_plugins(usable))
    print(spelled_out(json.dumps(schema, ensure_ascii=False, indent=2)))
    for one in unusable:
        print(f"left out: {printable(one.reason)}", file=sys.stderr)


def init_command(path: Path) -> None:
    """Write the commented template; never over an existing file."""
    if os.path.lexists(path):
        raise ConfigError([f"{path}: exists already"], "Give another file name: pairwright init other.yaml")
    with atomic_writer(path) as target:
        target.write(files("pairwright.cli").joinpath("template.yaml").read_text(encoding="utf-8"))
    print(f"wrote {path}: set the path of your dialogues and an endpoint, then run: pairwright check {path}")
