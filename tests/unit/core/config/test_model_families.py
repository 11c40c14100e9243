"""Model families from model names, and the warning when a family judges itself."""

from __future__ import annotations

from typing import Any

import pytest

from pairwright.core.config.build_file import BuildConfig
from pairwright.core.config.model_families import family_of, family_warnings
from pairwright.judges import COMPARERS, JUDGES
from pairwright.pipelines.ingest.sources import SOURCES


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("Qwen/Qwen2.5-7B-Instruct", "qwen"),
        ("qwen3-32b", "qwen"),
        ("QwQ-32B", "qwen"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama"),
        ("models/llama-3.2-1b.Q4_K_M.gguf", "llama"),
        ("gpt-4.1-mini", "gpt"),
        ("openai/gpt-oss-20b", "gpt"),
        ("o3-mini", "gpt"),
        ("chatgpt-4o-latest", "gpt"),
        ("claude-sonnet-4", "claude"),
        ("gemini-2.5-flash", "gemini"),
        ("google/gemma-3-4b-it", "gemini"),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", "mistral"),
        ("deepseek-chat", "deepseek"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "qwen"),
        ("THUDM/glm-4-9b-chat", "glm"),
        ("chatglm3-6b", "glm"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "smollm"),
        ("microsoft/Phi-3-mini", "phi"),
        ("01-ai/Yi-34B", "yi"),
        ("my-own-model", None),
        ("delphi-7b", None),
        ("stub", None),
        ("qwen-org/my-own-model", None),
    ],
)
def test_the_family_is_read_from_the_name_of_the_model(model: str, family: str | None) -> None:
    assert family_of(model) == family


def config(teacher: str, *judges: str, panel: bool = False, comparison: str | None = None) -> BuildConfig:
    names = {"teacher": teacher, **{f"judge{n}": model for n, model in enumerate(judges)}}
    if comparison:
        names["comparer"] = comparison
    rubrics: list[dict[str, Any]] = [{"use": "rubric", "endpoint": f"judge{n}"} for n in range(len(judges))]
    content: dict[str, Any] = {
        "name": "x",
        "output": "x",
        "sources": [{"use": "files", "source": "x", "path": "x.jsonl"}],
        "endpoints": {name: {"base_url": "http://x/v1", "model": model} for name, model in names.items()},
        "generation": [{"role": "teacher", "endpoint": "teacher"}],
        "judges": [{"use": "panel", "members": rubrics}] if panel else rubrics,
    }
    if comparison:
        content["comparison"] = {"use": "pairwise", "endpoint": "comparer"}
    catalogues = {"judges": JUDGES, "sources": SOURCES, "comparison": COMPARERS}
    return BuildConfig.model_validate(content, context={"catalogues": catalogues})


def test_a_family_that_is_judged_by_itself_alone_is_warned_of() -> None:
    (warning,) = family_warnings(config("qwen2.5-72b-instruct", "Qwen/Qwen2.5-7B-Instruct"))
    assert "endpoints.teacher" in warning
    assert "(judge0)" in warning
    assert "qwen" in warning
    assert list(family_warnings(config("qwen-max", "qwen-turbo", "qwen-plus", panel=True)))
    assert list(family_warnings(config("gpt-4.1", comparison="gpt-4.1-mini")))
    assert list(family_warnings(config("my-own-model", "my-own-model")))


def test_another_family_among_the_judges_is_enough() -> None:
    assert not list(family_warnings(config("qwen-max", "gpt-4.1")))
    assert not list(family_warnings(config("qwen-max", "qwen-turbo", "gpt-4.1", panel=True)))
    assert not list(family_warnings(config("qwen-max", "qwen-turbo", comparison="claude-sonnet-4")))
    assert not list(family_warnings(config("qwen-max")))
