"""The build file: YAML in, one frozen ``BuildConfig`` out. The only reader of build files.

Every key is documented where it stands; ``pairwright schema`` prints the same as JSON schema. Unknown keys are
errors, and all problems are reported at once as ``file: path: message``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from operator import not_
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from pairwright.core.components import Catalogues
from pairwright.core.config.component_references import components_in, named_endpoints
from pairwright.core.config.endpoint_urls import url_problem
from pairwright.core.config.pairing import PairingConfig as PairingConfig
from pairwright.core.config.pairing import find_unserved
from pairwright.core.config.problems import did_you_mean, explain, find_misfits
from pairwright.core.config.sections import (
    AuditConfig,
    DecontaminationConfig,
    DedupConfig,
    DiversityConfig,
    ExamplesConfig,
    PriceConfig,
    SplitConfig,
)
from pairwright.core.config.sections import Section as Section
from pairwright.core.config.slots import (
    ComparerComponent,
    ExporterComponent,
    GateComponent,
    ImproverComponent,
    JudgeComponent,
    PerturberComponent,
    SourceComponent,
)
from pairwright.core.config.written_texts import find_unfit
from pairwright.core.config.yaml_file import read_yaml
from pairwright.core.errors import ConfigError
from pairwright.core.records import ANALYSED, Language, TaskKind
from pairwright.core.secret_patterns import hide_keys, is_variable_name

Style = Literal["concise", "informative"]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class ContextConfig(Section):
    """Which turns become queries and how much history each one keeps."""

    queries: Literal["last", "every"] = Field(
        "last",
        description="Which user turns of a dialogue become queries. Rows that bring a rewrite always use their own query.",
    )
    turns: int = Field(
        3,
        ge=0,
        description="How many user turns of history to keep, with the answers between them; older turns go first.",
    )
    max_tokens: int = Field(
        1024,
        ge=16,
        description="Estimated tokens of history and query together; the oldest turns go until it fits, never the query.",
    )
    languages: tuple[Language, ...] = Field(("zh", "en"), description="Languages to keep.")


class EndpointConfig(Section):
    """An OpenAI-compatible server, or the embedded one."""

    use: Literal["openai", "embedded"] = Field(
        "openai",
        description="'openai': any OpenAI-compatible URL. 'embedded': a llama.cpp server that the build starts on loopback and stops.",
    )
    base_url: str | None = Field(None, description="URL up to and including /v1. Required for 'openai'.")
    model: str | None = Field(
        None,
        description="Model name at the endpoint; for 'embedded' the path of a GGUF file (default: the packaged SmolLM2-135M-Instruct).",
    )
    api_key_env: str | None = Field(
        None,
        description="Name of the environment variable that holds the key. The key itself never stands in a build file.",
    )
    max_concurrency: int = Field(16, ge=1, description="Most requests in flight; fewer while the server answers 429.")
    requests_per_minute: int | None = Field(None, ge=1, description="Rate limit to keep.")
    tokens_per_minute: int | None = Field(
        None, ge=1, description="Rate limit to keep, counted in prompt + completion tokens."
    )
    timeout: float = Field(120.0, gt=0, allow_inf_nan=False, description="Seconds for one request.")
    max_retries: int = Field(
        6,
        ge=0,
        description="Further tries after 408, 409, 429, 5xx, a time-out, a broken connection or a body that is no JSON.",
    )
    json_schema: bool = Field(
        True,
        description="Whether the server honours response_format json_schema. Without it the schema is only described in the prompt.",
    )
    logprobs: bool = Field(False, description="Whether the server returns logprobs; judges then use expected scores.")
    tools: bool = Field(
        False,
        description="Whether the server takes tool definitions and answers with tool_calls. Without it both are text in the prompt.",
        # A key that came later is left out at its default: builds from before it keep their id.
        exclude_if=not_,
    )
    price: PriceConfig = Field(default_factory=PriceConfig, description="For cost figures and limits.max_cost.")
    threads: int = Field(2, ge=1, description="Embedded only: CPU threads.")
    slots: int = Field(4, ge=1, description="Embedded only: requests decoded side by side.")
    context_size: int = Field(2048, ge=256, description="Embedded only: tokens per slot.")

    @property
    def most_in_flight(self) -> int:
        """Requests to have in flight: an embedded server would only queue more than it has slots, until they time out."""
        return min(self.max_concurrency, self.slots) if self.use == "embedded" else self.max_concurrency

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url and (problem := url_problem(url)):
            raise ValueError(problem)
        return url

    @field_validator("api_key_env")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None and not is_variable_name(name):
            without = " without the '$'" if name.startswith("$") else ""
            raise ValueError(
                f"expected the name of an environment variable{without}, such as OPENAI_API_KEY, and not a key; what stands here is not shown"
            )
        return name

    @model_validator(mode="after")
    def _complete(self) -> EndpointConfig:
        if self.use == "openai" and not (self.base_url and self.model):
            raise ValueError("an 'openai' endpoint needs base_url and model")
        return self


class GeneratorConfig(Section):
    """One model that proposes rewrites."""

    role: Literal["teacher", "weak"] = Field(
        description="'teacher': candidates for chosen. 'weak': only its failures are used, as rejected."
    )
    endpoint: str = Field(description="Name of one of the endpoints.")
    temperatures: tuple[Annotated[float, Field(ge=0, le=2)], ...] = Field(
        (0.7,), min_length=1, description="One candidate per temperature."
    )
    sample: int | None = Field(
        None, ge=1, description="Ask for at most this many queries, drawn by seed; all without it."
    )
    max_tokens: int = Field(
        400, ge=16, description="Most tokens of one answer; an answer that is cut off is a failure."
    )
    reasks: int = Field(1, ge=0, description="How often an answer that does not parse is asked again.")
    on_policy: bool = Field(
        False, description="Weak only: this model is the student that will be trained, so its mistakes are on-policy."
    )

    @model_validator(mode="after")
    def _student_is_weak(self) -> GeneratorConfig:
        if self.on_policy and self.role != "weak":
            raise ValueError("on_policy marks the student's own samples: it needs role: weak")
        return self


class PromptConfig(Section):
    """The student's prompt in the exported data. Serve the student with exactly the same one."""

    examples: bool = Field(True, description="Show the few-shot examples. Pairs that punish leaking them need this.")
    analysis: bool = Field(False, description="Ask for the analysis before the rewrite, as JSON (chain of thought).")
    style: Style = Field(
        "concise",
        description="What teacher and student aim for. 'concise': only what the query needs to be understood; 'informative': all that narrows it down.",
    )
    style_tag: bool = Field(
        False,
        description="Rewrites only. Name the style in the prompt, so that one student can learn both from two builds.",
        exclude_if=lambda tag: not tag,
    )
    form: Literal["xml", "plain"] = Field(
        "xml",
        description="Rewrites only. 'xml': turns and query stand in tags. 'plain': after labels, one line each; line breaks in them become spaces.",
        exclude_if=lambda form: bool(form == "xml"),
    )
    tools: Literal["native", "text"] = Field(
        "native",
        description="Answers only. 'native': tools and calls go into the trainer's own fields, and its chat template writes them. 'text': they are described in the system prompt and calls are JSON text, for templates, forms and trainers without tools.",
        exclude_if=lambda tools: bool(tools == "native"),
    )


