"""What code of others a build file runs is told before it runs, and can be forbidden: then nothing is imported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from plugin_packages import install, judge

from pairwright.cli.build_commands import check_command
from pairwright.core.config.build_file import read_build
from pairwright.core.config.foreign_code import foreign_code
from pairwright.core.config.yaml_file import read_yaml
from pairwright.core.errors import ConfigError
from pairwright.pipelines.api import Build
from pairwright.pipelines.catalogues import CATALOGUES

MARK = "from pathlib import Path\nPath(__file__).with_suffix('.ran').touch()\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("foreign_one", "foreign_two", "foreign_bad"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    install(tmp_path, "shop-judges", {"polite": "foreign_two:Polite"}, foreign_two=MARK + judge("Polite"))
    (tmp_path / "foreign_one.py").write_text(MARK + "print('从别人那里')\n" + judge("Mine"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def build_file(folder: Path, *judges: Any) -> Path:
    source = {"use": "files", "source": "logs", "path": "日志.jsonl"}
    content = {"name": "x", "output": "o", "sources": [source], "judges": list(judges)}
    (folder / "x.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return folder / "x.yaml"


PANEL = {"use": "panel", "members": [{"use": "unchanged"}, {"use": "foreign_one:Mine"}]}


def ran(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.ran"))


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"use": "foreign_one:Mine"}, "judges.0: use: foreign_one:Mine is code of others"),
        (
            {"use": "polite"},
            "judges.0: use: foreign_two:Polite ('polite' of package shop-judges 1.0) is code of others",
        ),
        (PANEL, "foreign_one:Mine is code of others"),
        ({"use": "foreign_one:Mine", "nonsense": 1}, "foreign_one:Mine is code of others"),
    ],
)
def test_code_of_others_can_be_forbidden(
    folder: Path, part: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = build_file(folder, part)
    with pytest.raises(ConfigError) as caught:
        Build.from_file(file, code=False)
    assert told in str(caught.value)
    monkeypatch.setenv("PAIRWRIGHT_NO_CODE", "1")
    with pytest.raises(ConfigError) as caught:
        read_build(file, CATALOGUES)
    assert told in str(caught.value)
    assert ran(folder) == []


def test_without_code_of_others_nothing_changes(folder: Path) -> None:
    file = build_file(folder, {"use": "unchanged"})
    assert Build.from_file(file, code=False).config == Build.from_file(file).config
    assert foreign_code(read_yaml(file), CATALOGUES) == []


def test_check_names_the_code_before_it_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "foreign_bad.py").write_text("raise SystemExit('坏了')\n", encoding="utf-8")
    file = build_file(folder, PANEL, {"use": "polite"}, {"use": "foreign_bad:No"}, {"use": "foreign_one:Mine"})
    with pytest.raises(ConfigError, match="cannot import 'foreign_bad': SystemExit: 坏了"):
        check_command(file)
    printed = capsys.readouterr().out
    assert printed == (
        "runs code of: foreign_one:Mine, foreign_two:Polite ('polite' of package shop-judges 1.0), foreign_bad:No\n从别人那里\n"
    )
    assert ran(folder) == ["foreign_one", "foreign_two"]


@pytest.mark.parametrize(
    "code", ["1/0", "raise SystemExit(3)", "raise GeneratorExit", "class E(BaseException): pass\nraise E"]
)
def test_whatever_code_raises_while_it_is_imported_is_told(folder: Path, code: str) -> None:
    (folder / "foreign_bad.py").write_text(code)
    with pytest.raises(ConfigError, match="judges.0: cannot import 'foreign_bad': "):
        read_build(build_file(folder, {"use": "foreign_bad:No"}), CATALOGUES)


def test_ctrl_c_while_code_is_imported_is_one(folder: Path) -> None:
    (folder / "foreign_bad.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        read_build(build_file(folder, {"use": "foreign_bad:No"}), CATALOGUES)


@pytest.mark.parametrize("name", ["..x:Y", ":Y", "a b:Y", "x:", "x:Y:Z", "x/y:Z", "a..b:C"])
def test_what_names_no_class_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="names no class; expected package.module:Class"):
        read_build(build_file(folder, {"use": name}), CATALOGUES)


def test_a_component_that_fails_at_its_settings_is_a_problem_of_the_file(folder: Path) -> None:
    extra = "    def model_post_init(self, context):\n        1 / 0\n"
    (folder / "foreign_bad.py").write_text(judge("Bad") + extra)
    with pytest.raises(ConfigError, match="foreign_bad:Bad failed: ZeroDivisionError"):
        read_build(build_file(folder, {"use": "foreign_bad:Bad"}), CATALOGUES)


def test_a_component_that_ends_the_program_is_a_problem_of_the_file(folder: Path) -> None:
    extra = "    def model_post_init(self, context):\n        raise SystemExit\n"
    (folder / "foreign_bad.py").write_text(judge("Bad") + extra)
    with pytest.raises(ConfigError, match="foreign_bad:Bad failed: SystemExit"):
        read_build(build_file(folder, {"use": "foreign_bad:Bad"}), CATALOGUES)
