"""YAML that nobody means is refused in one paragraph with the line; what people write reads as before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from pairwright.core.config.build_file import BuildConfig, read_build
from pairwright.core.config.yaml_file import parse_yaml, read_written_text
from pairwright.core.errors import ConfigError
from pairwright.judges.llm.rubric_file import read_rubric
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.training_recipes.recipes.trainer_yaml import read_value
from pairwright.training_recipes.recipes.trainer_yaml import read_yaml as read_recipe
from places import ROOT

HEAD = "name: x\noutput: o\nsources: [{use: files, source: logs, path: 日志}]\n"
LAUGHS = "a0: &a0 [哈, 哈]\n" + "".join(f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]\n" for at in range(1, 20))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{at}: &a{at} [*a{at - 1}]\n" for at in range(1, 400))


def refused(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        read_build(path, CATALOGUES)
    assert caught.value.exit_code == 2
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return caught.value.message.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("limits: {max_cost: 1}\nseed: 1\nlimits: {}\n", "'limits' stands here twice, in line 4 and in line 6"),
        (
            "limits:\n  max_cost: 1\n  max_rows: 2\n  max_cost: 3\n",
            "'max_cost' stands here twice, in line 5 and in line 7",
        ),
        ("limits: {max_cost: 1, 'max_cost': 3}\n", "'max_cost' stands here twice, in line 4 and in line 4"),
        (
            "judges:\n- use: panel\n  members:\n  - use: unchanged\n    use: copy\n",
            "'use' stands here twice, in line 7",
        ),
        ("endpoints: {1: {}, 0x1: {}}\n", "1 stands here twice"),
        ("context: &c {}\nsplit: {<<: *c, <<: *c}\n", "several are merged as '<<: [*one, *two]'"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(tmp_path: Path, tail: str, message: str) -> None:
    assert message in refused(tmp_path, HEAD + tail)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("calibration: 2001-99-99\n", "'2001-99-99' is no date"),
        ("calibration: 2001-01-01 00:00:00 +99:99\n", "is no date"),
        ("seed: !!int abc\n", "'abc' is no whole number"),
        ("seed: !!bool 也许\n", "is no true or false"),
        ("seed: !!python/object/apply:os.getcwd []\n", "the tag !!python/object/apply:os.getcwd means nothing here"),
        ("seed: !eigen 1\n", "the tag !eigen means nothing here"),
        ("ledger: !!binary '=='\n", "the tag !!binary means nothing here"),
        ("seed: " + "9" * 5000, "a number of 5,000 characters"),
        ("seed: 0x" + "f" * 20, "a whole number beyond 64 bits"),
        ("judges:\n- &j {use: panel, members: [*j]}\n", "*j stands inside of what it names (line 5"),
        (LAUGHS, "aliases repeat more than 100,000 parts"),
        (CHAIN, "with its aliases more than 64 levels"),
        ("judges: " + "[" * 3000, "more than 64 levels"),
        ("judges: " + "{a: " * 900, "more than 64 levels"),
        ("judges:\n" + "".join(f"{' ' * at}-\n" for at in range(200)), "more than 64 levels"),
        ('ledger: "a\\0b"\n', "the character U+0000 in a text"),
        ('ledger: "甲\\eb"\n', "the character U+001B in a text"),
        ('ledger: "a\\ud800"\n', "the character U+D800 in a text"),
        ("ledger: a\x00b\n", "line 4: the character U+0000 must not stand there"),
        ("---\nname: y\n", "write one file for each"),
        ("limits:\n\tmax_cost: 1\n", "(line 5, column 1); indent with spaces"),
        ("? [a]\n: b\n", "a list or a mapping stands where a key should be (line 4"),
        ("limits: {max_cost: 1, max_rows: 2001-99-99}\n", "limits.max_rows: '2001-99-99' is no date"),
        ("context: {languages: [zh, 0000-01-01]}\n", "context.languages.1: '0000-01-01' is no date"),
        ("split: {test: 0b" + "1" * 20000 + "}\n", "split.test: a number of 20,002 characters"),
        ("? " + "k" * 2000 + "\n: b\n", "a key of 2,000 characters"),
        ("7: b\n", "expected keys that are texts, found 7"),
    ],
)
def test_what_nobody_means_is_one_paragraph(tmp_path: Path, tail: str, message: str) -> None:
    found = refused(tmp_path, HEAD + tail)
    assert message in found
    assert "\n" not in found
    assert "line " in found or "keys that are texts" in found


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", "written in UTF-16: save it as UTF-8"),
        ("utf-16-le", "looks like UTF-16"),
        ("utf-32", "written in UTF-32"),
        ("gb18030", "line 3: not UTF-8, probably GB 18030 (GBK): save it as UTF-8"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, message: str) -> None:
    assert message in refused(tmp_path, HEAD.encode(encoding))


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(HEAD.encode("utf-8-sig"))
    assert read_build(path, CATALOGUES).name == "x"


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in (
        (tmp_path / "pipe", "a pipe"),
        (tmp_path, "a folder"),
        (Path("/dev/zero"), "a device"),
        (Path("a\0b"), "null byte"),
    ):
        with pytest.raises(ConfigError, match=what):
            read_build(path, CATALOGUES)
        with pytest.raises(ValueError, match=what):
            read_written_text(path)


def test_anchors_and_merge_keys_read_as_before(tmp_path: Path) -> None:
    text = f"{HEAD}context: &c {{turns: 2, max_tokens: 99}}\njudges: [&j {{use: unchanged}}, *j]\n"
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    config = read_build(path, CATALOGUES)
    assert (config.context.turns, len(config.judges)) == (2, 2)
    merged = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc: {<<: [*b, *a], z: 4}\n"
    assert parse_yaml(merged) == yaml.safe_load(merged)


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_say_what_they_said(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert parse_yaml(read_written_text(path)) == yaml.safe_load(text)
    context = {"catalogues": CATALOGUES}
    assert read_build(path, CATALOGUES) == BuildConfig.model_validate(yaml.safe_load(text), context=context)


def test_recipes_and_rubrics_are_read_by_the_same_reader(tmp_path: Path) -> None:
    recipe, rubric = tmp_path / "r.yaml", tmp_path / "q.yaml"
    recipe.write_text("stage: !!int sft\n")
    with pytest.raises(ConfigError, match="r.yaml: not valid YAML: stage: 'sft' is no whole number.*line 1"):
        read_recipe(recipe)
    rubric.write_text("dimensions: {a: {question: 对吗, bands: 好}}\ndimensions: {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="q.yaml: not valid YAML: the key 'dimensions' stands here twice"):
        read_rubric(str(rubric), "rewrite", "zh")
    assert read_value("1e-5") == 1e-5
    assert parse_yaml("1e-5") == "1e-5"


def test_a_path_that_is_too_long_is_shortened(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="File name too long") as caught:
        read_build(tmp_path / ("甲/" * 3000) / "x.yaml", CATALOGUES)
    assert len(caught.value.message) < 500


@pytest.mark.parametrize(("number", "read"), [("010", 8), ("-0777", -511), ("1:30", 90), ("190:20:30", 685230)])
def test_a_number_that_two_versions_of_yaml_read_differently_is_refused(number: str, read: int) -> None:
    with pytest.raises(ValueError, match=rf"{number} is {read} in YAML 1.1 .* write {read}, or quote it"):
        parse_yaml(f"seed: {number}\n")


@pytest.mark.parametrize("number", ["0", "10", "0.5", "-3", "0x10", "1e-3", "'010'", "2026-11-30", "'1:30'", "a:30"])
def test_other_numbers_are_read(number: str) -> None:
    assert parse_yaml(f"seed: {number}\n")