class LimitsConfig(Section):
    """Where a build stops. Budgets count everything the build's ledger ever paid for, over all runs."""

    max_rows: int | None = Field(None, ge=1, description="Read at most this many rows of each source.")
    max_failure_rate: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Failed rows of one stage, as a share, above which the build stops: as soon as that is certain, or when the first 200 rows have all failed. With 1 it never stops for that.",
    )
    max_requests: int | None = Field(None, ge=0, description="Requests sent, retries included.")
    max_tokens: int | None = Field(None, ge=0, description="Prompt and completion tokens.")
    max_cost: float | None = Field(None, ge=0, description="In the currency of the prices.")


class BuildConfig(Section):
    """A whole build file."""

    # File systems allow 255 bytes, and what is exported adds to the name.
    name: str = Field(
        pattern=_IDENTIFIER, max_length=100, description="Name of the build; also the prefix of the exported data sets."
    )
    output: str = Field(description="Folder of the build, relative to the working directory; ~ is the home folder.")
    task: TaskKind = Field(
        "rewrite",
        description="What the student learns: to 'rewrite' the user's queries, or to 'answer' them, tool calls included.",
        exclude_if=lambda task: bool(task == "rewrite"),
    )
    seed: int = Field(
        0,
        description="What is sampled and drawn derives from (seed, stage, row id): generation, perturbers, pairs, splits, audit. Gates, judges and improvers ask with seeds of their own, the same in every build.",
    )
    ledger: str | None = Field(
        None,
        description="SQLite file with every paid answer; default: OUTPUT/ledger.sqlite. Several builds may share one.",
    )
    sources: tuple[SourceComponent, ...] = Field(min_length=1, description="Where dialogues come from.")
    evaluations: tuple[SourceComponent, ...] = Field(
        (), description="Test sets to keep out: a row that copies one of theirs, context included, is a leak."
    )
    decontamination: DecontaminationConfig = Field(default_factory=DecontaminationConfig)
    context: ContextConfig = Field(default_factory=ContextConfig)
    examples: ExamplesConfig = Field(default_factory=ExamplesConfig)
    endpoints: Mapping[str, EndpointConfig] = Field(default_factory=dict, description="Servers by name.")
    gate: GateComponent | None = Field(
        None,
        description="Decides which queries are rewritten; the others pass unchanged and no teacher is asked.",
        exclude_if=lambda gate: gate is None,
    )
    generation: tuple[GeneratorConfig, ...] = Field((), description="Models that propose rewrites.")
    judges: tuple[JudgeComponent, ...] = Field((), description="All must pass a candidate before it can be chosen.")
    comparison: ComparerComponent | None = Field(
        None,
        description="Says which of two texts is better; pairing.choose and pairing.verify put it to work.",
        exclude_if=lambda comparison: comparison is None,
    )
    improve: ImproverComponent | None = Field(
        None,
        description="What checks each query's best answer once more and writes a better one; none without it.",
        exclude_if=lambda improver: improver is None,
    )
    dedup: DedupConfig = Field(default_factory=DedupConfig)
    diversity: DiversityConfig | None = Field(
        None, description="Selection of rows that cover the data; 'diversity: {}' turns it on."
    )
    perturbers: tuple[PerturberComponent, ...] = Field((), description="What makes rejected variants.")
    pairing: PairingConfig = Field(default_factory=PairingConfig)
    audit: AuditConfig | None = Field(None, description="Shortcut audit of the pairs; 'audit: {}' turns it on.")
    prompt: PromptConfig = Field(default_factory=PromptConfig)
    split: SplitConfig = Field(default_factory=SplitConfig)
    exports: tuple[ExporterComponent, ...] = Field((), description="Forms to write the data set in.")
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    calibration: str | None = Field(
        None,
        description="calibration.json of 'pairwright calibrate': judges without a threshold of their own take the measured one, and the card tells the figures.",
    )
    allow_licences: bool = Field(
        False, description="Build although the sources' licences cannot be combined; recorded with the build."
    )

    @field_validator("output")
    @classmethod
    def _is_a_folder(cls, output: str) -> str:
        if not output.strip():
            raise ValueError("expected the path of a folder, found nothing")
        if _CONTROL.search(output):
            raise ValueError("a line break or another control character in the path of a folder")
        if re.match("(?i:file:)|.*://", output):
            raise ValueError("expected the path of a folder of this machine, found an address")
        return os.path.expanduser(output)

    @field_validator("ledger")
    @classmethod
    def _is_a_file(cls, ledger: str | None) -> str | None:
        if ledger is None:
            return None
        if not ledger.strip() or ledger.startswith(":memory:") or re.match("(?i:file:)|.*://", ledger):
            raise ValueError("expected the path of a file: what is paid for must stay on disk")
        try:
            folder = ledger.endswith("/") or Path(ledger).is_dir()
            device = not folder and Path(ledger).exists() and not Path(ledger).is_file()
        except OSError:
            folder = device = False  # opening it says what is wrong
        if folder or device:
            what = "folder" if folder else "device"
            raise ValueError(f"expected the path of a file, found the {what} {hide_keys(ledger)!r}")
        return os.path.expanduser(ledger)

    @property
    def ledger_path(self) -> Path:
        """Where the build keeps its paid answers."""
        return Path(self.ledger) if self.ledger else Path(self.output) / "ledger.sqlite"

    @model_validator(mode="after")
    def _endpoints_exist(self) -> BuildConfig:
        there_are = f"; there are: {', '.join(self.endpoints) or 'none'}"
        missing = [
            f"{path}: no endpoint {name!r}{did_you_mean(name, self.endpoints) or there_are}"
            for path, name in named_endpoints(self)
            if name not in self.endpoints
        ]
        if missing:
            raise ValueError("; ".join(missing))
        return self

    @model_validator(mode="after")
    def _components_fit(self, info: ValidationInfo) -> BuildConfig:
        # From whoever reads the file: the components stand in rooms above this one, which cannot import them.
        catalogues: Catalogues = (info.context or {}).get("catalogues", {})
        used = {
            "gate": self.gate,
            "judges": self.judges,
            "comparison": self.comparison,
            "improve": self.improve,
            "perturbers": self.perturbers,
        }
        problems = find_misfits(self.task, components_in(used), catalogues)
        if problems or (self.prompt.analysis and self.task not in ANALYSED):
            raise ValueError("; ".join(problems) or "prompt.analysis is for rewrites: an answer has none")
        return self

    @model_validator(mode="after")
    def _judges_serve(self) -> BuildConfig:
        if problems := find_unserved(self.pairing, self.comparison, self.judges):
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _leaks_are_shown(self) -> BuildConfig:
        leaking = any(perturber.name == "leaked_example" for perturber in self.perturbers)
        if leaking and not (self.prompt.examples and self.examples.per_prompt):
            raise ValueError(
                "perturber leaked_example needs prompt.examples: true and examples.per_prompt of at least 1: a leak teaches nothing when the prompt shows no example"
            )
        return self


