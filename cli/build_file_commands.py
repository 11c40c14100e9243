"""What ``pairwright list``, ``schema`` and ``init`` do: all that a person needs to write a build file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from pairwright.cli.tables import print_table
from pairwright.core.errors import ConfigError
from pairwright.core.storage import atomic_writer
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.schema import build_file_page, build_file_schema, one_line


def list_command(kind: str | None) -> None:
    """Print the catalogue."""
    for each, catalogue in CATALOGUES.items():
        if kind in (None, each):
            print_table(
                each, [("use", "what it does"), *((name, one_line(cls)) for name, cls in sorted(catalogue.items()))]
            )


def schema_command(page: bool) -> None:
    """Print the JSON schema of build files, or the page about them."""
    if page:
        print(build_file_page(), end="")
    else:
        print(json.dumps(build_file_schema(), ensure_ascii=False, indent=2))


def init_command(path: Path) -> None:
    """Write the commented template; never over an existing file."""
    if path.exists():
        raise ConfigError([f"{path}: exists already"], "Give another file name: pairwright init other.yaml")
    with atomic_writer(path) as target:
        target.write(files("pairwright.cli").joinpath("template.yaml").read_text(encoding="utf-8"))
    print(f"wrote {path}: set the path of your dialogues and an endpoint, then run: pairwright check {path}")
