"""The part of the verification that runs TRL: each trainer's own preparation of a set, with a random tiny model.

    python -m pairwright.exports.verification.trl_loads FOLDER TOKENIZER CUTOFF_LEN REPORT

TRL renders the tokenizer's own chat template; a tokenizer without one cannot train on conversations.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasets import load_dataset
from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer
from trl.trainer.kto_config import KTOConfig
from trl.trainer.kto_trainer import KTOTrainer
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from pairwright.core.files.storage import write_rows
from pairwright.core.records import TaskKind, Turn
from pairwright.exports.rows.chat_forms import trl_messages, trl_prompt
from pairwright.exports.rows.chat_readers import read_chat_rows
from pairwright.exports.rows.chat_rows import ChatRow
from pairwright.exports.rows.row_readers import read_training_rows
from pairwright.exports.verification.chat_comparison import arrived
from pairwright.exports.verification.trainer_loads import Checked

_TRAINERS = {"sft": (SFTTrainer, SFTConfig), "dpo": (DPOTrainer, DPOConfig), "kto": (KTOTrainer, KTOConfig)}


def check_set(path: Path, kind: str, tok: Any, cutoff_len: int) -> Checked:
    """Prepare one file as its trainer would and compare it row by row."""
    rows = list(read_training_rows(path))
    made = _prepared(path, kind, tok, cutoff_len)
    problems = [] if len(made) == len(rows) else [f"{len(rows)} rows written, {len(made)} loaded"]
    longest = 0
    for number, (row, one) in enumerate(zip(rows, made, strict=False), start=1):
        for prompt, answer, text in _sides(kind, one, row.chosen, row.rejected or ""):
            longest = max(longest, len(prompt) + len(answer))
            found = _compare(tok, row.system, row.user, text, prompt, answer, cutoff_len)
            problems += [f"row {number}: {problem}" for problem in found]
        if kind == "dpo" and one["chosen_input_ids"] == one["rejected_input_ids"]:
            problems.append(f"row {number}: chosen and rejected are the same tokens")
        if kind == "kto" and one["label"] is not row.desirable:
            problems.append(f"row {number}: label {row.desirable} became {one['label']}")
    return Checked(
        trainer="trl",
        name=path.stem,
        template="chat_template",
        rows=len(rows),
        longest=longest,
        problems=tuple(problems),
    )


def check_chats(path: Path, kind: str, tok: Any, cutoff_len: int) -> Checked:
    """The same for a set of chats, against what the tokenizer's chat template makes of the rows as they were written."""
    rows = list(read_chat_rows(path))
    made = _prepared(path, kind, tok, cutoff_len)
    problems = [] if len(made) == len(rows) else [f"{len(rows)} rows written, {len(made)} loaded"]
    longest = 0
    for number, (row, one) in enumerate(zip(rows, made, strict=False), start=1):
        found: list[str] = []
        sides = [row.chosen, *([row.rejected] if row.rejected else [])]
        for answer, (prompt, learned, _) in zip(sides, _sides(kind, one, "", ""), strict=True):
            longest = max(longest, len(prompt) + len(learned))
            found += _compare_chat(tok, row, answer, prompt, learned)
            if len(prompt) + len(learned) > cutoff_len:
                found.append(f"{len(prompt) + len(learned)} tokens, more than {cutoff_len}: the trainer will cut it")
        if kind == "dpo" and one["chosen_input_ids"] == one["rejected_input_ids"]:
            found.append("chosen and rejected are the same tokens")
        if kind == "kto" and one["label"] is not row.desirable:
            found.append(f"label {row.desirable} became {one['label']}")
        problems += [f"row {number}: {problem}" for problem in found]
    report = {"trainer": "trl", "name": path.stem, "template": "chat_template", "rows": len(rows)}
    return Checked(**report, longest=longest, problems=tuple(problems))


_CHECKS: Mapping[TaskKind, Callable[[Path, str, Any, int], Checked]] = {"rewrite": check_set, "answer": check_chats}