def read_build(path: Path, catalogues: Catalogues, *, code: bool = True) -> BuildConfig:
    """Read and check a build file; report every problem at once. Without ``code`` only our own components may be used.

    Raises:
        ConfigError: no such file, not YAML, or problems such as
            ``x.yaml: judges.0.max_chras: unknown key, did you mean max_chars?``
    """
    return parse_build(read_yaml(path), str(path), catalogues, code=code)


def parse_build(content: Mapping[str, Any], called: str, catalogues: Catalogues, *, code: bool = True) -> BuildConfig:
    """Check what stands in a build file; ``called`` is what errors call it.

    Raises:
        ConfigError: every problem at once, see :func:`read_build`.
    """
    if unfit := find_unfit(content):
        raise ConfigError([f"{called}: {problem}" for problem in unfit])
    try:
        config = BuildConfig.model_validate(content, context={"catalogues": catalogues, "code": code})
    except ValidationError as exc:
        problems = explain(exc.errors(), BuildConfig, content, catalogues)
        raise ConfigError(
            [f"{called}: {hide_keys(problem)}" for problem in problems],
            "'pairwright schema' prints every key, 'pairwright list' every component; docs/build-file.md explains them.",
        ) from None
    return config


def parse_endpoint(called: str, **keys: Any) -> EndpointConfig:
    """An endpoint that stands in no build file; ``called`` is what errors call it.

    Raises:
        ConfigError: what is wrong with it, without what stands there.
    """
    try:
        return EndpointConfig(**keys)
    except ValidationError as exc:
        raise ConfigError(
            [f"{called}: {problem}" for problem in explain(exc.errors(), EndpointConfig, {}, {})]
        ) from None
