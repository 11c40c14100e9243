"""``pairwright list`` and ``schema`` know what packages register, and survive what those do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from plugin_packages import install, judge
from typer.testing import CliRunner, Result

from pairwright.cli.app import app
from pairwright.pipelines.schema import build_file_page

HOSTILE = "\x1b[31m\u202e[bold red]y[/]"
KINDS = f'''
{judge("Nice").replace("Passes everything.", "Passes " + HOSTILE)}
class Thing(Nice):
    """Judges and exports."""
    name: ClassVar[str] = "thing"

    def export(self, build, folder):
        return []

class Nothing(Component):
    name: ClassVar[str] = "nothing"

class Nameless(Component):
    async def decide(self, case, ask): ...
'''
NESTED = f'''
from collections.abc import Callable
from pydantic import BaseModel
from pairwright.core.config.slots import GateComponent, JudgeComponent
{judge("Plain")}
class LimitsConfig(BaseModel):
    """Another one than ours."""
    theirs: int = 1

class Limited(Plain):
    name: ClassVar[str] = "limited"
    limits: LimitsConfig = LimitsConfig()

class Wrapping(Plain):
    name: ClassVar[str] = "wrapping"
    inner: JudgeComponent
    gate: GateComponent | None = None

class Unwritable(Plain):
    name: ClassVar[str] = "unwritable"
    call: Callable[[int], int] = abs
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python finds packages in; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done


def lines(output: str, name: str) -> list[str]:
    """The rows of a table that begin with ``name``, as text with single spaces."""
    return [" ".join(line.split()) for line in output.splitlines() if line.startswith(f"│ {name} ")]


def test_components_are_listed_with_their_package(site: Path) -> None:
    names = {"thing": "shop_kinds:Thing", "aaa": "shop_kinds:Nice"}
    install(site, "shop-kinds", names, version="0.3", shop_kinds=KINDS)
    judges = run("list", "judges").stdout
    assert lines(judges, "thing") == ["│ thing │ Judges and exports. │ shop-kinds 0.3 │"]
    assert lines(judges, "rubric")[0].endswith("│ pairwright │")
    assert judges.index("│ aaa ") < judges.index("│ answer_instead ") < judges.index("│ thing ")
    assert lines(run("list", "exports").stdout, "thing") == lines(judges, "thing")
    assert lines(run("list", "gates").stdout, "thing") == []
    assert "Cannot be used" not in judges


def test_what_cannot_be_used_is_listed_with_the_reason(site: Path) -> None:
    names = {"nothing": "odd_kinds:Nothing", "nameless": "odd_kinds:Nameless", "lost": "lost_kinds:Lost"}
    install(site, "odd", {**names, "a:b": "odd_kinds:Thing", "rubric": "odd_kinds:Nice"}, odd_kinds=KINDS)
    install(site, "one", {"two": "odd_kinds:Nice"})
    install(site, "other", {"two": "odd_kinds:Thing"})
    unusable = run("list").stdout.split("Cannot be used")[1].splitlines()
    told = " ".join(" ".join(line.split("│")[2].strip() for line in unusable if line.startswith("│")).split())
    for expected in (
        "odd_kinds:Nothing has the methods of no kind of component; there are: a source (a class with 'read')",
        'odd_kinds:Nameless has no name; give the class one: name: ClassVar[str] = "..."',
        "ModuleNotFoundError: No module named 'lost_kinds'",
        "a name with ':' names a class of a module",
        "pairwright has 'rubric' itself; write use: odd_kinds:Nice",
    ):
        assert expected in told
    assert told.count("'two' is registered by one 1.0 (odd_kinds:Nice) and other 1.0 (odd_kinds:Thing)") == 2


def test_a_name_of_ours_is_free_for_another_kind(site: Path) -> None:
    code = KINDS.replace("Thing(Nice)", "Files(Nice)")
    install(site, "filing", {"files": "filing_kinds:Files"}, filing_kinds=code)
    assert lines(run("list", "judges").stdout, "files")[0].endswith("│ filing 1.0 │")
    assert lines(run("list", "sources").stdout, "files")[0].endswith("│ pairwright │")


def test_no_package_can_steer_the_terminal(site: Path) -> None:
    raising = f"raise RuntimeError({HOSTILE!r})"
    install(site, "hostile", {f"evil{HOSTILE}": "evil_kinds:Nice"}, evil_kinds=KINDS)
    install(site, "raising", {"raising": "raising_kinds:Nice"}, version=f"1{HOSTILE}", raising_kinds=raising)
    done = run("list")
    assert "\x1b[31m" not in done.output
    assert "\u202e" not in done.output
    assert done.output.count("[bold red]y[/]") >= 4
    schema = run("schema")
    assert "\x1b" not in schema.output
    assert "\u202e" not in schema.output
    assert "left out: 'raising' of package raising 1" in schema.stderr
    assert any(form["properties"]["use"].get("const") == f"evil{HOSTILE}" for form in forms(schema, "judges"))


def forms(done: Result, key: str) -> list[dict[str, Any]]:
    """What the JSON schema says may stand in a slot."""
    place = json.loads(done.stdout)["properties"][key]
    found: list[dict[str, Any]] = place.get("items", place)["anyOf"]
    return found


def form(done: Result, key: str, name: str) -> dict[str, Any]:
    (found,) = (form for form in forms(done, key) if form.get("properties", {}).get("use", {}).get("const") == name)
    return found


def uses(place: dict[str, Any]) -> set[str]:
    return {form["properties"]["use"].get("const", ":") for form in place["anyOf"] if "properties" in form}


def test_the_schema_has_the_keys_of_plugins_wherever_they_may_stand(site: Path) -> None:
    names = {"limited": "nested_kinds:Limited", "wrapping": "nested_kinds:Wrapping", "odd": "nested_kinds:Unwritable"}
    install(site, "nested", names, nested_kinds=NESTED)
    plain, done = json.loads(run("schema").stdout), run("schema")
    assert form(done, "judges", "limited")["properties"]["word"]["default"] == "please"
    panel = form(done, "judges", "panel")["properties"]["members"]["items"]
    assert {"limited", "odd", "unchanged", ":"} <= uses(panel)
    assert not {"wrapping", "panel"} & uses(panel)
    wrapping = form(done, "judges", "wrapping")["properties"]
    assert {"limited", "unchanged", ":"} <= uses(wrapping["inner"])
    assert "$ref" not in wrapping["inner"]
    assert {"type": "null"} not in wrapping["inner"]["anyOf"]
    assert uses(wrapping["gate"]) == {"rules", "llm", ":"}
    assert {"type": "null"} in wrapping["gate"]["anyOf"]
    assert form(done, "judges", "odd")["properties"]["word"] == {}
    reference = form(done, "judges", "limited")["properties"]["limits"]["$ref"].removeprefix("#/$defs/")
    assert set(plain["$defs"][reference]["properties"]) == {"theirs"}
    assert "max_failure_rate" in plain["$defs"]["LimitsConfig"]["properties"]


def test_the_page_about_build_files_stays_as_it_is(site: Path) -> None:
    before = build_file_page()
    install(site, "paged", {"paged": "paged_kinds:Nice"}, paged_kinds=KINDS)
    assert run("schema", "--page").stdout == before
