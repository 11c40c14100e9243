"""A Qwen2 too small to know anything, with a tokenizer trained on the spot: what trainers need to run for real."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

SftRow = Mapping[str, Any]

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

# Writes tools, calls and results as the chat template of Qwen2.5-Instruct does.
TOOL_TEMPLATE = """\
{%- set system = messages[0].content -%}
{{- '<|im_start|>system\\n' + system }}
{%- if tools %}
{{- '\\n\\n# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
{{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\\n<tool_call>\\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call>' }}
{%- endif %}
{{- '<|im_end|>\\n' }}
{%- for message in messages[1:] %}
{%- if message.role == 'tool' %}
{%- if loop.first or messages[loop.index0].role != 'tool' %}{{- '<|im_start|>user' }}{%- endif %}
{{- '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
{%- if loop.last or messages[loop.index0 + 2].role != 'tool' %}{{- '<|im_end|>\\n' }}{%- endif %}
{%- elif message.tool_calls %}
{{- '<|im_start|>assistant' }}
{%- if message.content %}{{- '\\n' + message.content }}{%- endif %}
{%- for call in message.tool_calls %}
{{- '\\n<tool_call>\\n{\"name\": \"' + call.function.name + '\", \"arguments\": ' }}{{- call.function.arguments | tojson }}{{- '}\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- else %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""


def save_tokenizer(
    folder: Path, texts: Iterable[str], vocabulary: int = 1200, chat_template: str = CHAT_TEMPLATE
) -> Path:
    """Train a byte-level BPE with Qwen's control tokens on ``texts`` and save it."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    bpe.train_from_iterator(texts, vocab_size=vocabulary, show_progress=False, special_tokens=control)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        clean_up_tokenization_spaces=False,
        chat_template=chat_template,
    )
    tokenizer.save_pretrained(folder)
    return folder


def save_model(folder: Path, seed: int = 0, spread: float = 0.02) -> Path:
    """Save a random Qwen2 with two layers of width 64 for the tokenizer in ``folder``."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        initializer_range=spread,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def teach(folder: Path, rows: Sequence[SftRow], steps: int = 80, batch: int = 8) -> Path:
    """Let the model in ``folder`` learn most answers of a few dozen rows by heart: 7 seconds of CPU time.

    A model that knows nothing cannot be made worse, and what it answers says nothing.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ordered = sorted((_tokens(tokenizer, row) for row in rows), key=lambda pair: sum(map(len, pair)))
    batches = [_padded(ordered[at : at + batch]) for at in range(0, len(ordered), batch)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=8e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps)
    for step in range(steps):
        tokens, labels = batches[step % len(batches)]
        optimizer.zero_grad()
        model(input_ids=tokens, labels=labels).loss.backward()  # padding is on the right: no mask is needed
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rate.step()
    model.save_pretrained(folder)
    return folder


def _tokens(tokenizer: Any, row: SftRow) -> tuple[list[int], list[int]]:
    prompt = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
    answer = f"{row['completion'][0]['content']}<|im_end|>"
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, answer))


def _padded(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Any, Any]:
    import torch

    length = max(len(prompt) + len(answer) for prompt, answer in rows)
    tokens = [[*prompt, *answer, *[0] * (length - len(prompt) - len(answer))] for prompt, answer in rows]
    labels = [
        [*[-100] * len(prompt), *answer, *[-100] * (length - len(prompt) - len(answer))] for prompt, answer in rows
    ]
    return torch.tensor(tokens), torch.tensor(labels)
