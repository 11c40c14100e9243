"""What can be evaluated, as written on the command line: ``[NAME=]SPEC``.

SPEC is one of

- ``copy``, ``last_entity``, ``reference``: see ``baselines.py``;
- ``predictions.jsonl``: answers in a file; ``{test}`` in the path stands for the test set's name;
- ``https://host/v1#model``: an OpenAI-compatible endpoint;
- ``gguf`` or ``gguf:model.gguf``: the packaged weights, or any GGUF file, behind the embedded server;
- ``hf:folder`` or ``hf:folder+adapter+adapter``: a local transformers model and adapters merged in order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pairwright.core.errors import ConfigError
from pairwright.core.secret_patterns import hide_keys
from pairwright.evaluation.gold_rows import GoldSet
from pairwright.evaluation.predictions import System, read_predictions
from pairwright.evaluation.systems.baselines import BASELINES, baseline
from pairwright.evaluation.systems.student_requests import RequestOptions

# A name has no colon and no slash: the "=" in a URL's query or in a path ends none.
_NAMED = re.compile(r"([^=:/\\]+)=(.+)")
_URL = re.compile(r"(https?://[^#]+)#(.+)")


class SystemSpec(NamedTuple):
    """A parsed ``[NAME=]SPEC``. ``kind`` is ``baseline``, ``file``, ``endpoint``, ``gguf`` or ``hf``."""

    name: str
    kind: str
    target: str

    @property
    def asks(self) -> bool:
        """True when a model answers, so that prompts and examples matter."""
        return self.kind in ("endpoint", "gguf", "hf")


def parse_system(text: str) -> SystemSpec:
    """Read a system's specification.

    Raises:
        ConfigError: it is none of the forms.
    """
    named = _NAMED.fullmatch(text)
    name, spec = (named[1], named[2]) if named else ("", text)
    if spec in BASELINES:
        return SystemSpec(name or spec, "baseline", spec)
    if url := _URL.fullmatch(spec):
        return SystemSpec(name or url[2], "endpoint", spec)
    kind, _, target = spec.partition(":")
    if kind == "gguf":
        return SystemSpec(name or (Path(target).stem if target else "smollm2-135m"), "gguf", target)
    if kind == "hf" and target:
        return SystemSpec(name or Path(target.split("+")[-1]).name, "hf", target)
    if spec.endswith(".jsonl"):
        return SystemSpec(name or Path(spec).stem, "file", spec)
    raise ConfigError(
        [f"--system {hide_keys(text)}: not a system"],
        "Give copy, last_entity, FILE.jsonl, https://HOST/v1#MODEL, gguf[:FILE] or hf:FOLDER[+ADAPTER], each with NAME= before it if you like.",
    )


def answers(spec: SystemSpec, gold: GoldSet, options: RequestOptions) -> System:
    """Let the system answer every test row.

    Raises:
        SourceError: predictions that do not fit the test rows.
        ModelError: a model that cannot be used.
    """
    if spec.kind == "baseline":
        return baseline(spec.target, gold).model_copy(update={"name": spec.name})
    if spec.kind == "file":
        path = Path(spec.target.replace("{test}", gold.name))
        return System(
            name=spec.name, kind="file", predictions=read_predictions(path, gold), details={"file": str(path)}
        )
    if spec.kind == "hf":
        from pairwright.evaluation.systems.transformers_model import from_transformers

        model, *adapters = spec.target.split("+")
        return from_transformers(spec.name, model, adapters, gold, options)
    from pairwright.evaluation.systems.endpoint_model import from_endpoint, from_gguf

    if spec.kind == "gguf":
        return from_gguf(spec.name, Path(spec.target) if spec.target else None, gold, options)
    base_url, model = spec.target.rsplit("#", 1)
    return from_endpoint(spec.name, base_url, model, gold, options)
