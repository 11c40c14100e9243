"""Components of other packages: only the one that is named is loaded, and what is wrong with one is told with its package."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from plugin_packages import install, judge

from pairwright.core.components import load_class
from pairwright.core.plugins import PluginError, find_plugin, installed_plugins
from pairwright.judges import JUDGES


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that Python finds packages in; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if Path(sys.modules[name].__file__ or "/").is_relative_to(tmp_path):
            del sys.modules[name]


def problem(name: str) -> str:
    with pytest.raises(LookupError) as caught:
        load_class(name, JUDGES)
    return str(caught.value)


def test_only_what_is_named_is_imported(site: Path) -> None:
    install(site, "good", {"good_one": "good_module:Good"}, good_module=judge("Good"))
    install(site, "bad", {"bad_one": "bad_module:Bad"}, bad_module="raise RuntimeError('imported')")
    assert load_class("good_one", JUDGES).name == "Good"
    assert "nothing" in problem("nothing")
    assert "bad_module" not in sys.modules


def test_names_are_listed_with_package_and_version_and_nothing_is_imported(site: Path) -> None:
    install(site, "b-things", {"z": "b_module:Z", "a": "b_module:A"}, version="0.2", b_module="raise RuntimeError")
    install(site, "a-things", {"m": "a_module:M"}, a_module="raise RuntimeError")
    assert [(one.name, one.package) for one in installed_plugins()] == [
        ("a", "b-things 0.2"),
        ("m", "a-things 1.0"),
        ("z", "b-things 0.2"),
    ]
    assert find_plugin("other") is None


def test_our_own_names_win(site: Path) -> None:
    install(site, "thief", {"rubric": "thief_module:Thief"}, thief_module="raise RuntimeError('imported')")
    assert load_class("rubric", JUDGES) is JUDGES["rubric"]


def test_a_name_that_is_misspelt_is_told_with_all_that_there_are(site: Path) -> None:
    install(site, "shop", {"politeness": "shop_module:Polite", "calm": "shop_module:Calm"})
    told = problem("politenes")
    assert told.startswith("no component 'politenes'; there are: answer_instead, ")
    assert told.endswith("; from other packages: calm, politeness")


def test_a_name_of_two_packages_is_refused_with_both(site: Path) -> None:
    install(site, "first", {"twice": "first_module:One"}, first_module=judge("One"))
    install(site, "second", {"twice": "second_module:Two"}, version="3.1")
    assert problem("twice") == (
        "'twice' is registered by first 1.0 (first_module:One) and second 3.1 (second_module:Two); "
        "say which with use: package.module:Class, or uninstall one"
    )
    assert load_class("first_module:One", JUDGES).name == "One"


@pytest.mark.parametrize(
    ("value", "code", "told"),
    [
        ("lost_module:Judge", None, "ModuleNotFoundError: No module named 'lost_module'"),
        ("broken_module:Judge", "import torch_of_tomorrow", "No module named 'torch_of_tomorrow'"),
        ("broken_module:Judge", "class Judge(:", "SyntaxError: invalid syntax"),
        ("broken_module:Judge", "raise RuntimeError('no licence\\n' * 90)", "RuntimeError: no licence no licence"),
        ("broken_module:Judge", "import sys; sys.exit(3)", "SystemExit: 3"),
        ("broken_module:Judge", "x = 1", "AttributeError: module 'broken_module' has no attribute 'Judge'"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_told_with_its_package(
    site: Path, value: str, code: str | None, told: str
) -> None:
    install(site, "sad", {"sad_one": value}, **({} if code is None else {"broken_module": code}))
    found = problem("sad_one")
    assert found.startswith(f"'sad_one' of package sad 1.0 cannot be loaded from {value}: ")
    assert told in found
    assert found.endswith("; mend, update or uninstall that package")
    assert len(found) < 500


def test_ctrl_c_while_a_plugin_is_imported_is_no_error_of_the_plugin(site: Path) -> None:
    install(site, "slow", {"slow_one": "slow_module:Slow"}, slow_module="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_class("slow_one", JUDGES)


@pytest.mark.parametrize(
    ("value", "code"), [("no_class", ""), ("no_class:x", "x = 1"), ("no_class:C", "class C: pass")]
)
def test_what_is_no_component_is_told_with_its_package(site: Path, value: str, code: str) -> None:
    install(site, "odd", {"odd_one": value}, no_class=code)
    assert problem("odd_one") == (
        f"'odd_one' of package odd 1.0: {value} is no class of a Component; its author must name one"
    )


def test_a_class_that_no_build_file_could_name_is_refused(site: Path) -> None:
    code = f"{judge('Inner')}\nclass Outer:\n    inner = Inner\ndel Inner\n"
    install(site, "hidden", {"hidden_one": "hiding:Outer.inner"}, hiding=code)
    with pytest.raises(PluginError, match=r"hiding:Inner is not there; the class must stand at the top of its module"):
        load_class("hidden_one", JUDGES)
