"""A student is served with the prompt that its rows teach, for every row of a real build, in both languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import building
from pairwright.core.files.storage import read_rows
from pairwright.core.prompts.student import Student
from pairwright.core.records import SftRow
from pairwright.core.requests import ChatRequest, Message
from pairwright.exports.rows.chat_readers import read_chat_rows
from pairwright.exports.rows.row_readers import records

KEEP = {"max_defect_share": 1.0, "max_template_share": 1.0, "no_rewrite_share": [0, 1], "max_surface_auc": 1.0}


def built(folder: Path, **keys: Any) -> Path:
    """A finished build of ``keys`` in ``folder``."""
    content = {
        "name": "small",
        "output": str(folder / "build"),
        "split": {"validation": 0.2, "test": 0.2},
        "pairing": KEEP,
        "allow_licences": True,
        **keys,
    }
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    run = building.run("build", path, "--quiet")
    assert run.returncode == 0, run.stderr
    return folder / "build"


def source(folder: Path, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    path = building.write_rows(folder / "rows.jsonl", list(rows))
    return [{"use": "files", "source": "rows", "path": str(path), "licence": "MIT"}]


def asked_and_taught(build: Path, form: str) -> Iterator[tuple[SftRow, ChatRequest, Path, int]]:
    """Every SFT row of a form: what the student is asked for its task, and where its exported row is."""
    student = Student.from_build(build)
    exported = build / "exports" / form
    summary = json.loads((exported / "export.json").read_text(encoding="utf-8"))
    assert student.prompt_hashes() == summary["prompt_hashes"]
    assert (summary["files"]["sft"]["left_out"], summary["files"]["sft"]["shortened"]) == ({}, 0)
    places: dict[str, int] = {}
    for row in read_rows(build / "rows" / "sft.jsonl", SftRow):
        place = places[row.split] = places.get(row.split, -1) + 1
        yield row, student.request(row.task), exported / f"small_sft_{row.split}.jsonl", place
    assert {f"small_sft_{split}.jsonl": place + 1 for split, place in places.items()} == summary["files"]["sft"]["rows"]
    assert set(places) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    "prompt", [{}, {"form": "plain", "style_tag": True}, {"examples": False}], ids=["tags", "labels", "bare"]
)
def test_a_rewriting_student_is_asked_with_the_prompt_of_its_rows(tmp_path: Path, prompt: dict[str, Any]) -> None:
    rows = [*building.rows("zh_gold.jsonl", 24), *building.rows("cast19.en.jsonl", 24)]
    exports = [{"use": "llamafactory"}, {"use": "trl"}]
    perturbers = [{"use": "entity_deletion"}]
    build = built(tmp_path, sources=source(tmp_path, *rows), prompt=prompt, perturbers=perturbers, exports=exports)
    languages = set()
    for row, request, path, place in asked_and_taught(build, "llamafactory"):
        taught = list(records(path))[place]
        assert [(one.role, one.content) for one in request.messages] == [
            ("system", taught["system"]),
            ("user", taught["instruction"]),
        ]
        languages.add(row.task.language)
    assert languages == {"zh", "en"}
    for _, request, path, place in asked_and_taught(build, "trl"):
        assert list(records(path))[place]["prompt"] == [one.model_dump() for one in request.messages]


@pytest.mark.parametrize("tools", ["native", "text"])
def test_an_answering_student_is_asked_with_the_chat_of_its_rows(tmp_path: Path, tools: str) -> None:
    rows = [*building.rows("tools.zh.jsonl", 6), *building.rows("tools.en.jsonl", 6)]
    build = built(
        tmp_path,
        task="answer",
        sources=source(tmp_path, *rows),
        context={"queries": "every", "max_tokens": 2048},
        prompt={"tools": tools},
        perturbers=[{"use": "wrong_tool_argument"}],
        exports=[
            {"use": "llamafactory", "form": "sharegpt", "max_tokens": 8192},
            {"use": "trl", "preference": tools == "text", "max_tokens": 8192},
        ],
    )
    languages = set()
    for form in ("llamafactory", "trl"):
        for row, request, path, place in asked_and_taught(build, form):
            chat = list(read_chat_rows(path))[place].chat
            said = [Message(role=turn.role, content=turn.content, calls=turn.calls) for turn in chat.turns]
            assert list(request.messages) == [Message(role="system", content=chat.system), *said]
            assert json.loads(request.tools or "[]") == json.loads(chat.tools or "[]")
            languages.add(row.task.language)
    assert languages == {"zh", "en"}
