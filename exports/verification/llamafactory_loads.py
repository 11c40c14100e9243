"""The part of the verification that runs LlamaFactory: its argument parser, loader, converter and templates.

python -m pairwright.exports.verification.llamafactory_loads FOLDER TOKENIZER CUTOFF_LEN REPORT TEMPLATE...
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.data.template import TEMPLATES
from llamafactory.hparams import get_train_args
from transformers import AutoTokenizer

from pairwright.core.files.storage import write_rows
from pairwright.core.records import TaskKind, Turn
from pairwright.exports.rows.chat_readers import read_chat_rows
from pairwright.exports.rows.chat_rows import ChatRow
from pairwright.exports.verification.chat_comparison import IGNORED, check_labels, is_answer
from pairwright.exports.verification.trainer_loads import Checked

STAGES = {"sft": "sft", "dpo": "rm", "kto": "kto"}  # what its loader calls them: pairs are "rm", for DPO as well


def check_set(
    folder: Path, name: str, entry: dict[str, Any], tokenizer: str, template: str, cutoff_len: int
) -> Checked:
    """Load one set as ``llamafactory-cli train`` would and compare it row by row with its file."""
    rows = _written(folder / entry["file_name"])
    kind = "dpo" if entry.get("ranking") else "kto" if "kto_tag" in entry["columns"] else "sft"
    loaded, tok = _loaded(folder, name, kind, tokenizer, template, cutoff_len)
    problems = [] if len(loaded) == len(rows) else [f"{len(rows)} rows written, {len(loaded)} loaded"]
    longest = 0
    for number, (row, made) in enumerate(zip(rows, loaded, strict=False), start=1):
        sides = _sides(kind, _plain(row, entry["formatting"]), made)
        longest = max([longest, *(len(ids) for _, _, _, ids, _ in sides)])
        problems += [f"row {number}: {problem}" for side in sides for problem in _compare(tok, *side)]
        if kind == "dpo" and made["chosen_input_ids"] == made["rejected_input_ids"]:
            problems.append(f"row {number}: chosen and rejected are the same tokens")
        if kind == "kto" and made["kto_tags"] is not row["label"]:
            problems.append(f"row {number}: label {row['label']} became {made['kto_tags']}")
    return Checked(
        trainer="llamafactory", name=name, template=template, rows=len(rows), longest=longest, problems=tuple(problems)
    )


def check_chats(
    folder: Path, name: str, entry: dict[str, Any], tokenizer: str, template: str, cutoff_len: int
) -> Checked:
    """The same for a set of chats; SFT learns the last answer alone (``mask_history``)."""
    rows = list(read_chat_rows(folder / entry["file_name"]))
    report = {"trainer": "llamafactory", "name": name, "template": template, "rows": len(rows)}
    if any(row.uses_tools for row in rows) and TEMPLATES[template].format_tools.tool_format == "default":
        reason = f"LlamaFactory has no tool format of its own for {template}: set prompt.tools: text"
        return Checked(**report, longest=0, skipped=reason)
    kind = "dpo" if entry.get("ranking") else "kto" if "kto_tag" in entry["columns"] else "sft"
    loaded, tok = _loaded(folder, name, kind, tokenizer, template, cutoff_len, mask_history=kind == "sft")
    problems = [] if len(loaded) == len(rows) else [f"{len(rows)} rows written, {len(loaded)} loaded"]
    longest = 0
    for number, (row, made) in enumerate(zip(rows, loaded, strict=False), start=1):
        found: list[str] = []
        for answer, ids, labels in _answers(kind, row, made):
            longest = max(longest, len(ids))
            found += check_labels(tok, row, ids, labels)
            text = tok.decode([label for label in labels if label != IGNORED], skip_special_tokens=False)
            text = text.rstrip("\n").removesuffix(tok.eos_token)
            if not is_answer(text, answer, TEMPLATES[template].extract_tool(text) if answer.calls else text):
                found.append("the tokens with loss are not the answer")
        if kind == "dpo" and made["chosen_input_ids"] == made["rejected_input_ids"]:
            found.append("chosen and rejected are the same tokens")
        if kind == "kto" and made["kto_tags"] is not row.desirable:
            found.append(f"label {row.desirable} became {made['kto_tags']}")
        problems += [f"row {number}: {problem}" for problem in found]
    return Checked(**report, longest=longest, problems=tuple(problems))


_CHECKS: Mapping[TaskKind, Callable[[Path, str, dict[str, Any], str, str, int], Checked]] = {
    "rewrite": check_set,
    "answer": check_chats,
}


def _answers(kind: str, row: ChatRow, made: dict[str, Any]) -> Iterator[tuple[Turn, list[int], list[int]]]:
    """Each answer of a row with its token ids and labels."""
    if kind != "dpo":
        yield row.chosen, made["input_ids"], made["labels"]
        return
    assert row.rejected is not None
    yield row.chosen, made["chosen_input_ids"], made["chosen_labels"]
    yield row.rejected, made["rejected_input_ids"], made["rejected_labels"]


def _written(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        rows: list[dict[str, Any]] = json.load(file) if path.suffix == ".json" else [json.loads(line) for line in file]
    return rows


def _loaded(
    folder: Path, name: str, kind: str, tokenizer: str, template: str, cutoff_len: int, mask_history: bool = False
) -> tuple[Any, Any]:
    arguments = {
        "model_name_or_path": tokenizer,
        "stage": "dpo" if kind == "dpo" else kind,
        "do_train": True,
        "finetuning_type": "full",
        "dataset_dir": str(folder),
        "dataset": name,
        "template": template,
        "cutoff_len": cutoff_len,
        "mask_history": mask_history,
        "output_dir": "unused",  # the parser asks for one
        "overwrite_cache": True,
        "report_to": "none",
    }
    model, data, training, _, _ = get_train_args(arguments)
    tok = AutoTokenizer.from_pretrained(tokenizer)
    shape = get_template_and_fix_tokenizer(tok, data)
    return get_dataset(shape, model, data, training, STAGES[kind], tok)["train_dataset"], tok


def _plain(row: dict[str, Any], formatting: str) -> dict[str, Any]:
    """A sharegpt row in alpaca's names."""
    if formatting == "alpaca":
        return {**row, "user": row["instruction"]}
    turns = row["conversations"]
    sides: dict[str, Any] = {side: row[side]["value"] for side in ("chosen", "rejected") if side in row}
    return {"system": row["system"], "user": turns[0]["value"], "output": turns[-1]["value"], **sides}


