"""Builds TRL's trainers from a recipe's keys, which are those of TRL's own command line; SimPO has none there.

What TRL lets pass and a run would suffer from is done here: a tokenizer without a padding token gets one, and a
preference training without an adapter gets its own copy of the model as reference (TRL makes it).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pairwright.training_recipes.recipes.recipe_files import Kind


def train(kind: Kind, settings: Mapping[str, Any], callback: Any) -> None:
    """Train one stage, evaluate it where the settings ask for it, and save it into ``output_dir``."""
    import transformers

    trl, library = _trl(), cast(Any, transformers)
    config_class, trainer_class = _classes(kind)
    own = {key: value for key, value in settings.items() if key != "resume_from_checkpoint"}
    parser = library.HfArgumentParser((trl.ScriptArguments, config_class, trl.ModelConfig))
    # No progress bar: the step log says how far it is.
    script, arguments, model = parser.parse_dict({"disable_tqdm": True, **own})
    trainer = trainer_class(
        model=_model(model),
        args=arguments,
        processing_class=_tokenizer(model.model_name_or_path),
        peft_config=trl.get_peft_config(model),
        callbacks=[callback],
        **_rows(script, evaluated=str(arguments.eval_strategy) != "no"),
    )
    trainer.train(resume_from_checkpoint=settings.get("resume_from_checkpoint"))
    trainer.save_model()
    trainer.save_state()


def merge(settings: Mapping[str, Any]) -> None:
    """Merge the adapter into its model and save both with the tokenizer into ``export_dir``."""
    import peft
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(settings["model_name_or_path"], dtype="auto")
    merged = peft.PeftModel.from_pretrained(base, settings["adapter_name_or_path"]).merge_and_unload()
    merged.save_pretrained(settings["export_dir"])
    _tokenizer(settings["model_name_or_path"]).save_pretrained(settings["export_dir"])


def _trl() -> Any:
    import trl  # its lazy module tells type checkers nothing

    return trl


def _classes(kind: Kind) -> tuple[Any, Any]:
    trl = _trl()
    return {
        "sft": (trl.SFTConfig, trl.SFTTrainer),
        "dpo": (trl.DPOConfig, trl.DPOTrainer),
        "kto": (trl.KTOConfig, trl.KTOTrainer),
        "simpo": (trl.CPOConfig, trl.CPOTrainer),
    }[kind]


def _model(config: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    quantised = _trl().get_quantization_config(config)
    more = {"quantization_config": quantised, "device_map": _trl().get_kbit_device_map()} if quantised else {}
    return AutoModelForCausalLM.from_pretrained(
        config.model_name_or_path,
        revision=config.model_revision,
        trust_remote_code=config.trust_remote_code,
        attn_implementation=config.attn_implementation,
        dtype=config.dtype if config.dtype in ("auto", None) else vars(torch)[config.dtype],
        **more,
    )


def _tokenizer(model: str) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _rows(script: Any, *, evaluated: bool) -> dict[str, Any]:
    from datasets import load_dataset

    folder = Path(script.dataset_name)
    rows = load_dataset(str(folder) if folder.is_dir() else script.dataset_name, name=script.dataset_config)
    return {
        "train_dataset": rows[script.dataset_train_split],
        "eval_dataset": rows[script.dataset_test_split] if evaluated else None,
    }
