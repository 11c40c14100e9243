"""Predictions of a local transformers model, with or without a chain of LoRA adapters (extra ``train``).

``base+sft+dpo`` loads the base, merges the first adapter into it, then the second: the order in which they were
trained. A merged model is a folder without adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.errors import ModelError
from pairwright.core.extras import install_line
from pairwright.core.requests import ChatRequest
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.predictions import Prediction, System
from pairwright.evaluation.systems.student_requests import RequestOptions, prediction_from, prompt_names, request_for

BATCH = {"cpu": 8, "cuda": 32}  # rows at a time


def from_transformers(
    name: str,
    model: str,
    adapters: Sequence[str],
    gold: GoldSet,
    options: RequestOptions,
    tell: Callable[[int], None] = lambda _: None,
) -> System:
    """Generate greedily for every row, in batches of rows of like length; ``tell`` hears how many rows a batch had.

    Raises:
        ModelError: transformers is not installed, or the model, its tokenizer or an adapter cannot be loaded.
    """
    tokenizer, network = _load(name, model, adapters)
    requests = [request_for(row, options) for row in gold.rows]
    order = sorted(range(len(requests)), key=lambda index: len(requests[index].messages[-1].content))
    answers: dict[int, tuple[str, bool]] = {}
    size = BATCH[network.device.type]
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        answers |= zip(batch, _generate(tokenizer, network, [requests[index] for index in batch]), strict=True)
        tell(len(batch))
    predictions: tuple[Prediction, ...] = tuple(
        prediction_from(row, answers[index][0], options, cut_off=answers[index][1])
        for index, row in enumerate(gold.rows)
    )
    details = {"model": model, "adapters": " + ".join(adapters) or "none", **prompt_names(gold, options)}
    return System(name=name, kind="transformers", predictions=predictions, details=details)


def _load(name: str, model: str, adapters: Sequence[str]) -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as exc:
        raise ModelError(f"{name}: transformers is not installed", install_line("train")) from exc
    for folder in (model, *adapters):
        if not Path(folder).is_dir():
            raise ModelError(f"{name}: {folder}: no such folder", "Give the folder of a saved model or adapter.")
    library: Any = transformers
    try:
        # Padded on the left, because the answer goes on where the row ends.
        tokenizer = library.AutoTokenizer.from_pretrained(model, padding_side="left", local_files_only=True)
        network = library.AutoModelForCausalLM.from_pretrained(model, dtype="auto", local_files_only=True)
        if adapters:
            import peft

            for adapter in adapters:
                network = peft.PeftModel.from_pretrained(network, adapter).merge_and_unload()
    except (OSError, ValueError, ImportError) as exc:
        raise ModelError(f"{name}: cannot load {model}: {exc}") from exc
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, network.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _generate(tokenizer: Any, network: Any, requests: Sequence[ChatRequest]) -> Iterator[tuple[str, bool]]:
    """Each answer's text, and whether it was cut off."""
    import torch

    prompts = [
        tokenizer.apply_chat_template(
            [message.model_dump() for message in request.messages], tokenize=False, add_generation_prompt=True
        )
        for request in requests
    ]
    # The chat template has put in the special tokens already.
    inputs = tokenizer(
        prompts, return_tensors="pt", padding=True, add_special_tokens=False, return_token_type_ids=False
    ).to(network.device)
    with torch.inference_mode():
        output = network.generate(
            **inputs, max_new_tokens=requests[0].max_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )
    # The generation settings of a model do not always have the token that ends a chat's turn; its tokenizer has.
    ends = network.generation_config.eos_token_id
    stops = set(ends if isinstance(ends, list) else [ends]) | {tokenizer.eos_token_id}
    for tokens in output[:, inputs["input_ids"].shape[1] :].tolist():
        ended = bool(stops.intersection(tokens))
        yield tokenizer.decode(tokens, skip_special_tokens=True), not ended
