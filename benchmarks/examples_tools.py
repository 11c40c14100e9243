"""Cut the dialogues with tool calls of `examples/data/` from CrossWOZ and API-Bank.

    python benchmarks/examples_tools.py FOLDER [--out examples/data]

FOLDER holds `crosswoz/` (`val.json.zip` and the `*_db.json` files of the data set) and `api-bank/` (`apis/` and
`lv1-lv2-samples/` of the benchmark). What people said stays as it is. The calls of CrossWOZ are the database queries that
its human assistants made (`sys_state_init`, then `sys_state` where they loosened a constraint), their results are the
records that they chose; the calls and results of API-Bank are its own. No dialogue that another file of the folder
shows is taken. A dialogue is kept when every call fits its tool
and, in CrossWOZ, every value that the assistant gives stands in a result or was said before.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pairwright.core.records import Conversation, ToolCall
from pairwright.core.tool_schemas import call_problem
from pairwright.pipelines.ingest.answer_dialogues import check_answerable
from pairwright.pipelines.ingest.row_forms import RowMapping, RowReader

Row = dict[str, Any]

DIALOGUES = {"crosswoz": 14, "api-bank": 16}
DOMAINS = {
    "景点": (
        "search_attractions",
        "查询北京的景点",
        ("名称", "门票", "游玩时间", "评分", "周边景点", "周边餐馆", "周边酒店"),
    ),
    "餐馆": (
        "search_restaurants",
        "查询北京的餐馆",
        ("名称", "推荐菜", "人均消费", "评分", "周边景点", "周边餐馆", "周边酒店"),
    ),
    "酒店": (
        "search_hotels",
        "查询北京的酒店",
        ("名称", "酒店类型", "酒店设施", "价格", "评分", "周边景点", "周边餐馆", "周边酒店"),
    ),
}
FILES = {"景点": "attraction", "餐馆": "restaurant", "酒店": "hotel"}
SYSTEM = "你是北京旅行助手，可以查询景点、餐馆和酒店。请根据查询结果回答，不要编造信息。"
LONGEST_LIST, MOST_RECORDS = 5, 3
TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object"}
# Their results say that the answer was not found; the assistant gives one all the same.
UNFOUNDED = ("DocumentQA", "Dictionary", "ImageCaption")
PRIVATE = re.compile(r"password|@|token|user_?id|patient|health|bank|account|appointment", re.IGNORECASE)


def main() -> None:
    """Write both files and print what is in each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("examples/data"))
    args = parser.parse_args()
    chinese = (row for row in crosswoz(args.folder / "crosswoz") if row["id"] not in shown_already(args.out))
    write(args.out / "tools.zh.jsonl", every_nth(chinese, DIALOGUES["crosswoz"]))
    write(args.out / "tools.en.jsonl", every_nth(api_bank(args.folder / "api-bank"), DIALOGUES["api-bank"]))


@cache
def shown_already(out: Path) -> frozenset[str]:
    """The dialogues that another file of the folder holds."""
    logs = {row["id"] for row in map(json.loads, (out / "dialogues.zh.jsonl").open(encoding="utf-8"))}
    gold = {row["meta"]["dialogue"] for row in map(json.loads, (out / "zh_gold.jsonl").open(encoding="utf-8"))}
    return frozenset(logs | gold)