def _sides(kind: str, row: dict[str, Any], made: dict[str, Any]) -> list[tuple[str, str, str, list[int], list[int]]]:
    """System, user, answer, token ids and labels of each answer in a row."""
    if kind != "dpo":
        return [(row["system"], row["user"], row["output"], made["input_ids"], made["labels"])]
    return [
        (row["system"], row["user"], row[side], made[f"{side}_input_ids"], made[f"{side}_labels"])
        for side in ("chosen", "rejected")
    ]


def _compare(tok: Any, system: str, user: str, answer: str, ids: Sequence[int], labels: Sequence[int]) -> Iterator[str]:
    learned = [label for label in labels if label != IGNORED]
    prompt = list(ids[: len(ids) - len(learned)])
    if list(labels) != [IGNORED] * len(prompt) + list(ids[len(prompt) :]):
        yield "the loss does not cover exactly one stretch at the end"
    if tok.decode(learned, skip_special_tokens=False).rstrip("\n") != answer.rstrip("\n") + tok.eos_token:
        yield "the tokens with loss are not the answer and its end"
    if learned.count(tok.eos_token_id) != 1:
        yield "the answer does not have exactly one end-of-sequence token"
    text = tok.decode(prompt, skip_special_tokens=False)
    if user not in text:
        yield "the prompt was cut: the query may be lost"
    if system not in text:
        yield "the system message was cut or changed"


def main(folder: str, tokenizer: str, cutoff_len: str, report: str, *templates: str) -> None:
    """Check every set of ``dataset_info.json`` with every template and write one ``Checked`` per line to ``report``."""
    info = json.loads((Path(folder) / "dataset_info.json").read_text(encoding="utf-8"))
    check = _CHECKS[json.loads((Path(folder) / "export.json").read_text(encoding="utf-8")).get("task", "rewrite")]
    write_rows(
        Path(report),
        (
            check(Path(folder), name, entry, tokenizer, template, int(cutoff_len))
            for template in templates
            for name, entry in info.items()
        ),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
