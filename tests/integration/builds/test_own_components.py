"""Builds with components of somebody's own: they work, in the slots that are for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from own_components import Whole, reference

from building import build_file, manifest, run

pytestmark = pytest.mark.slow
PATH = {"PYTHONPATH": str(Path(__file__).parents[2])}
JUDGE = {"use": "pairwright.judges.rules.unchanged:Unchanged"}


def own(cls: type) -> dict[str, str]:
    return {"use": reference(cls)}


def assert_plain_error(done: subprocess.CompletedProcess[str], code: int, said: str) -> None:
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_build_of_somebodys_own_components_is_a_build(tmp_path: Path) -> None:
    whole = own(Whole)
    keys: dict[str, Any] = {
        "gate": whole,
        "judges": [whole, {"use": "panel", "members": [whole, whole]}],
        "comparison": whole,
        "improve": whole,
        "perturbers": [whole],
        "exports": [whole],
        "evaluations": [whole],
        "pairing": {"verify": "judge"},
    }
    done = run("build", build_file(tmp_path, **keys), env=PATH)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "exports" / "own.txt").read_text() == "small"
    stages = {stage["stage"]: stage["kept"] for stage in manifest(tmp_path / "build")["stages"]}
    assert stages["balance"] > 50
    assert stages["verify"] == stages["balance"]


@pytest.mark.parametrize("command", ["check", "build"])
def test_a_component_in_the_wrong_slot_is_refused_before_anything_is_done(tmp_path: Path, command: str) -> None:
    keys: dict[str, Any] = {"exports": [JUDGE], "perturbers": [JUDGE], "gate": JUDGE}
    done = run(command, build_file(tmp_path, **keys))
    for path, wanted in (
        ("exports.0", "exports takes an exporter (a class with 'export')"),
        ("perturbers.0", "perturbers takes a perturber (a class with 'perturb')"),
        ("gate", "gate takes a gate (a class with 'decide')"),
    ):
        assert_plain_error(done, 2, f"build.yaml: {path}: {JUDGE['use']} is a judge, {wanted}")
    assert not (tmp_path / "build").exists()
