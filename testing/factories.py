"""Rows for tests: each builder makes a valid row and lets a test change what it is about.

>>> case = factories.task("Is it old?", history=[("user", "Where is the tower?"), ("assistant", "In Pisa.")])
>>> good = factories.candidate("Is the tower in Pisa old?", case)
>>> build = factories.build_result(folder, sft=[factories.sft_row(case, good)])  # for an exporter
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pairwright.core.bookkeeping import StageCount
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.files.storage import write_json, write_rows
from pairwright.core.records import (
    Candidate,
    Example,
    Language,
    Origin,
    PreferencePair,
    Rejected,
    SftRow,
    Split,
    Task,
    ToolCall,
    Turn,
    Verdict,
)
from pairwright.core.result import BuildResult
from pairwright.pipelines.build import STEPS
from pairwright.pipelines.pairing.splits import verify_splits
from pairwright.pipelines.stage import stages_of

HISTORY: Mapping[Language, tuple[tuple[str, str], ...]] = {
    "en": (("user", "Who wrote The Glass Orchard?"), ("assistant", "It was written by Ada Lindqvist.")),
    "zh": (("user", "《玻璃果园》是谁写的？"), ("assistant", "是林若溪写的。")),
}
QUERY: Mapping[Language, str] = {"en": "When was she born?", "zh": "她是哪一年出生的？"}
REWRITE: Mapping[Language, str] = {"en": "When was Ada Lindqvist born?", "zh": "林若溪是哪一年出生的？"}
WORSE: Mapping[Language, str] = {"en": "When was the author born?", "zh": "作者是哪一年出生的？"}

CALLED: Mapping[Language, tuple[str, str, str]] = {
    "en": ("How warm is it in Oslo?", "It is 4 °C in Oslo.", "And in Bergen?"),
    "zh": ("奥斯陆多少度？", "奥斯陆现在 4 °C。", "那卑尔根呢？"),
}


def turns(*said: tuple[str, str]) -> tuple[Turn, ...]:
    """Turns of ``(role, content)``."""
    return tuple(Turn.model_validate({"role": role, "content": content}) for role, content in said)


def origin(**fields: Any) -> Origin:
    """Where a made-up row came from; ``fields`` change what they name, here and in all builders."""
    return Origin(**{"source": "test", "file": "test.jsonl", "line": 1, "key": "1", "licence": "MIT", **fields})


def example(language: Language = "en", **fields: Any) -> Example:
    """A few-shot example."""
    plain = {
        "id": f"{language}-test",
        "language": language,
        "history": turns(*HISTORY[language]),
        "query": QUERY[language],
        "analysis": "分析" if language == "zh" else "An analysis.",
        "needs_rewrite": True,
        "rewrite": REWRITE[language],
    }
    return Example(**{**plain, **fields})


def task(
    query: str | None = None,
    history: Sequence[tuple[str, str]] | None = None,
    language: Language = "en",
    **fields: Any,
) -> Task:
    """A query to rewrite with its history of ``(role, content)``; without arguments one in which "she" is to be resolved."""
    plain = {
        "conversation": "c1",
        "dialogue": "d1",
        "language": language,
        "history": turns(*(HISTORY[language] if history is None else history)),
        "query": QUERY[language] if query is None else query,
        "tokens": 32,
        "origin": origin(),
    }
    return Task.create(**{**plain, **fields})


def answer_task(language: Language = "en") -> Task:
    """A task to answer; a tool was called in its history, and again since the query."""
    asked, said, query = CALLED[language]
    history = (
        Turn(role="user", content=asked),
        Turn(role="assistant", content="", calls=(ToolCall(name="weather", arguments='{"city": "Oslo"}'),)),
        Turn(role="tool", content='{"celsius": 4}'),
        Turn(role="assistant", content=said),
    )
    of = task(
        query,
        [],
        language,
        kind="answer",
        system="Answer in one sentence." if language == "en" else "用一句话回答。",
        tools='[{"type": "function", "function": {"name": "weather"}}]',
    )
    steps = (
        Turn(role="assistant", content="", calls=(ToolCall(name="weather", arguments='{"city": "Bergen"}'),)),
        Turn(role="tool", content='{"celsius": 7}'),
    )
    return of.model_copy(update={"history": history, "steps": steps})


def candidate(rewrite: str | None = None, of: Task | None = None, **fields: Any) -> Candidate:
    """An answer to ``of``; without a text the right rewrite of the query of :func:`task`."""
    of = of or task()
    plain = {"task": of.id, "origin": "reference", "text": REWRITE[of.language] if rewrite is None else rewrite}
    return Candidate.create(**{**plain, **fields})


def rejected(text: str | None = None, language: Language = "en", **fields: Any) -> Rejected:
    """A worse text; without one a rewrite that lost the name."""
    text = WORSE[language] if text is None else text
    plain = {"text": text, "defect": "entity_deleted", "rejected_by": "entity_deletion"}
    return Rejected(**{**plain, **fields})


def pair(
    of: Task | None = None,
    chosen: Candidate | str | None = None,
    worse: Rejected | str | None = None,
    split: Split = "train",
    **fields: Any,
) -> PreferencePair:
    """A preference pair: texts may be given as such or as rows. Each ``split`` has a dialogue of its own."""
    of = of or task()
    if not isinstance(chosen, Candidate):
        chosen = candidate(chosen, of)
    if not isinstance(worse, Rejected):
        worse = rejected(worse, of.language)
    plain = {"task": _in(split, of), "chosen": chosen, "verdicts": (verdict(),), "rejected": worse, "split": split}
    return PreferencePair.create(**{**plain, **fields})


def sft_row(
    of: Task | None = None, chosen: Candidate | str | None = None, split: Split = "train", **fields: Any
) -> SftRow:
    """An accepted answer to imitate."""
    of = of or task()
    if not isinstance(chosen, Candidate):
        chosen = candidate(chosen, of)
    return SftRow.create(
        **{"task": _in(split, of), "chosen": chosen, "verdicts": (verdict(),), "split": split, **fields}
    )


def _in(split: Split, of: Task) -> Task:
    """``of`` in a dialogue of that split only: no dialogue is in two splits of a build."""
    return of if split == "train" else of.model_copy(update={"dialogue": f"{of.dialogue}-{split}"})


def verdict(**fields: Any) -> Verdict:
    """A verdict that passes."""
    return Verdict(**{"judge": "unchanged", "passed": True, **fields})


def build_result(
    folder: Path,
    sft: Sequence[SftRow] = (),
    pairs: Sequence[PreferencePair] = (),
    counts: Sequence[StageCount] = (),
    prompt_hashes: Mapping[str, str] | None = None,
    **config: Any,
) -> BuildResult:
    """A finished build whose rows are written below ``folder``/rows. ``config`` changes keys of its build file."""
    write_rows(folder / "rows" / "sft.jsonl", sft)
    write_rows(folder / "rows" / "pairs.jsonl", pairs)
    rows: tuple[SftRow | PreferencePair, ...] = (*sft, *pairs)
    proof = verify_splits([(row.task, row.split) for row in rows])
    write_json(folder / "rows" / "split.json", proof.model_dump())
    source = {"use": "pairwright.pipelines.ingest.sources:StdinSource", "source": "test"}  # nothing is read from it
    settings = BuildConfig.model_validate({"name": "demo", "output": str(folder), "sources": [source], **config})
    hashes, stages = dict(prompt_hashes or {}), tuple(stages_of(STEPS))
    return BuildResult(settings, "0123456789abcdef", folder / "rows", tuple(counts), hashes, stages)
