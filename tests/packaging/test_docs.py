"""The documents say what the code does."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

from pairwright.core.language import text_analysis
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.schema import build_file_page, build_file_schema
from places import ROOT

PAGES = sorted(
    [*ROOT.glob("README*.md"), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "docs").rglob("*.md")]
)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def said(page: Path) -> str:
    """What a page says of what is there: all but its worked changes, which say what is not there yet."""
    return re.sub(r"^```diff$.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def in_repository(page: Path) -> str:
    """The name of a page in test ids: there is more than one index.md."""
    return page.relative_to(ROOT).as_posix()


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


def test_the_functions_of_the_page_about_languages_take_what_stands_there() -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    calls = [call for cell in table for call in re.findall(r"`(\w+)\(([\w, ]*)\)`", cell)]
    assert {"detect_language", "references", "restored", "is_request"} <= {name for name, _ in calls}
    for name, given in calls:
        assert list(inspect.signature(text_analysis.__dict__[name]).parameters) == given.split(", "), name


@pytest.mark.parametrize("page", PAGES, ids=in_repository)
def test_links_between_the_documents_lead_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(said(page)) if not (page.parent / link).exists()] == []


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    assert [in_repository(page) for page in PAGES if page != index and page not in listed] == []


FOLDERS = (
    "benchmarks|cli|core|docs|evaluation|examples|exports|judges|perturbers|pipelines|testing|tests|training_recipes"
)
NAMED = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./*-]+\.(?:py|txt|jsonl|yaml|json|md|png))\b")
IMPORTED = re.compile(r"from (pairwright[\w.]*) import ([\w, ]+)")
SPOKEN = re.compile(r"`(pairwright(?:\.\w+)+)")
TEXTS = [*PAGES, *(ROOT / "examples").glob("*.yaml"), *(ROOT / "benchmarks").glob("*.py"), ROOT / "Makefile"]


@pytest.mark.parametrize("text", TEXTS, ids=in_repository)
def test_the_files_that_a_text_names_are_there(text: Path) -> None:
    named = {re.sub("LANGUAGE|NAME", "*", name) for name in NAMED.findall(said(text))}
    # A build has a folder called exports, too.
    ours = sorted(name for name in named if not re.fullmatch(r"exports/.*\.(jsonl|json)", name))
    assert [name for name in ours if not any(ROOT.glob(name))] == []


@pytest.mark.parametrize("page", PAGES, ids=in_repository)
def test_what_a_page_imports_or_speaks_of_is_there(page: Path) -> None:
    content = said(page)
    names = [f"{module}.{name.strip()}" for module, found in IMPORTED.findall(content) for name in found.split(",")]
    assert [name for name in [*names, *SPOKEN.findall(content)] if not exists(name)] == []


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    for at in range(len(parts := name.split(".")), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:at]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[at:]:
                found = getattr(found, part)
        except AttributeError:
            return False
        return True
    return False


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
