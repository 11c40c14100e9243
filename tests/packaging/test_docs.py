"""The documents say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.schema import build_file_page, build_file_schema
from places import ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_page_about_the_build_file_is_up_to_date() -> None:
    page = (ROOT / "docs" / "build-file.md").read_text(encoding="utf-8")
    assert page == build_file_page(), "run: pairwright schema --page > docs/build-file.md"


def test_every_key_of_the_build_file_is_documented() -> None:
    def undocumented(schema: dict, path: str) -> list[str]:
        found = []
        for key, value in schema.get("properties", {}).items():
            if key != "use" and "$ref" not in str(value) and not value.get("description"):
                found.append(f"{path}.{key}")
        return found

    schema = build_file_schema()
    missing = undocumented(schema, "build")
    for name, part in schema["$defs"].items():
        missing += undocumented(part, name)
    for kind in CATALOGUES:
        place = schema["properties"]["gate" if kind == "gates" else kind]
        for form in place.get("items", place)["anyOf"]:
            if "properties" in form:
                missing += undocumented(form, f"{kind}.{form['properties']['use'].get('const')}")
    assert missing == []


def test_every_component_has_a_docstring_of_its_own() -> None:
    assert [name for catalogue in CATALOGUES.values() for name, cls in catalogue.items() if not cls.__doc__] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_dependency_has_its_line() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    names = {re.split(r"[\[<>=!~ ]", line)[0] for line in listed}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"`{name}`" not in page) == []
