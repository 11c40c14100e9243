"""JSON that others wrote: whatever it is, there is a value or one kind of error with a short message."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from pairwright.core.bookkeeping import Failed
from pairwright.core.config.yaml_file import parse_yaml, read_yaml
from pairwright.core.errors import BuildError, ConfigError, ExportError, SourceError
from pairwright.core.llm.wire import error_details, read_answer
from pairwright.core.prompts.few_shot import read_examples
from pairwright.core.tool_calls import calls_of
from pairwright.core.untrusted_json import MAX_NESTING, NotJson, read_json, well_formed
from pairwright.evaluation.dialogues.dialogue_rows import read_dialogues
from pairwright.evaluation.gold_rows import read_gold
from pairwright.evaluation.model_metrics.retrieval import read_passages
from pairwright.evaluation.predictions import read_predictions
from pairwright.exports.rows.row_readers import records
from pairwright.pipelines.build_folder import read_finished
from pairwright.pipelines.calibration.gold_items import marked_items

DEEP = "[" * 100_000
NUMBER = f'{{"id": {"9" * 5000}}}'


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 5000, NUMBER, '{"a"', "", "不是", b"\xff\xfe\xfd", b'{"a": "\xff"}'])
def test_every_bad_text_is_one_kind_of_error_in_one_short_line(text: str | bytes) -> None:
    with pytest.raises(NotJson) as error:
        read_json(text)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 120


@pytest.mark.parametrize("pair", ["[]", "{}"])
def test_nesting_has_a_bound_that_does_not_depend_on_the_caller(pair: str) -> None:
    def nested(depth: int) -> str:
        inner = '{"城市":' if pair == "{}" else "["
        return inner * (depth - 1) + pair + pair[1] * (depth - 1)

    read_json(nested(MAX_NESTING))
    with pytest.raises(NotJson, match="nested too deeply"):
        read_json(nested(MAX_NESTING + 1))
    assert len(read_json(f"[{','.join([pair] * 1000)}]")) == 1000


def test_a_server_that_nests_without_end_is_one_failed_request() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        read_answer(DEEP.encode(), "h", 1, 0.1, "m")
    assert error_details(DEEP.encode()) == ("", "")
    assert calls_of(DEEP) == ()


@pytest.mark.parametrize("content", [DEEP.encode(), NUMBER.encode(), b'{"id": "\xff"}'])
def test_files_that_users_hand_in_end_in_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content + b"\n")
    (tmp_path / "manifest.json").write_bytes(content)
    for reader in (read_gold, read_dialogues, marked_items):
        with pytest.raises(SourceError, match=r"rows\.jsonl"):
            reader(path)
    with pytest.raises(BuildError, match=r"manifest\.json"):
        read_finished(tmp_path)
    with pytest.raises(ExportError, match=r"rows\.jsonl"):
        list(records(path))


def test_files_that_users_hand_in_say_everything_once(tmp_path: Path) -> None:
    path, test = tmp_path / "rows.jsonl", tmp_path / "test.jsonl"
    row = {"id": "a", "lang": "zh", "history": [], "query": "它呢？", "rewrite": "天坛呢？"}
    test.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    path.write_text('{"id": "a", "text": "甲", "rewrite": "甲", "text": "乙", "rewrite": "乙"}', encoding="utf-8")
    readers = (read_gold, read_dialogues, marked_items, read_passages, partial(read_predictions, gold=read_gold(test)))
    for reader in readers:
        with pytest.raises(SourceError, match=r"rows\.jsonl:1: .*the key '(text|rewrite)' stands twice"):
            reader(path)
    with pytest.raises(ConfigError, match=r"rows\.jsonl:1: .*the key 'text' stands twice"):
        read_examples(str(path))


@pytest.mark.parametrize("text", ["[" * 5000, "day: 2024-99-99", "a: {b", "? [1]\n: 2\n? {a: 1}\n: 3"])
def test_yaml_that_cannot_be_is_one_clear_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="not valid YAML"):
        parse_yaml(text)
    (tmp_path / "build.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"build\.yaml: not valid YAML"):
        read_yaml(tmp_path / "build.yaml")


def test_lone_surrogates_in_a_row_can_be_written() -> None:
    row = Failed(stage="读", row="r", error="e", message='\ud800 "好"', file="\udcff.jsonl", line=1)
    assert row.model_dump_json() == (
        '{"stage":"读","row":"r","error":"e","message":"\ufffd \\"好\\"","file":"\ufffd.jsonl","line":1}'
    )
    assert well_formed("\ud83d\ude00 \udc80") == "😀 \ufffd"
