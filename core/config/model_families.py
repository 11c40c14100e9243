"""The family of a model, from its name: a model prefers what its own family wrote, so it should not judge that alone.

Self-preference: Panickssery et al., "LLM Evaluators Recognize and Favor Their Own Generations" (NeurIPS 2024).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pairwright.core.config.build_file import BuildConfig, EndpointConfig
from pairwright.core.config.component_references import named_endpoints

# What names begin with, or have as a word, after the maker's name and before a version. The first match counts: models
# that were distilled into another family's weights speak that family's language (DeepSeek-R1-Distill-Qwen is Qwen).
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("qwen", r"qwen|qwq|qvq"),
    ("llama", r"llama|vicuna|alpaca|tulu|hermes"),
    ("gpt", r"(chat)?gpt|o[1345](?=$|-)|davinci"),
    ("claude", r"claude"),
    ("gemini", r"gemini|gemma|palm"),
    ("mistral", r"mistral|mixtral|ministral|magistral|codestral|devstral|zephyr"),
    ("deepseek", r"deepseek"),
    ("glm", r"(chat)?glm"),
    ("smollm", r"smollm"),
    ("phi", r"phi"),
    ("yi", r"yi"),
    ("baichuan", r"baichuan"),
    ("internlm", r"internlm"),
    ("minicpm", r"minicpm"),
    ("kimi", r"kimi|moonshot|moonlight"),
    ("doubao", r"doubao|seed"),
    ("ernie", r"ernie"),
    ("hunyuan", r"hunyuan"),
    ("command", r"command|aya"),
    ("grok", r"grok"),
    ("granite", r"granite"),
    ("nova", r"nova"),
)
_PACKAGED = "SmolLM2-135M-Instruct"  # what an embedded endpoint runs that names no model


def family_of(model: str) -> str | None:
    """``qwen`` for ``Qwen/Qwen2.5-7B-Instruct``, ``org/my-qwen-finetune`` or ``models/qwen2-q4.gguf``; None if unknown."""
    name = re.split(r"[/\\]", model.strip().lower())[-1]
    for family, pattern in _FAMILIES:
        # A digit may follow (qwen2, phi3), a letter may not: "yi" is no part of a word.
        if re.search(rf"(?<![a-z])(?:{pattern})(?![a-z])", name):
            return family
    return None


def family_warnings(config: BuildConfig) -> Iterator[str]:
    """What to think of before trusting the judges: teachers that only models of their own family judge."""
    judges = {name for _, name in named_endpoints([config.judges, config.comparison])}
    teachers = {one.endpoint for one in config.generation if one.role == "teacher"}
    families = {_family(config.endpoints[name]) for name in judges}
    for teacher in sorted(teachers):
        family = _family(config.endpoints[teacher])
        if families == {family}:
            yield (
                f"warning: endpoints.{teacher}: the teacher and every model that judges it ({_listed(sorted(judges))}) are of "
                f"one family ({family}); models prefer what their own family writes. Let another family judge, too."
            )


def _family(endpoint: EndpointConfig) -> str:
    model = endpoint.model or _PACKAGED
    return family_of(model) or model


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
