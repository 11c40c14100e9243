"""A few queries through everything that looks at single rows, before a whole build is paid for.

Nothing is written where the build will be. What was asked is in the build's ledger, so the build does not pay for it
again. Duplicates are looked for among the few rows only; balance, splits, audit and exports look at a whole build and
take no part.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, ClassVar

from pairwright.core.bookkeeping import Dropped, Failed, StageCount
from pairwright.core.config.build_file import BuildConfig
from pairwright.core.errors import BuildError
from pairwright.core.execution.scratch import scratch_folder
from pairwright.core.files.storage import read_rows
from pairwright.core.llm.ledger import Ledger
from pairwright.core.pages.cells import list_counts
from pairwright.core.pages.shown import Part, Shown
from pairwright.core.prompts.student import Student
from pairwright.core.records import Candidate, JudgedCandidate, PreferencePair, SftRow, Task
from pairwright.core.requests import ChatRequest
from pairwright.pipelines.artefacts import ANSWERS, CANDIDATES, DROPPED, FAILED, JUDGED, QUERIES, TASKS, Rows
from pairwright.pipelines.books import Books, Silent
from pairwright.pipelines.build import STEPS, prepare
from pairwright.pipelines.reporting.funnel import funnel_table
from pairwright.pipelines.reporting.shown_pairs import dialogue_cells, place_of, rejected_cells, words_of
from pairwright.pipelines.run import Run
from pairwright.pipelines.runner import run_steps
from pairwright.pipelines.stage import Flow, RowStage, Step, stages_of

UNTIL = "pair"


@dataclass(frozen=True)
class PreviewedQuery:
    """One query and what became of it.

    ``prompt`` is what the student would be trained on. ``candidates`` are proposals with their verdicts, ``chosen`` the
    answer to imitate, ``pairs`` what would be paired before the build is balanced, ``lost`` why the rest went.
    """

    task: Task
    prompt: ChatRequest
    candidates: tuple[JudgedCandidate, ...]
    chosen: SftRow | None
    pairs: tuple[PreferencePair, ...]
    lost: tuple[Dropped | Failed, ...]


@dataclass(frozen=True, repr=False)
class Preview(Shown):
    """What a few queries become. ``unread`` are rows that became no query; ``unasked`` names what was left out because it asks an endpoint.

    ``stopped`` says why the preview ended early, where it did: the build would end there too, with these rows alone.
    """

    queries: tuple[PreviewedQuery, ...]
    counts: tuple[StageCount, ...]
    unread: tuple[Dropped | Failed, ...]
    unasked: tuple[str, ...]
    stopped: str

    def parts(self) -> Iterator[Part]:
        """Every query with what it became, then the books, and what was not done."""
        for number, query in enumerate(self.queries, start=1):
            yield Part(f"Query {number} of {len(self.queries)}: {place_of(query.task)}", tuple(_cells(query)))
        if self.queries:
            yield Part("What the student would read for query 1", text=_prompt_text(self.queries[0].prompt))
        if self.unread:
            table = [("row", "why it is no query"), *((one.row, _why(one)) for one in self.unread)]
            yield Part("Rows that became no query", table)
        yield Part("Funnel: in = kept + dropped + failed", funnel_table(self.counts))
        yield Part(lines=tuple(self._endings()))

    def _endings(self) -> Iterator[str]:
        if self.unasked:
            yield f"nobody was asked, so these took no part: {', '.join(self.unasked)}"
        if self.unasked and self.queries and not any(query.candidates for query in self.queries):
            yield "so there are no answers yet: preview with ask=True (--ask) asks about these queries"
        elif self.stopped:
            yield f"it ended early: {self.stopped}"


def preview_build(
    config: BuildConfig, queries: int = 5, *, ask: bool = False, steps: Sequence[Step] = STEPS
) -> Preview:
    """Take the first ``queries`` of the sources, in turn, through the stages of a build, as far as pairing.

    Without ``ask`` nothing is sent, and no server is started: what asks an endpoint takes no part. With it, answers go to
    the ledger of the build, within its budget.

    Raises:
        ValueError: ``queries`` is less than 1.
        PairwrightError: as a build would; but failed rows are shown, however many there are, and a stage that keeps
            nothing ends the preview without an error.
    """
    if queries < 1:
        raise ValueError(f"a preview has at least one query, not {queries}")
    config = prepare(config, steps)
    small, unasked = (config, ()) if ask else _asking_nobody(config)
    small = _first_rows(small, queries)
    judges = [(stage.name, one) for stage in stages_of(steps) for one in stage.judges(small)]
    with scratch_folder("preview", config.ledger_path) as work:
        with (
            Ledger(config.ledger_path if ask else work / "unused.sqlite") as ledger,
            Books(work, small.limits.max_failure_rate, Silent()) as books,
            Run(small, work, books, ledger, judges) as run,
        ):
            stopped = _run(_with_few(steps, queries), run)
        return _collect(small, work, tuple(books.counts), unasked, stopped)


def _asking_nobody(config: BuildConfig) -> tuple[BuildConfig, tuple[str, ...]]:
    """The build file without what asks an endpoint, and the names of that."""
    gone = [f"the {one.role} at endpoint {one.endpoint}" for one in config.generation]
    changes: dict[str, Any] = {"generation": (), "judges": tuple(one for one in config.judges if not one.paid)}
    gone += [f"judge {one.name}" for one in config.judges if one.paid]
    for key in ("gate", "comparison", "improve"):
        component = dict(config)[key]
        if component is not None and component.paid:
            changes[key] = None
            gone.append(f"{key} {component.name}")
    if "comparison" in changes:
        changes["pairing"] = config.pairing.model_copy(update={"choose": "scores", "verify": "rules"})
    return config.model_copy(update=changes), tuple(gone)


def _first_rows(config: BuildConfig, rows: int) -> BuildConfig:
    most = min(rows, config.limits.max_rows or rows)
    limits = config.limits.model_copy(update={"max_rows": most, "max_failure_rate": 1.0})
    return config.model_copy(update={"limits": limits})


class _TakeFirst(RowStage):
    """So many queries, in turn from every source, so that each of them is seen."""

    name: ClassVar[str] = "preview"
    unit: ClassVar[str] = "queries"

    def __init__(self, queries: int) -> None:
        self._queries = queries

    def outcomes(self, run: Run, rows: Iterator[Task]) -> Iterator[Task | Dropped]:  # noqa: ARG002
        by_source: dict[str, list[Task]] = defaultdict(list)
        for task in rows:
            by_source[task.origin.source].append(task)
        in_turn = [task for tasks in zip_longest(*by_source.values()) for task in tasks if task is not None]
        kept = {task.id for task in in_turn[: self._queries]}
        for task in chain.from_iterable(by_source.values()):
            yield task if task.id in kept else Dropped(stage=self.name, row=task.id, reason="not_in_preview")


def _with_few(steps: Sequence[Step], queries: int) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Flow) and step.into == TASKS:
            yield Flow((*step.stages, _TakeFirst(queries)), TASKS)
        else:
            yield step


def _run(steps: Iterable[Step], run: Run) -> str:
    """Run the steps; what ended them early, or nothing."""
    try:
        run_steps(list(steps), run, UNTIL)
    except BuildError as exc:
        return exc.message
    return ""


def _collect(
    config: BuildConfig, work: Path, counts: tuple[StageCount, ...], unasked: tuple[str, ...], stopped: str
) -> Preview:
    tasks = list(_rows(QUERIES.of(work), work))
    lost = [*_rows(Rows(DROPPED.file, "", Dropped), work), *_rows(Rows(FAILED.file, "", Failed), work)]
    lost = [one for one in lost if one.stage != _TakeFirst.name]
    judged = _by_task(_rows(JUDGED, work))
    chosen = {row.task.id: row for row in _rows(ANSWERS.of(work), work)}
    pairs = _by_task(_rows(Rows(f"{UNTIL}.jsonl", "", PreferencePair), work))
    owners = _owners(tasks, _rows(CANDIDATES, work), judged, chosen)
    of_task: dict[str, list[Dropped | Failed]] = defaultdict(list)
    for one in lost:
        of_task[owners.get(one.row.partition("/")[0], "")].append(one)
    student = Student(kind=config.task, prompt=config.prompt, context=config.context, examples=config.examples)
    shown = (
        PreviewedQuery(
            task,
            student.request(task),
            tuple(judged.get(task.id, ())),
            chosen.get(task.id),
            tuple(pairs.get(task.id, ())),
            tuple(of_task.get(task.id, ())),
        )
        for task in tasks
    )
    return Preview(tuple(shown), counts, tuple(of_task.get("", ())), unasked, stopped)


def _rows(artefact: Rows[Any], work: Path) -> Iterator[Any]:
    path = artefact.path(work)
    return read_rows(path, artefact.row_type) if path.exists() else iter(())


def _by_task(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.task.id].append(row)
    return found


def _owners(
    tasks: Iterable[Task],
    candidates: Iterable[Candidate],
    judged: Mapping[str, Sequence[JudgedCandidate]],
    chosen: Mapping[str, SftRow],
) -> dict[str, str]:
    """The task that each id in the books belongs to."""
    ids = {task.id: task.id for task in tasks} | {one.id: one.task for one in candidates}
    ids |= {row.candidate.id: task for task, rows in judged.items() for row in rows}
    return ids | {row.id: task for task, row in chosen.items()}


def _cells(query: PreviewedQuery) -> Iterator[tuple[str, str]]:
    yield "part", "text"
    yield from dialogue_cells(query.task)
    for one in query.candidates:
        refusals = [verdict for verdict in one.verdicts if not verdict.passed]
        yield f"{one.candidate.origin}, {'refused' if refusals else 'accepted'}", one.candidate.text
        yield from ((f"refused: {verdict.defect or verdict.judge}", verdict.evidence) for verdict in refusals)
    if query.chosen is not None:
        yield "chosen", query.chosen.chosen.text
    for pair in query.pairs:
        yield from rejected_cells(pair)
    if query.candidates:  # without any there is nothing that a stage could have done better
        yield from ((f"left out by {stage}", list_counts(reasons)) for stage, reasons in _reasons(query.lost).items())
    yield from ((f"failed in {one.stage}", _why(one)) for one in query.lost if isinstance(one, Failed))


def _reasons(lost: Iterable[Dropped | Failed]) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for one in lost:
        if isinstance(one, Dropped):
            found[one.stage][one.reason] += 1
    return found


def _prompt_text(request: ChatRequest) -> str:
    said = [f"{message.role}:\n{words_of(message)}" for message in request.messages]
    return "\n\n".join([*said, *([f"tools:\n{request.tools}"] if request.tools else [])])


def _why(one: Dropped | Failed) -> str:
    if isinstance(one, Dropped):
        return f"{one.reason}: {one.detail}" if one.detail else one.reason
    place = f"{one.file}:{one.line}: " if one.file else ""
    return f"{place}{one.error}: {one.message}"