def every_nth(rows: Iterator[Row], most: int) -> list[Row]:
    """``most`` of the usable rows, evenly spread."""
    usable = [row for row in rows if is_usable(row)]
    step = max(len(usable) // most, 1)
    print(f"{len(usable)} usable dialogues, every {step}. is taken")
    return usable[::step][:most]


def is_usable(row: Row) -> bool:
    """Whether the package reads the dialogue and each call fits its tool."""
    reader = RowReader("sample", "Apache-2.0", None, RowMapping())
    (found,) = check_answerable([reader.conversation(row, "", 1)])
    if not isinstance(found, Conversation):
        return False
    calls = [call for turn in found.turns for call in turn.calls]
    return bool(calls) and not any(call_problem(ToolCall.model_validate(call), found.tools) for call in calls)


def write(path: Path, rows: list[Row]) -> None:
    """Write rows as unescaped JSONL and print the file's counts."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    turns = [turn for row in rows for turn in row["messages"]]
    calls = sum(len(turn.get("tool_calls", ())) for turn in turns)
    said = sum(turn["role"] == "assistant" and bool(turn["content"]) for turn in turns)
    print(f"{path.name}: {len(rows)} dialogues, {calls} calls, {said} answers, {path.stat().st_size / 1000:.0f} kB")


def crosswoz(folder: Path) -> Iterator[Row]:
    """CrossWOZ dialogues about attractions, restaurants and hotels, with the queries of the assistant as calls."""
    records = {
        domain: dict(json.loads((folder / f"{name}_db.json").read_text(encoding="utf-8")))
        for domain, name in FILES.items()
    }
    with zipfile.ZipFile(folder / "val.json.zip") as archive:
        dialogues = json.loads(archive.read("val.json"))
    for name, dialogue in dialogues.items():
        messages = [{"role": "system", "content": SYSTEM}]
        asked: dict[str, Mapping[str, str]] = {}
        fits = True
        for turn in dialogue["messages"]:
            if turn["role"] == "usr":
                messages.append({"role": "user", "content": turn["content"]})
                continue
            messages += queried(turn, asked, records)
            fits = fits and is_supported(turn, messages)
            messages.append({"role": "assistant", "content": turn["content"]})
        domains = {act[1] for turn in dialogue["messages"] for act in turn["dialog_act"]}
        if fits and not domains & {"地铁", "出租"} and len(dialogue["messages"]) <= 18:
            tools = [definition(domain) for domain in DOMAINS]
            yield {"id": f"crosswoz-val-{name}", "lang": "zh", "messages": messages, "tools": tools}


def queried(turn: Row, asked: dict[str, Mapping[str, str]], records: Mapping[str, Mapping[str, Row]]) -> Iterator[Row]:
    """The calls and results that come before an answer: where the query of a domain is not the one before."""
    for domain in DOMAINS:
        first, final = (turn[state][domain] for state in ("sys_state_init", "sys_state"))
        for state in (first, final):
            slots = {slot: value for slot, value in state.items() if value and slot != "selectedResults"}
            if not slots or slots == asked.get(domain):
                continue
            asked[domain] = slots
            call = {"name": DOMAINS[domain][0], "arguments": json.dumps(slots, ensure_ascii=False)}
            found = [shown(records[domain][name], slots) for name in state["selectedResults"][:MOST_RECORDS]]
            yield {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]}
            yield {"role": "tool", "content": json.dumps(found, ensure_ascii=False)}


def shown(record: Row, slots: Mapping[str, str]) -> Row:
    """A record without what is missing. Lists are cut as the data set's authors advise; what was asked for stays."""
    wanted = set(" ".join(slots.values()).split())
    cut = {
        key: sorted(value, key=lambda item: item not in wanted)[:LONGEST_LIST] if isinstance(value, list) else value
        for key, value in record.items()
    }
    return {key: value for key, value in cut.items() if value not in (None, [], "") and key != "领域"}


def is_supported(turn: Row, before: list[Row]) -> bool:
    """Whether each value that the answer gives stands in a result or was said before."""
    known = "".join(message["content"] for message in before)
    values = [act[3] for act in turn["dialog_act"] if act[0] in ("Inform", "Recommend")]
    return all(re.sub(r"元|分|大约|约", "", value) in known for value in values)


def definition(domain: str) -> Row:
    """The tool that queries one domain; every constraint is text, as the assistants typed it."""
    name, description, slots = DOMAINS[domain]
    properties = {slot: {"type": "string"} for slot in slots}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {"type": "object", "properties": properties},
        },
    }


def api_bank(folder: Path) -> Iterator[Row]:
    """API-Bank dialogues of level 1 without anything that looks like an account or a patient."""
    tools = dict(api_definitions(folder / "apis"))
    for path in sorted((folder / "lv1-lv2-samples" / "level-1-given-desc").glob("*.jsonl")):
        text = path.read_text(encoding="utf-8")
        turns = [json.loads(line) for line in text.splitlines() if line.strip()]
        used = {turn["api_name"] for turn in turns if turn["role"] == "API"}
        if (
            not turns
            or path.name.startswith(UNFOUNDED)
            or PRIVATE.search(text)
            or not used <= tools.keys()
            or turns[-1]["role"] != "AI"
        ):
            continue
        offered = sorted(used | set(sorted(tools.keys() - used)[len(used) :: 9]))
        definitions = [tools[name] for name in offered]
        yield {"id": f"api-bank-{path.stem}", "lang": "en", "messages": list(spoken(turns)), "tools": definitions}


def api_definitions(folder: Path) -> Iterator[tuple[str, Row]]:
    """The tools of API-Bank, out of the attributes of its classes."""
    for path in sorted(folder.glob("*.py")):
        for item in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(item, ast.ClassDef):
                continue
            values = {
                target.id: node.value
                for node in item.body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name) and target.id in ("description", "input_parameters")
            }
            if len(values) == 2:
                yield item.name, api_definition(item.name, *(ast.literal_eval(value) for value in values.values()))


def api_definition(name: str, description: str, inputs: Mapping[str, Mapping[str, str]]) -> Row:
    """One of its tools as a function definition; the authors list no optional arguments."""
    properties = {
        key: {"type": TYPES[one["type"].lower().split("(")[0]], "description": one["description"]}
        for key, one in inputs.items()
    }
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def spoken(turns: list[Row]) -> Iterator[Row]:
    """The turns as messages; what the assistant says before a call stands beside it."""
    words = ""
    for turn in turns:
        if turn["role"] == "User":
            yield {"role": "user", "content": turn["text"]}
        elif turn["role"] == "AI":
            words = turn["text"]
            if turn is turns[-1] or turns[turns.index(turn) + 1]["role"] != "API":
                yield {"role": "assistant", "content": words}
                words = ""
        else:
            call = {"name": turn["api_name"], "arguments": json.dumps(turn["param_dict"], ensure_ascii=False)}
            result = turn["result"]
            content = result["output"] if result["exception"] is None else {"error": result["exception"]}
            yield {"role": "assistant", "content": words, "tool_calls": [{"type": "function", "function": call}]}
            yield {
                "role": "tool",
                "content": content if isinstance(content, str) else json.dumps(content, ensure_ascii=False),
            }
            words = ""


if __name__ == "__main__":
    main()
