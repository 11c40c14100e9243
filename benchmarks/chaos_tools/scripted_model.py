"""A model made of rules for ``pairwright.testing.fault_server``: it answers whatever our prompts ask, the same every time.

    python -m pairwright.testing.fault_server --port 0 --answer benchmarks/chaos_tools/scripted_model.py:answer

What it says follows from a hash of the request, so that every road of a build is taken: grades that pass and that do
not, either place preferred and neither, rewrites that are right and that leave the reference standing.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "examples" / "data"
TAGS = ("current_query", "first_text", "second_text")


@cache
def rewrites() -> dict[str, str]:
    """Human rewrites of the example data by their queries."""
    found = {}
    for name in ("zh_gold.jsonl", "cast19.en.jsonl", "gecor.en.jsonl", "ikat23.en.jsonl"):
        for line in (DATA / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found[row["query"]] = row["rewrite"]
    return found


def texts_of(prompt: str) -> dict[str, str]:
    """What stands between the data tags."""
    return {name: text.strip() for name, text in re.findall(rf"<({'|'.join(TAGS)})>\n?(.*?)</\1>", prompt, re.DOTALL)}


def answer(body: dict[str, Any]) -> str:
    """The answer to a chat completion request."""
    prompt = "\n".join(str(message.get("content")) for message in body["messages"])
    texts, query = texts_of(prompt), texts_of(prompt).get("current_query", "")
    draw = hashlib.sha256(json.dumps([prompt, body.get("seed")]).encode()).digest()
    polite = f"请问{query}" if query[:1] > "\u3000" else f"Please tell me: {query}"
    rewrite = rewrites().get(query, polite) if draw[0] % 4 else polite
    schema = body.get("response_format", {}).get("json_schema", {}).get("schema")
    if schema is None:
        return rewrite
    asked = schema["properties"]
    said: dict[str, Any] = {name: "It is so." for name in asked}
    if "better" in asked:
        first, second = texts["first_text"], texts["second_text"]
        gold = rewrites().get(query)
        right = {first: "first", second: "second"}.get(gold or "", "first" if len(first) > len(second) else "second")
        said["better"] = right if draw[1] % 8 else "equal"
    elif "is_good" in asked:
        good = draw[1] % 3 == 0
        said |= {"is_good": good, "improved_answer": "" if good else polite}
    elif "score" in asked:
        said["score"] = (5, 4, 4, 3)[draw[1] % 4]
    elif "rewrite" in asked:
        said |= {"needs_rewrite": rewrite != query, "rewrite": rewrite}
    elif "needs_rewrite" in asked:
        said["needs_rewrite"] = bool(draw[1] % 4)
        if "missing_answer" in asked:
            said["missing_answer"] = draw[2] % 4 == 0
    else:
        for number, name in enumerate(list(asked)[1:]):  # grades from 0 to 10
            said[name] = (8, 9, 3, 5)[draw[1 + number] % 4]
    return json.dumps(said, ensure_ascii=False)
