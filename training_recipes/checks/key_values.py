"""Checks of every key on its own: does the trainer have it, and does it take this value?

LlamaFactory checks neither types nor choices; TRL checks choices only where its configs list them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairwright.core.config.problems import did_you_mean
from pairwright.training_recipes.checks.problem import CheckedStage, Problem
from pairwright.training_recipes.models.trainer_keys import keys_of, trainer_version

_NO_SUCH_KEY = {
    "train_on_assistant_only": "LlamaFactory trains on the answers only, unless 'train_on_prompt' is set: remove it.",
    "assistant_only_loss": "LlamaFactory trains on the answers only, unless 'train_on_prompt' is set: remove it.",
    "evaluation_strategy": "It is called 'eval_strategy' now.",
    "dpo_beta": "It is called 'pref_beta'.",
    "beta": "It is called 'pref_beta'.",
    "dpo_loss": "It is called 'pref_loss'.",
    "dpo_ftx": "It is called 'pref_ftx'.",
    "max_length": "It is called 'cutoff_len'.",
    "max_seq_length": "It is called 'cutoff_len'.",
    "lora_r": "It is called 'lora_rank'.",
    "load_in_4bit": "Set 'quantization_bit: 4'.",
}
_NO_SUCH_KEY_IN_TRL = {
    "evaluation_strategy": "It is called 'eval_strategy' now.",
    "cutoff_len": "It is called 'max_length'.",
    "max_seq_length": "It is called 'max_length'.",
    "lora_rank": "It is called 'lora_r'.",
    "lora_target": "It is called 'lora_target_modules'.",
    "pref_beta": "It is called 'beta'.",
    "pref_loss": "It is called 'loss_type'.",
    "pref_ftx": "Set 'loss_type: [sigmoid, sft]' and 'loss_weights'.",
    "quantization_bit": "Set 'load_in_4bit: true'.",
    "template": "TRL renders the tokenizer's own chat template: remove it.",
    "finetuning_type": "Set 'use_peft: true' for LoRA.",
}
_POSITIVE = (
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "gradient_accumulation_steps",
    "lora_rank",
    "lora_r",
    "lora_alpha",
    "num_train_epochs",
    "learning_rate",
    "cutoff_len",
    "max_length",
    "pref_beta",
    "beta",
    "logging_steps",
)
_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "null": (type(None),),
}
_SPOKEN = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "list": "a list",
    "dict": "keys and values",
    "null": "nothing",
}


def check_keys(case: CheckedStage) -> Iterator[Problem]:
    """Is every key one of the trainer's, with a value that it takes?"""
    known = keys_of(case.stage)
    for key, value in case.stage.settings.items():
        if key not in known:
            yield case.problem(key, f"{_trainer(case)} has no such key", _instead(case, key, known))
        elif problem := _wrong(case, key, value, known[key]):
            yield problem


def _trainer(case: CheckedStage) -> str:
    if case.stage.trainer == "trl":
        return f"TRL {trainer_version('trl')} ({case.stage.kind})"
    return f"LlamaFactory {trainer_version('llamafactory')}"


def _instead(case: CheckedStage, key: str, known: Mapping[str, str]) -> str:
    renamed = _NO_SUCH_KEY_IN_TRL if case.stage.trainer == "trl" else _NO_SUCH_KEY
    if key in renamed:
        return renamed[key]
    guess = did_you_mean(key, known).removeprefix(", ")
    return f"{guess[:1].upper()}{guess[1:]} Otherwise remove it." if guess else "Remove it."


def _wrong(case: CheckedStage, key: str, value: Any, takes: str) -> Problem | None:
    kinds = takes.split(" | ")
    choices = [kind.strip("'") for kind in kinds if kind.startswith("'")]
    if not _fits(value, kinds, choices, case.stage.trainer == "trl"):
        return case.problem(
            key, f"takes {_spoken(kinds, choices)}, found {_shown(value)}", _mend(value, kinds, choices)
        )
    if key in _POSITIVE and isinstance(value, int | float) and value <= 0:
        return case.problem(key, f"must be more than 0, found {value}", "Correct the value.")
    return None


def _fits(value: Any, kinds: list[str], choices: list[str], trl: bool) -> bool:
    if "any" in kinds or value in choices:
        return True
    if isinstance(value, list) and "list" in kinds and choices:
        return all(item in choices for item in value)
    # TRL's command line makes a text the only item of a list.
    if trl and isinstance(value, str) and "list" in kinds and not choices:
        return True
    return any(
        isinstance(value, _TYPES[kind]) and not (isinstance(value, bool) and kind in ("int", "float"))
        for kind in kinds
        if kind in _TYPES
    )


def _spoken(kinds: list[str], choices: list[str]) -> str:
    plain = [_SPOKEN[kind] for kind in kinds if kind in _SPOKEN and not (choices and kind == "list")]
    named = [f"one of {', '.join(choices[:12])}{', …' if len(choices) > 12 else ''}"] if choices else []
    return " or ".join([*named, *plain])


def _shown(value: Any) -> str:
    return (
        f"the text '{value}'"
        if isinstance(value, str)
        else str(value).lower()
        if value in (True, False)
        else str(value)
    )


def _mend(value: Any, kinds: list[str], choices: list[str]) -> str:
    if value is False and "no" in choices:
        return "Write it in quotes, '\"no\"': YAML takes a bare no for false."
    if choices:
        guess = did_you_mean(str(value), choices).removeprefix(", ")
        return f"{guess[:1].upper()}{guess[1:]}" if guess else "Take one of them."
    if isinstance(value, str) and {"int", "float", "bool"} & set(kinds):
        return (
            "Write it without quotes, such as 1.0e-5, 16 or true: LlamaFactory converts nothing and fails in training."
        )
    return "Correct the value."
