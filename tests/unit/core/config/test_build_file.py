"""A wrong build file names every problem and what to do; a right one is what was written plus the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.errors import ConfigError
from pairwright.pipelines.catalogues import CATALOGUES
from places import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
SOURCE = {"use": "files", "source": "logs", "path": "logs.jsonl"}


def read(tmp_path: Path, **keys: Any) -> BuildConfig:
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"name": "x", "output": "out", "sources": [SOURCE], **keys}), encoding="utf-8")
    return read_build(path, CATALOGUES)


def problems(tmp_path: Path, **keys: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, **keys)
    assert caught.value.exit_code == 2
    return [problem.removeprefix(f"{tmp_path / 'x.yaml'}: ") for problem in caught.value.problems]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_build_file_is_valid(path: Path) -> None:
    assert read_build(path, CATALOGUES).name == path.stem.replace("own_logs", "my-rewrites")


def test_the_packaged_template_is_the_example_for_own_logs() -> None:
    root = ROOT
    assert (root / "cli" / "template.yaml").read_text() == (root / "examples" / "own_logs.yaml").read_text()


def test_an_unknown_key_of_a_component_is_named_with_a_guess(tmp_path: Path) -> None:
    found = problems(
        tmp_path, judges=[{"use": "rubric", "endpoint": "a", "treshold": 0.5}], endpoints={"a": {"use": "embedded"}}
    )
    assert found == ["judges.0.treshold: unknown key, did you mean threshold?"]


def test_output_and_ledger_may_begin_with_the_home_folder(tmp_path: Path) -> None:
    config = read(tmp_path, output="~/构建", ledger="~/answers.sqlite")
    assert (config.output, config.ledger) == (str(Path.home() / "构建"), str(Path.home() / "answers.sqlite"))


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, seeed=1, context={"turns": -1}, sources=[{**SOURCE, "pth": "x"}, {"use": "fils"}])
    assert found == [
        "context.turns: Input should be greater than or equal to 0, found -1",
        "seeed: unknown key, did you mean seed?",
        "sources.0.pth: unknown key, did you mean path?",
        "sources.1: no component 'fils'; there are: files, huggingface, stdin, did you mean files?",
    ]


def test_of_very_many_problems_the_first_are_reported_and_the_others_counted(tmp_path: Path) -> None:
    found = problems(tmp_path, **{f"column {number}": number for number in range(20_000)})
    assert found[-1] == "and 19,900 problems more"
    assert len(found) == 101


def test_an_unknown_endpoint_is_named_with_a_guess(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        endpoints={"teacher": {"base_url": "http://127.0.0.1:1/v1", "model": "m"}},
        generation=[{"role": "teacher", "endpoint": "techer"}],
    )
    assert found == ["generation.0.endpoint: no endpoint 'techer', did you mean teacher?"]


def test_a_component_for_the_other_kind_of_task_is_refused_with_those_that_fit(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, task="answer", judges=[{"use": "language_mismatch"}, {"use": "unchanged"}])
    assert found.startswith("judges.1: unchanged is not for task: answer; there are: ")
    assert "language_mismatch" in found.partition("there are: ")[2]


def test_a_rewriting_build_does_not_mention_its_task(tmp_path: Path) -> None:
    plain = read(tmp_path).model_dump(mode="json")
    assert "task" not in plain
    assert not {"system", "tools"} & plain["sources"][0]["mapping"].keys()
    assert "tools" not in plain["prompt"]
    assert read(tmp_path, task="answer").model_dump(mode="json")["task"] == "answer"


def test_leaks_that_no_prompt_shows_are_refused(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, perturbers=[{"use": "leaked_example"}], prompt={"examples": False})
    assert found.startswith("perturber leaked_example needs prompt.examples: true")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [1", "not valid YAML"),
        ("- 1", "expected keys and values, found list"),
        ("", "expected keys and values, found nothing: the file is empty"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_build(path, CATALOGUES)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such build file") as caught:
        read_build(tmp_path / "none.yaml", CATALOGUES)
    assert "pairwright init" in caught.value.hint


def test_the_resolved_file_builds_the_same(tmp_path: Path) -> None:
    config = read_build(EXAMPLES[0].with_name("demo.yaml"), CATALOGUES)
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True), encoding="utf-8")
    assert read_build(path, CATALOGUES) == config


def test_a_component_of_ones_own_is_named_by_module_and_class(tmp_path: Path) -> None:
    config = read(tmp_path, perturbers=[{"use": "pairwright.perturbers.rewrites.entity_deletion:EntityDeletion"}])
    assert type(config.perturbers[0]).name == "entity_deletion"
    (found,) = problems(tmp_path, perturbers=[{"use": "no.such.module:Class"}])
    assert found.startswith("perturbers.0: cannot import 'no.such.module'")


def test_yes_is_no_number(tmp_path: Path) -> None:
    found = problems(tmp_path, seed=True, limits={"max_rows": True}, sources=[SOURCE], perturbers=[])
    assert found == ["limits.max_rows: expected a number, found true", "seed: expected a number, found true"]
    assert "found true" in problems(tmp_path, judges=[{"use": "rubric", "endpoint": "t", "threshold": True}])[0]


def test_an_endless_time_is_refused(tmp_path: Path) -> None:
    endpoint = {"base_url": "http://h/v1", "model": "m", "timeout": float("inf")}
    assert problems(tmp_path, endpoints={"t": endpoint})[0].startswith("endpoints.t.timeout: ")


def test_a_very_long_key_is_shortened(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, **{"键" * 900: 1})
    assert len(found) < 1000
