"""Builds with components of somebody's own: they work, and what they do wrong is told as an error of theirs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from own_components import (
    Exploding,
    ExplodingLearner,
    ExplodingPreference,
    ExplodingReader,
    Silent,
    Whole,
    place,
    reference,
)

from building import build_file, manifest, run
from pairwright.core.config.build_file import read_build
from pairwright.core.errors import ComponentError
from pairwright.pipelines.books import Silent as Unwatched
from pairwright.pipelines.build import run_build
from pairwright.pipelines.catalogues import CATALOGUES

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


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"gate": own(Exploding)}, ("gate exploding", Exploding.decide)),
        ({"judges": [own(Exploding)]}, ("judge exploding", Exploding.judge)),
        ({"judges": [{"use": "panel", "members": [own(Exploding)]}]}, ("judge exploding", Exploding.judge)),
        (
            {"judges": [{"use": "panel", "members": [own(Whole)], "veto": [own(Exploding)]}]},
            ("judge exploding", Exploding.judge),
        ),
        (
            {"comparison": own(Exploding), "perturbers": [own(Whole)], "pairing": {"verify": "judge"}},
            ("comparer exploding", Exploding.compare),
        ),
        (
            {
                "comparison": {"use": "panel", "members": [own(Exploding)]},
                "perturbers": [own(Whole)],
                "pairing": {"verify": "judge"},
            },
            ("comparer exploding", Exploding.compare),
        ),
        ({"improve": own(Exploding)}, ("improver exploding", Exploding.review)),
        ({"improve": own(ExplodingPreference)}, ("improver exploding_preference", ExplodingPreference.prefer)),
        ({"perturbers": [own(Exploding)]}, ("perturber exploding", Exploding.perturb)),
        ({"perturbers": [own(ExplodingReader)]}, ("perturber exploding_reader", ExplodingReader.read_ahead)),
    ],
    ids=lambda value: re.sub(r"\W+", " ", str(value)) if isinstance(value, dict) else "",
)
def test_a_component_that_raises_is_named_with_row_and_file(
    tmp_path: Path, keys: dict[str, Any], named: tuple[str, Any]
) -> None:
    config = read_build(build_file(tmp_path, **{"perturbers": [], **keys}), CATALOGUES)
    with pytest.raises(ComponentError) as caught:
        run_build(config, lambda ledger: Unwatched())
    name, method = named
    told = rf"{name} \(own_components:Exploding\w*, {re.escape(place(method))}\) failed .*row [0-9a-f]{{16}}: "
    assert re.match(rf"{told}ZeroDivisionError: division by zero", caught.value.message)
    (row,) = re.findall(r"row ([0-9a-f]{16})", caught.value.message)
    assert row in (tmp_path / "build" / "unfinished" / "tasks.jsonl").read_text()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"sources": [own(Exploding)]}, "source exploding {} failed after row own.txt:2: ZeroDivisionError"),
        ({"evaluations": [own(Exploding)]}, "source exploding {} failed after row own.txt:2: ZeroDivisionError"),
        (
            {"perturbers": [own(ExplodingLearner)]},
            "perturber exploding_learner {} failed while it read the chosen answers: ZeroDivisionError",
        ),
        ({"perturbers": [own(Silent)]}, "perturber silent {} failed at row [0-9a-f]{{16}}: it gave nothing"),
        ({"judges": [own(Silent)]}, "judge silent {} failed at row [0-9a-f]{{16}}: it gave NoneType"),
    ],
)
def test_what_knows_no_row_or_gives_nothing_is_named_as_well(tmp_path: Path, keys: dict[str, Any], told: str) -> None:
    config = read_build(build_file(tmp_path, **{"perturbers": [], **keys}), CATALOGUES)
    with pytest.raises(ComponentError, match=told.format(r"\(own_components:\w+, .*own_components.py:\d+\)")):
        run_build(config, lambda ledger: Unwatched())


@pytest.mark.parametrize(
    ("command", "keys", "said"),
    [
        ("build", {"perturbers": [own(Exploding)]}, f"error: perturber exploding (own_components:Exploding, {place(Exploding.perturb)}) failed at row "),
        ("check", {"gate": own(Exploding)}, f"error: gate exploding (own_components:Exploding, {place(Exploding.decide)}) failed at row "),
        ("calibrate", {"judges": [own(Exploding)]}, f"error: judge exploding (own_components:Exploding, {place(Exploding.judge)}) failed at row "),
        ("calibrate", {"comparison": own(Exploding)}, f"error: comparer exploding (own_components:Exploding, {place(Exploding.compare)}) failed at row "),
        ("calibrate", {"judges": [own(Whole)], "perturbers": [own(Exploding)]}, f"error: perturber exploding (own_components:Exploding, {place(Exploding.perturb)}) failed at row "),
        ("calibrate", {"sources": [own(Exploding)], "judges": [own(Whole)]}, f"error: source exploding (own_components:Exploding, {place(Exploding.read)}) failed after row own.txt:2: "),
    ],
)  # fmt: skip
def test_the_command_line_tells_it_in_one_paragraph(
    tmp_path: Path, command: str, keys: dict[str, Any], said: str
) -> None:
    done = run(command, build_file(tmp_path, **keys), env=PATH)
    assert_plain_error(done, 1, said)
    assert "ZeroDivisionError: division by zero\nMend it, or leave it out of the build file" in done.stderr


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
