"""One decision of a gate about one query: the logic behind ``pairwright gate``."""

from __future__ import annotations

from collections.abc import Sequence

from pairwright.core.component_calls import ask_gate
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import ConfigError, JudgeError, RequestFailed
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.language.text_analysis import detect_language
from pairwright.core.llm.ledger import Ledger
from pairwright.core.pages.cells import Table
from pairwright.core.records import Case, GateDecision, Turn
from pairwright.core.untrusted_json import well_formed
from pairwright.judges.gates import GATES
from pairwright.pipelines.endpoint_servers import open_endpoints, running_servers
from pairwright.pipelines.judging.gating import decide_now


def turns_of(texts: Sequence[str], *, user_only: bool) -> tuple[Turn, ...]:
    """Turns of user and assistant in turn, the user first, or of the user alone."""
    return tuple(
        Turn(role="assistant" if at % 2 and not user_only else "user", content=well_formed(text))
        for at, text in enumerate(texts)
    )


def case_of(query: str, history: Sequence[Turn]) -> Case:
    """The query as a gate sees it.

    Raises:
        ConfigError: there is none.
    """
    query = well_formed(query)
    if not query.strip():
        raise ConfigError(["gate: an empty --text"], "--text takes the query.")
    return Case.create(language=detect_language(query), history=tuple(history), query=query)


def by_name(name: str, case: Case) -> GateDecision:
    """What the gate called ``name``, which asks nobody, says of ``case``.

    Raises:
        ConfigError: no such gate, or one that asks an endpoint.
    """
    if name not in GATES or GATES[name].paid:
        free = ", ".join(sorted(name for name, gate in GATES.items() if not gate.paid))
        raise ConfigError([f"no gate {name!r} that asks nobody; there are: {free}"], "Others: --build BUILD.yaml.")
    return decide_now([case], GATES[name]())[0]


def by_build(config: BuildConfig, case: Case) -> GateDecision:
    """What the gate of a build file says of ``case``; its answer goes to the build's ledger.

    Raises:
        ConfigError: the build file has no gate.
        JudgeError: no usable answer came.
    """
    if config.gate is None:
        raise ConfigError(["the build file has no gate"], "Add one: 'gate: {use: rules}'.")
    if not config.gate.paid:
        return decide_now([case], config.gate)[0]
    only = config.model_copy(update={"generation": (), "judges": (), "comparison": None})
    config.ledger_path.parent.mkdir(parents=True, exist_ok=True)
    with (
        scratch_folder("gate", config.ledger_path) as logs,
        Ledger(config.ledger_path) as ledger,
        running_servers(only, logs) as base_urls,
        open_endpoints(only, ledger, base_urls) as asked,
    ):
        try:
            return asked.runner.run(ask_gate(config.gate, case, asked.ask))
        except RequestFailed as exc:
            raise JudgeError(f"the gate gave no usable answer: {exc}", "Ask again, or take another model.") from exc


def decision_table(decision: GateDecision) -> Table:
    """Header and one row per part of the decision."""
    does = "passes unchanged" if decision.passes else "is rewritten"
    return [
        ("question", "answer"),
        ("needs a rewrite?", _word(decision.needs_rewrite)),
        ("what it lacks stands in a missing answer?", _word(decision.missing_answer)),
        ("so the query", does),
        ("score", "–" if decision.score is None else f"{decision.score:.3f}"),
        ("method", decision.method),
        ("evidence", decision.evidence),
    ]


def _word(answer: bool) -> str:
    return "yes" if answer else "no"
