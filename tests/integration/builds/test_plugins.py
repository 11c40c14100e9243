"""Builds with components that a package registers; the package is as an installer leaves it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from plugin_packages import install, judge

from building import build_file, manifest, run

pytestmark = pytest.mark.slow


def test_a_build_with_a_plugin_can_be_built_again_without_its_name(tmp_path: Path) -> None:
    site, file = tmp_path / "site", build_file(tmp_path, judges=[{"use": "nice", "word": "thanks"}])
    install(site, "shop", {"nice": "shop_code:Nice"}, shop_code=judge("Nice"))
    done = run("build", file, env={"PYTHONPATH": str(site)})
    assert done.returncode == 0, done.stderr
    first = manifest(tmp_path / "build")
    shutil.rmtree(site / "shop.dist-info")
    again = run("build", tmp_path / "build" / "build.yaml", env={"PYTHONPATH": str(site)})
    assert again.returncode == 0, again.stderr
    assert manifest(tmp_path / "build")["stages"] == first["stages"]
    assert "word: thanks" in (tmp_path / "build" / "build.yaml").read_text(encoding="utf-8")


def test_what_is_wrong_with_plugins_is_told_when_the_file_is_read(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(site, "one", {"twice": "shop_code:Nice", "broken": "broken_code:Judge"}, broken_code="1 / 0")
    install(site, "two", {"twice": "shop_code:Nice", "nice": "shop_code:Nice"}, shop_code=judge("Nice"))
    judges = [{"use": "twice"}, {"use": "broken"}, {"use": "nise"}]
    done = run("check", build_file(tmp_path, judges=judges, gate={"use": "nice"}), env={"PYTHONPATH": str(site)})
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for told in (
        "judges.0: 'twice' is registered by one 1.0 (shop_code:Nice) and two 1.0 (shop_code:Nice); say which",
        "judges.1: 'broken' of package one 1.0 cannot be loaded from broken_code:Judge: ZeroDivisionError: division by",
        "judges.2: no component 'nise'; there are: ",
        "; from other packages: broken, nice, twice, did you mean nice?",
        "gate: nice of package two 1.0 is a judge, gate takes a gate (a class with 'decide')",
    ):
        assert told in done.stderr
