"""What is known of a model without loading it: its shape, its size and the template that it was trained with."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pairwright.training_recipes.models.trainer_keys import templates_by_model
from pairwright.training_recipes.recipes.rendering import Stage


class Shape(NamedTuple):
    """The sizes that memory depends on. Sources: ``config.json`` of each model on the Hugging Face Hub."""

    hidden: int
    layers: int
    inner: int
    heads: int
    key_values: int
    vocabulary: int
    tied: bool = True
    head: int = 0
    context: int = 32768

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.head or self.hidden // self.heads

    @property
    def linears(self) -> tuple[tuple[int, int], ...]:
        """In and out sizes of one layer's linear modules: q, k, v, o, gate, up, down."""
        query, other = self.heads * self.head_size, self.key_values * self.head_size
        into = [(self.hidden, query), (self.hidden, other), (self.hidden, other), (query, self.hidden)]
        return (*into, (self.hidden, self.inner), (self.hidden, self.inner), (self.inner, self.hidden))

    @property
    def embeddings(self) -> int:
        """Parameters of the embeddings and the output layer."""
        return self.hidden * self.vocabulary * (1 if self.tied else 2)

    @property
    def parameters(self) -> int:
        """All parameters, biases and norms left out: they are under 0.1 %."""
        return self.embeddings + self.layers * sum(rows * columns for rows, columns in self.linears)

    def adapter(self, rank: int) -> int:
        """Parameters of a LoRA adapter of all linear modules."""
        return self.layers * sum(rank * (rows + columns) for rows, columns in self.linears)


_QWEN = 151936  # tokens of the vocabulary
_SHAPES: Mapping[str, Shape] = {
    "qwen2.5-0.5b": Shape(896, 24, 4864, 14, 2, _QWEN),
    "qwen2.5-1.5b": Shape(1536, 28, 8960, 12, 2, _QWEN),
    "qwen2.5-3b": Shape(2048, 36, 11008, 16, 2, _QWEN),
    "qwen2.5-7b": Shape(3584, 28, 18944, 28, 4, 152064, tied=False),
    "qwen2.5-14b": Shape(5120, 48, 13824, 40, 8, 152064, tied=False),
    "qwen3-0.6b": Shape(1024, 28, 3072, 16, 8, _QWEN, head=128, context=40960),
    "qwen3-1.7b": Shape(2048, 28, 6144, 16, 8, _QWEN, head=128, context=40960),
    "qwen3-4b": Shape(2560, 36, 9728, 32, 8, _QWEN, head=128, context=40960),
    "qwen3-8b": Shape(4096, 36, 12288, 32, 8, _QWEN, tied=False, head=128, context=40960),
    "qwen3-14b": Shape(5120, 40, 17408, 40, 8, _QWEN, tied=False, head=128, context=40960),
    "smollm2-135m": Shape(576, 30, 1536, 9, 3, 49152, context=8192),
    "smollm2-360m": Shape(960, 32, 2560, 15, 5, 49152, context=8192),
    "smollm2-1.7b": Shape(2048, 24, 8192, 32, 32, 49152, context=8192),
}
_SIZED = re.compile(r"(qwen2\.5|qwen3|smollm2)-(?:[a-z]+-)?(\d+(?:\.\d+)?[bm])(?![a-z0-9])")
_FAMILIES = {"qwen2": "qwen", "qwen3": "qwen3_nothink", "smollm2": "smollm2"}
_THINKS_OR_NOT = re.compile(r"qwen3-\d+(?:\.\d+)?b(?!.*(?:instruct|thinking|base))")


def is_local(name: str) -> bool:
    """True for a folder's path, False for a model's name on a hub such as ``Qwen/Qwen2.5-3B-Instruct``."""
    return Path(name).exists() or name.startswith((".", "/", "~")) or name.count("/") > 1 or "/" not in name


def origin_of(name: str, earlier: Sequence[Stage]) -> str:
    """The model that an earlier stage's output ``name`` was made from; ``name`` itself where no stage made it."""
    made = {str(stage.output): stage for stage in earlier}
    while name in made:
        name = str(made[name].settings.get("model_name_or_path", ""))
    return name


def shape_of(name: str) -> Shape | None:
    """The shape of a model in a local folder or of a known name; None where it cannot be told."""
    config = _config(name)
    if {"hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads", "intermediate_size"} <= config.keys():
        return Shape(
            config["hidden_size"],
            config["num_hidden_layers"],
            config["intermediate_size"],
            config["num_attention_heads"],
            config.get("num_key_value_heads") or config["num_attention_heads"],
            config["vocab_size"],
            bool(config.get("tie_word_embeddings")),
            config.get("head_dim") or 0,
            config.get("max_position_embeddings", 32768),
        )
    found = _SIZED.search(name.lower())
    return _SHAPES.get(f"{found[1]}-{found[2]}") if found else None


def template_of(name: str) -> str | None:
    """LlamaFactory's template for a model; None where it cannot be told. Thinking models get ``qwen3``."""
    short = name.rpartition("/")[2].lower()
    if short in templates_by_model():
        return templates_by_model()[short]
    text = f"{_config(name).get('model_type', '')} {name.lower()}"
    return next((template for family, template in _FAMILIES.items() if family in text), None)


def thinks_or_not(name: str) -> bool:
    """True for the hybrid Qwen3 models, which answer with or without thinking."""
    if is_local(name):
        return "enable_thinking" in _chat_template(name)
    return bool(_THINKS_OR_NOT.search(name.lower()))


def is_adapter(folder: str) -> bool:
    """True for a folder that holds an adapter and no model."""
    return (Path(folder) / "adapter_config.json").is_file() and not (Path(folder) / "config.json").is_file()


def adapter_base(folder: str) -> str | None:
    """The model that the adapter in a folder was trained on; None where there is no adapter."""
    path = Path(folder) / "adapter_config.json"
    return str(_read(path).get("base_model_name_or_path")) if path.is_file() else None


def has_chat_template(folder: str) -> bool:
    """True unless a local tokenizer is there and has no chat template."""
    return not (Path(folder) / "tokenizer_config.json").is_file() or bool(_chat_template(folder))


def _chat_template(folder: str) -> str:
    alone, among = Path(folder) / "chat_template.jinja", Path(folder) / "tokenizer_config.json"
    if alone.is_file():
        return alone.read_text(encoding="utf-8")
    return str(_read(among).get("chat_template", "")) if among.is_file() else ""


def _config(folder: str) -> dict[str, Any]:
    path = Path(folder) / "config.json"
    return _read(path) if path.is_file() else {}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
