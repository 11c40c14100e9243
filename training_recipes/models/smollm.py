"""SmolLM2-135M-Instruct as a model that trainers can load, from the GGUF weights that the demo serves it with.

``python -m pairwright.cli.save_student FOLDER`` writes weights, tokenizer, chat template and generation settings
in transformers' form; no download. The weights are the packaged ones (4 bit), dequantised to float32.

transformers reads the weights rightly, but not the tokenizer: it takes ``<|im_start|>`` for the end of a text, sets no
padding token, puts ``<|im_start|>`` before every text and keeps runs of digits together. A student that is trained so
never learns to stop. The tokenizer is therefore built here from the file's own metadata, as llama.cpp does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import TrainingError
from pairwright.core.extras import install_line
from pairwright.core.files.file_errors import storage_error
from pairwright.core.llm.embedded_server import weights

_CONTROL = 3  # gguf.TokenType.CONTROL


def save_student(folder: Path, gguf_file: Path | None = None) -> Path:
    """Write the student to ``folder`` unless it is there, and return ``folder``; 540 MB, half a minute on 2 cores.

    ``gguf_file`` names other weights of SmolLM2's family; without it the packaged ones are used.

    Raises:
        ModelError: there is no GGUF file.
        TrainingError: transformers or gguf are not installed.
        StorageError: ``folder`` cannot be written.
    """
    if (folder / "config.json").is_file():
        return folder
    source = gguf_file or weights("student", EndpointConfig(use="embedded"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that moving it there is one rename: complete or absent.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as work:
            done = Path(work) / "student"
            _write(source, done)
            # Not into a folder that is there: only an empty one is replaced.
            os.replace(done, folder)
    except ImportError as exc:
        raise TrainingError(f"{exc.name} is not installed", install_line("train")) from exc
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    return folder


def _write(source: Path, folder: Path) -> None:
    import torch
    import transformers

    tokenizer = student_tokenizer(source)
    library: Any = transformers
    network = library.AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    ends = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    network.config.update(ends)
    network.generation_config = library.GenerationConfig(**ends)
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def student_tokenizer(source: Path) -> Any:
    """The tokenizer of a GGUF file of SmolLM2's family, as transformers has it, with chat template, EOS and PAD."""
    import gguf

    fields = gguf.GGUFReader(source).fields
    return _tokenizer(lambda key: fields[key].contents())


def _tokenizer(read: Callable[[str], Any]) -> Any:
    """SmolLM's tokenizer: byte-level BPE, every digit a token of its own, nothing added before or after a text."""
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens: list[str] = read("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in read("tokenizer.ggml.merges")]
    names = {
        f"{name}_token": tokens[read(f"tokenizer.ggml.{key}_token_id")]
        for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))
    }
    bpe = Tokenizer(models.BPE({token: at for at, token in enumerate(tokens)}, merges, unk_token=names["unk_token"]))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    control = zip(tokens, read("tokenizer.ggml.token_type"), strict=True)
    bpe.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token, kind in control if kind == _CONTROL]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=read("llama.context_length"),
        chat_template=read("tokenizer.chat_template"),
        **names,
    )
