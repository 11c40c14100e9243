"""A small build of answers for tests, and the models that it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import building

WRONG = '[{"name": "search_hotels", "arguments": {"城市": "北京"}}]'


def build_file(folder: Path, **keys: Any) -> Path:
    """A build of six dialogues with tools, three in each language, whose last answer is missing."""
    rows = [*building.rows("tools.zh.jsonl", 3), *building.rows("tools.en.jsonl", 3)]
    for row in rows:
        row["messages"] = row["messages"][
            : max(at for at, one in enumerate(row["messages"]) if one["role"] == "user") + 1
        ]
    content = {
        "name": "small",
        "output": str(folder / "build"),
        "task": "answer",
        "sources": [{"use": "files", "source": "rows", "path": str(building.write_rows(folder / "rows.jsonl", rows))}],
        "context": {"queries": "every", "max_tokens": 4096},
        "judges": [{"use": "valid_tool_call"}, {"use": "brush_off"}],
        "exports": [{"use": "llamafactory", "form": "sharegpt"}, {"use": "openai"}, {"use": "jsonl"}, {"use": "card"}],
        "pairing": {"max_defect_share": 1.0, "max_surface_auc": 1.0},
        "limits": {"max_failure_rate": 1.0},
        "allow_licences": True,
        **keys,
    }
    path = folder / "build.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def with_endpoint(base_url: str, **endpoint: Any) -> dict[str, Any]:
    server = {"base_url": base_url, "model": "stub", "timeout": 5, **endpoint}
    return {
        "endpoints": {"teacher": server, "weak": {**server, "model": "weak"}},
        "generation": [{"role": "teacher", "endpoint": "teacher"}, {"role": "weak", "endpoint": "weak"}],
    }


def scripted(body: dict[str, Any]) -> Any:
    """Words from the teacher; the weak model calls a tool with an argument that it does not have."""
    last = body["messages"][-1]["content"]
    if body["model"] != "weak":
        return f"{'好的，答案是' if any('一' <= one <= '鿿' for one in last) else 'The answer is'} {len(last)}."
    if "tools" not in body:
        return WRONG
    call = {"name": "search_hotels", "arguments": '{"城市": "北京"}'}
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": call}]}
    return {"message": message, "finish_reason": "tool_calls"}
