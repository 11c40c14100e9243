"""Token vectors of a local transformers encoder (any folder that ``AutoModel`` loads)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pairwright.core.errors import ConfigError
from pairwright.core.extras import install_line
from pairwright.core.statistics import Array

BATCH = 32  # texts at a time


def load(folder: Path, kind: Literal["AutoModel", "AutoModelForCausalLM"]) -> tuple[Any, Any, Any]:
    """torch, the tokenizer and the model (``kind``: the name of a transformers auto class) in ``folder``.

    Raises:
        ConfigError: transformers is not installed, or the folder holds no such model.
    """
    try:
        import torch
        import transformers
    except ImportError as exc:
        raise ConfigError([f"{folder}: transformers is not installed"], install_line("train")) from exc
    library: Any = transformers
    if not folder.is_dir():
        raise ConfigError([f"{folder}: no such folder"], "Give the folder of a saved model.")
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        auto = {"AutoModel": library.AutoModel, "AutoModelForCausalLM": library.AutoModelForCausalLM}[kind]
        network = auto.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError) as exc:
        raise ConfigError([f"{folder}: no model that transformers can load: {exc}"]) from exc
    # Padding is masked: any token will do.
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return torch, tokenizer, network


def encode(folder: Path, texts: Sequence[str], layer: int = -1) -> list[Array]:
    """Per text the vectors of its tokens, (tokens, width), without those of special tokens.

    ``layer`` indexes the hidden states; an empty text has one zero vector.

    Raises:
        ConfigError: the model cannot be loaded, or has no such layer.
    """
    torch, tokenizer, network = load(folder, "AutoModel")
    found: list[Array] = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer(
            list(texts[start : start + BATCH]),
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=512,
            return_special_tokens_mask=True,
            return_token_type_ids=False,
        )
        special = batch.pop("special_tokens_mask").bool()
        with torch.inference_mode():
            states = network(**batch, output_hidden_states=True).hidden_states
        if not -len(states) <= layer < len(states):
            raise ConfigError([f"{folder}: has {len(states)} layers of states, layer {layer} was asked for"])
        kept = batch["attention_mask"].bool() & ~special
        for vectors, mask in zip(states[layer], kept, strict=True):
            own = vectors[mask].double().numpy()
            found.append(own if len(own) else np.zeros((1, vectors.shape[-1])))
    return found
