"""Every slot of a build file takes one kind of component; all else is refused when the file is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import plugin_packages
import pytest
import yaml
from own_components import Blank, NamedByField, Nameless, Nothing, Numbered, Whole, reference
from pydantic import ValidationError

from pairwright.core.components import (
    Comparer,
    Component,
    ExporterOf,
    Gate,
    Improver,
    Judge,
    Perturber,
    Source,
)
from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import ConfigError
from pairwright.judges.panels.pairwise_panel import PairwisePanel
from pairwright.judges.panels.panel import Panel
from pairwright.pipelines.catalogues import CATALOGUES

JUDGE = "pairwright.judges.rules.unchanged:Unchanged"
PERTURBER = "pairwright.perturbers.rewrites.unchanged_copy:UnchangedCopy"
SOURCE = {"use": "files", "source": "logs", "path": "logs.jsonl"}


class Place(NamedTuple):
    """One slot: where it stands in a build file, and what it takes."""

    path: str
    takes: str

    def filled(self, component: dict[str, Any]) -> dict[str, Any]:
        """The keys of a build file with ``component`` in the slot."""
        key, *inner = self.path.split(".")
        if key in ("sources", "judges", "evaluations", "perturbers", "exports"):
            return {key: [_within(inner[1:], component)]}
        return {key: _within(inner, component)}


def _within(path: list[str], component: dict[str, Any]) -> dict[str, Any]:
    if not path:
        return component
    panel: dict[str, Any] = {"use": "panel", "members": [{"use": reference(Whole)}]}
    return panel | {path[0]: [component]}


PLACES = (
    Place("sources.0", "a source (a class with 'read')"),
    Place("evaluations.0", "a source (a class with 'read')"),
    Place("gate", "a gate (a class with 'decide')"),
    Place("judges.0", "a judge (a class with 'judge')"),
    Place("judges.0.members.0", "a judge (a class with 'judge')"),
    Place("judges.0.veto.0", "a judge (a class with 'judge')"),
    Place("comparison", "a comparer (a class with 'compare')"),
    Place("comparison.members.0", "a comparer (a class with 'compare')"),
    Place("improve", "an improver (a class with 'review' and 'prefer')"),
    Place("perturbers.0", "a perturber (a class with 'perturb')"),
    Place("exports.0", "an exporter (a class with 'export')"),
)
every_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.path)


def read(tmp_path: Path, keys: dict[str, Any]) -> BuildConfig:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"name": "x", "output": "out", "sources": [SOURCE], **keys}), encoding="utf-8")
    return read_build(path, CATALOGUES)


def problems(tmp_path: Path, keys: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, keys)
    return [problem.removeprefix(f"{tmp_path / 'x.yaml'}: ") for problem in caught.value.problems]


@every_place
def test_a_component_of_another_kind_is_refused_with_what_it_is_and_what_belongs_there(
    tmp_path: Path, place: Place
) -> None:
    wrong, kind = (PERTURBER, "a perturber") if "a judge" in place.takes else (JUDGE, "a judge")
    key = [part for part in place.path.split(".") if not part.isdigit()][-1]
    assert problems(tmp_path, place.filled({"use": wrong})) == [
        f"{place.path}: {wrong} is {kind}, {key} takes {place.takes}"
    ]


@every_place
def test_a_class_without_a_name_is_refused(tmp_path: Path, place: Place) -> None:
    assert problems(tmp_path, place.filled({"use": reference(Nameless)})) == [
        f'{place.path}: own_components:Nameless has no name; give the class one: name: ClassVar[str] = "..."'
    ]


@every_place
def test_a_class_of_ones_own_that_fits_is_taken_and_written_as_it_was_read(tmp_path: Path, place: Place) -> None:
    config = read(tmp_path, place.filled({"use": reference(Whole)}))
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    assert "own_components:Whole" in path.read_text()
    assert read_build(path, CATALOGUES) == config


@every_place
def test_a_class_that_a_package_registers_is_taken_and_written_so_that_the_name_is_not_needed(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_packages.install(tmp_path / "site", "whole-things", {"whole_thing": reference(Whole)})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path / "site")
        config = read(tmp_path, place.filled({"use": "whole_thing"}))
    path = tmp_path / "again.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json")), encoding="utf-8")
    assert "whole_thing" not in path.read_text()
    assert read_build(path, CATALOGUES) == config


@every_place
def test_a_registered_class_of_another_kind_is_refused_with_its_package(
    tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = PERTURBER if "a judge" in place.takes else JUDGE
    plugin_packages.install(tmp_path / "site", "odd-things", {"odd": wrong}, version="2.1")
    monkeypatch.syspath_prepend(tmp_path / "site")
    (found,) = problems(tmp_path, place.filled({"use": "odd"}))
    assert found.startswith(f"{place.path}: odd of package odd-things 2.1 is a")
    assert found.endswith(f"takes {place.takes}")


@pytest.mark.parametrize("cls", [Blank, Numbered, NamedByField])
def test_a_name_is_a_text_of_the_class_that_says_something(tmp_path: Path, cls: type[Component]) -> None:
    (found,) = problems(tmp_path, {"gate": {"use": reference(cls)}})
    assert found.startswith(f"gate: {reference(cls)} has no name; ")


def test_a_component_without_any_method_is_of_no_kind(tmp_path: Path) -> None:
    assert problems(tmp_path, {"exports": [{"use": reference(Nothing)}]}) == [
        "exports.0: own_components:Nothing has the methods of no kind of component, "
        "exports takes an exporter (a class with 'export')"
    ]


def test_the_wrong_kinds_of_a_file_are_told_at_once_and_not_the_settings_of_what_is_wrong(tmp_path: Path) -> None:
    found = problems(tmp_path, {"seeed": 1, "exports": [{"use": JUDGE, "folder": 1}], "perturbers": [{"use": JUDGE}]})
    assert [problem.partition(":")[0] for problem in found] == ["exports.0", "perturbers.0", "seeed"]


def test_an_object_is_checked_like_a_class_that_a_file_names() -> None:
    config = {"name": "x", "output": "out", "sources": [Whole()]}
    assert BuildConfig.model_validate(config).sources == (Whole(),)
    with pytest.raises(ValidationError, match="own_components:Nothing has the methods of no kind"):
        BuildConfig.model_validate({**config, "gate": Nothing()})
    with pytest.raises(ValidationError, match="own_components:Nameless has no name"):
        Panel.model_validate({"members": [Nameless()]})
    with pytest.raises(ValidationError, match="members takes a comparer"):
        PairwisePanel.model_validate({"members": [Nothing()]})


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("class Mine(:\n", "SyntaxError: invalid syntax (own_and_broken.py, line 1)"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
)
def test_a_module_that_cannot_be_imported_is_a_problem_of_the_build_file(
    code: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_and_broken.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = problems(tmp_path, {"gate": {"use": "own_and_broken:Mine"}})
    assert found.startswith(f"gate: cannot import 'own_and_broken': {told}; Python must find it")


def test_a_class_that_is_not_there_or_no_component_is_a_problem_of_the_build_file(tmp_path: Path) -> None:
    (missing,) = problems(tmp_path, {"gate": {"use": "own_components:Missing"}})
    assert missing == "gate: 'own_components' has nothing called 'Missing'"
    (other,) = problems(tmp_path, {"gate": {"use": "pathlib:Path"}})
    assert other == "gate: pathlib:Path is no class derived from pairwright.core.components:Component"


def test_slots_have_their_protocols_as_types() -> None:
    hints = get_type_hints(BuildConfig)
    assert {key: hints[key] for key in ("sources", "evaluations", "judges", "perturbers", "exports")} == {
        "sources": tuple[Source, ...],
        "evaluations": tuple[Source, ...],
        "judges": tuple[Judge, ...],
        "perturbers": tuple[Perturber, ...],
        "exports": tuple[ExporterOf[Any], ...],
    }
    assert [hints[key] for key in ("gate", "comparison", "improve")] == [Gate | None, Comparer | None, Improver | None]
    assert get_type_hints(Panel)["members"] == tuple[Judge, ...]


@pytest.mark.parametrize("kind", CATALOGUES)
def test_what_the_catalogues_name_fits_its_slot(kind: str) -> None:
    takes: dict[str, type] = {
        "sources": Source,
        "gates": Gate,
        "judges": Judge,
        "comparison": Comparer,
        "improve": Improver,
        "perturbers": Perturber,
        "exports": ExporterOf,
    }
    for name, cls in CATALOGUES[kind].items():
        assert issubclass(cls, Component)
        assert isinstance(cls.model_construct(), takes[kind])
        assert cls.name == name