def _compare_chat(tok: Any, row: ChatRow, answer: Turn, prompt: Sequence[int], learned: Sequence[int]) -> Iterator[str]:
    tools = json.loads(row.chat.tools) if row.chat.tools else None
    asked = tok.apply_chat_template(trl_prompt(row), tools=tools, tokenize=False, add_generation_prompt=True)
    whole = tok.apply_chat_template([*trl_prompt(row), *trl_messages([answer])], tools=tools, tokenize=False)
    text = tok.decode(prompt, skip_special_tokens=False)
    if not _same(text, asked):
        yield "the prompt is not what the chat template makes of the row"
    yield from arrived(text, row)
    said = tok.decode(learned, skip_special_tokens=False)
    if not _same(said.removesuffix(tok.eos_token), whole[len(asked) :].removesuffix(tok.eos_token)):
        yield "the tokens with loss are not the answer and its end"
    if any(call.name not in said for call in answer.calls):
        yield "the chat template writes no calls: set prompt.tools: text"


def _same(text: str, expected: str) -> bool:
    """Equal up to order: a table gives the keys of all rows' objects one order."""
    return text == expected or sorted(text.rstrip("\n")) == sorted(expected.rstrip("\n"))


def _prepared(path: Path, kind: str, tok: Any, cutoff_len: int) -> Any:
    """The set as the trainer holds it before its first step. DPO and KTO cut prompts at 512 tokens unless told otherwise."""
    trainer, arguments = _TRAINERS[kind]
    limits: dict[str, Any] = {"max_length": cutoff_len}
    if kind != "sft":
        limits["max_prompt_length"] = cutoff_len
    shape = {"num_hidden_layers": 1, "hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1}
    model = Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tok), num_key_value_heads=1, **shape))
    data = load_dataset("json", data_files={"train": str(path)}, split="train")
    # Batches of two: KTO compares each row with the one before it, and its trainer refuses batches of one.
    with tempfile.TemporaryDirectory() as output:
        config = arguments(
            output_dir=output, report_to="none", use_cpu=True, bf16=False, per_device_train_batch_size=2, **limits
        )
        return trainer(model=model, args=config, train_dataset=data, processing_class=tok).train_dataset


def _sides(kind: str, made: dict[str, Any], chosen: str, rejected: str) -> Iterator[tuple[list[int], list[int], str]]:
    """Prompt tokens, answer tokens and answer text of each answer in a row."""
    if kind == "sft":
        start = made["completion_mask"].index(1) if 1 in made["completion_mask"] else len(made["input_ids"])
        yield made["input_ids"][:start], made["input_ids"][start:], chosen
    elif kind == "kto":
        start = sum(label == -100 for label in made["completion_labels"])
        yield made["completion_input_ids"][:start], made["completion_input_ids"][start:], chosen
    else:
        yield made["prompt_input_ids"], made["chosen_input_ids"], chosen
        yield made["prompt_input_ids"], made["rejected_input_ids"], rejected


def _compare(
    tok: Any, system: str, user: str, answer: str, prompt: Sequence[int], learned: Sequence[int], cutoff_len: int
) -> Iterator[str]:
    text = tok.decode(prompt, skip_special_tokens=False)
    if user not in text:
        yield "the prompt was cut: the query may be lost"
    if system not in text:
        yield "the system message was cut or changed"
    if not tok.decode(learned, skip_special_tokens=False).startswith(answer + tok.eos_token):
        yield "the tokens with loss are not the answer and its end"
    if len(prompt) + len(learned) > cutoff_len:
        yield f"{len(prompt) + len(learned)} tokens, more than {cutoff_len}: the trainer will cut it"


def main(folder: str, tokenizer: str, cutoff_len: str, report: str, *_: str) -> None:
    """Check every set of ``export.json`` and write one ``Checked`` per line to ``report``."""
    tok = AutoTokenizer.from_pretrained(tokenizer)
    content = json.loads((Path(folder) / "export.json").read_text(encoding="utf-8"))
    sets = [(Path(folder) / name, kind) for kind, files in content["files"].items() for name in files["rows"]]
    check = _CHECKS[content.get("task", "rewrite")]
    write_rows(Path(report), (check(path, kind, tok, int(cutoff_len)) for path, kind in sets))


if __name__ == "__main__":
    main(*sys.argv[1:])
