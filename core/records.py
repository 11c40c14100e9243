"""Every row type of a build, in the order in which one becomes the next.

    Conversation → Task → Candidate → JudgedCandidate → SftRow | PreferencePair → exported files

A ``Task`` is a ``Case`` (all that a model may see of a query) with what is known of its answer and where it came from.

Rows are frozen, forbid unknown keys, and are written as one JSON object per line. A row's ``id`` is a hash of its
content (see ``core/identity.py``), so the same input gives the same id on every machine and in every order. Each row
contains or names what it came from: any pair in the final file can be traced to a line of a source file, a prompt,
a model, its sampling parameters, a perturber and the verdicts of the judges.

At every stage one input gives exactly one outcome: the kept row, a ``Dropped`` with a reason or a
``Failed`` with an error (``core/bookkeeping.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pairwright.core.identity import IdentifiedRow, Row, in_order_of_hashes

Language = Literal["zh", "en"]
Role = Literal["system", "user", "assistant", "tool"]
TaskKind = Literal["rewrite", "answer"]
ANALYSED: frozenset[TaskKind] = frozenset({"rewrite"})
"""Kinds of task whose answers may come with an analysis (the build file's ``prompt.analysis``)."""
CandidateOrigin = Literal["reference", "teacher", "weak", "gate", "improved"]
WRITTEN = frozenset({"sampled", "improved"})
"""Makers of rejected texts that somebody really wrote; all others are rules."""
Split = Literal["train", "validation", "test"]
Scalar = str | int | float | bool | None
Winner = Literal["first", "second", "tie"]
Position = Literal["first", "second", "equal"]


# Fields that came later are left out of files and ids where they are empty: older rows stay what they were.
def _absent(value: object) -> bool:
    return not value


def _is_rewrite(value: object) -> bool:
    return value == "rewrite"


class ToolCall(Row):
    """One call of a tool: ``arguments`` is a JSON object, as text."""

    hashed: ClassVar[tuple[str, ...]] = ("name", "arguments")
    name: str
    arguments: str


class Turn(Row):
    """One utterance. ``calls`` are the tools that an assistant turn calls; the ``tool`` turns after it bring what they said."""

    hashed: ClassVar[tuple[str, ...]] = ("role", "content", "calls")
    role: Role
    content: str
    calls: tuple[ToolCall, ...] = Field((), exclude_if=_absent)


class Origin(Row):
    """Where a row came from: the source's name in the build file, the file, its line (from 1), the row's own key there."""

    source: str
    file: str
    line: int | None = None
    key: str
    licence: str

    def identity(self) -> list[str]:
        """Where a file lies does not change what a row is: moving the data must not change seeds, nor pay for answers
        again."""
        return [self.source, self.key]


class Conversation(IdentifiedRow):
    """A dialogue as it was read.

    ``dialogue`` groups rows that come from one dialogue: they never end up in different splits. ``reference`` is a
    human rewrite of the last user turn, where the source has one (then the last turn is that user turn). ``tools`` are
    the definitions of the tools that the assistant may call, as the text of a JSON array of
    ``{"type": "function", "function": {"name", "description", "parameters"}}``; empty without tools.
    """

    hashed: ClassVar[tuple[str, ...]] = ("dialogue", "language", "domain", "turns", "reference", "tools", "origin")
    dialogue: str
    language: Language
    domain: str | None = None
    turns: tuple[Turn, ...] = Field(min_length=1)
    reference: str | None = None
    tools: str = Field("", exclude_if=_absent)
    origin: Origin


class Example(Row):
    """One few-shot example: a small dialogue, its query, the analysis and the rewrite to imitate."""

    hashed: ClassVar[tuple[str, ...]] = ("id", "language", "history", "query", "analysis", "needs_rewrite", "rewrite")
    id: str
    language: Language
    history: tuple[Turn, ...]
    query: str
    analysis: str
    needs_rewrite: bool
    rewrite: str


class GateDecision(Row):
    """What a gate says of one query, and what its human rewrite says where there is one.

    ``needs_rewrite``: the query cannot be understood without its dialogue. ``missing_answer``: what it lacks stands in an
    answer of the assistant that the history does not have. ``score`` is how sure the gate is that it needs a rewrite,
    from 0 to 1; ``method`` says where that comes from: points of rules, the probability of the
    word that the model wrote, or that word alone (then there is no score). ``evidence`` quotes what decided.
    ``reference_needs_rewrite`` is absent where no human rewrite is known.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "needs_rewrite", "missing_answer", "score", "method", "evidence", "request_hashes",
        "reference_needs_rewrite",
    )  # fmt: skip
    needs_rewrite: bool
    missing_answer: bool = False
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    method: Literal["rule", "probability", "answer"]
    evidence: str = ""
    request_hashes: tuple[str, ...] = ()
    reference_needs_rewrite: bool | None = None

    @property
    def passes(self) -> bool:
        """True when the query stays as it is. A human rewrite knows better than any gate."""
        if self.reference_needs_rewrite is not None:
            return not self.reference_needs_rewrite
        return not self.needs_rewrite or self.missing_answer


class Case(IdentifiedRow):
    """One query with the window of history that a model sees, and all that a model may see: prompts are made of cases.

    ``kind`` says what is to be done: the query is rewritten, or answered. ``history`` is oldest first and does not contain
    ``query``. ``examples`` are the few-shot examples chosen for this query: teacher, weak model and student see the same
    ones, in this order. ``system`` and ``tools`` (see :class:`Conversation`) are what an assistant that answers was told,
    ``steps`` the calls that it made since the query and what the tools said. The ``id`` names the case in seeds and books.
    """

    hashed: ClassVar[tuple[str, ...]] = ("kind", "language", "history", "query", "steps", "system", "tools", "examples")
    kind: TaskKind = Field("rewrite", exclude_if=_is_rewrite)
    language: Language
    history: tuple[Turn, ...] = ()
    query: str = Field(min_length=1)
    steps: tuple[Turn, ...] = Field((), exclude_if=_absent)
    system: str = Field("", exclude_if=_absent)
    tools: str = Field("", exclude_if=_absent)
    examples: tuple[Example, ...] = ()


class KnownCase(Case):
    """A case and what is known of its answer: judges and perturbers may look at that, gates and prompts never do.

    ``reference`` is the human rewrite or, of what is to be answered, the answer that the dialogue has; ``gate`` is the
    decision of a gate, made when the id is already there.
    """

    hashed: ClassVar[tuple[str, ...]] = (*Case.hashed, "reference", "gate")
    reference: str | None = None
    gate: GateDecision | None = Field(None, exclude_if=_absent)

    @property
    def passes(self) -> bool:
        """True when a gate said that the query stays as it is."""
        return self.gate is not None and self.gate.passes


@in_order_of_hashes
class Task(KnownCase):
    """A case of a build, with where it came from.

    ``conversation`` and ``dialogue`` are the ids of the row that it was read from, ``cut_turns`` counts the older turns that
    the window leaves out, ``tokens`` is the estimated length of history and query together, and ``flags`` say what is
    remarkable about it.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "kind", "conversation", "dialogue", "language", "domain", "history", "query", "steps", "reference",
        "system", "tools", "cut_turns", "tokens", "examples", "origin", "gate", "flags",
    )  # fmt: skip
    conversation: str
    dialogue: str
    domain: str | None = None
    cut_turns: int = 0
    tokens: int
    origin: Origin
    flags: tuple[str, ...] = Field((), exclude_if=_absent)


class Generation(Row):
    """How a candidate was sampled. The examples that its prompt showed are ``Case.examples``.

    ``on_policy`` says that the model is the student that the data is for.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "endpoint", "model", "prompt_hash", "request_hash", "temperature", "seed", "on_policy",
    )  # fmt: skip
    endpoint: str
    model: str
    prompt_hash: str
    request_hash: str
    temperature: float
    seed: int
    on_policy: bool = False


class Candidate(IdentifiedRow):
    """One proposed answer to one task; ``text`` is the rewrite of its query, or what an assistant says to it.

    An answer that calls tools is the JSON array ``[{"name": …, "arguments": {…}}, …]``. ``analysis`` is the model's
    reasoning; human references and the copies that a gate proposes have none. Of origin ``improved`` is what an improver
    wrote in place of another answer. Files call the text ``rewrite``.
    """

    hashed: ClassVar[tuple[str, ...]] = ("task", "origin", "rewrite", "analysis", "needs_rewrite", "generation")
    task: str
    origin: CandidateOrigin
    text: str = Field(alias="rewrite")
    analysis: str | None = None
    needs_rewrite: bool | None = None
    generation: Generation | None = None


class GateRow(Row):
    """The books of the gate: one decision, and the query that it is about."""

    task: str
    language: Language
    query: str
    decision: GateDecision
    origin: Origin


class Verdict(Row):
    """What one judge says of one candidate.

    ``score`` runs from 0 (worst) to 1 and is absent for judges that only pass or fail. ``method`` says where it
    comes from: a rule, the expectation over the probabilities of the score tokens, the integer that was written, a
    model's bare verdict, or the members of a panel.
    ``defect`` names what is wrong when ``passed`` is false, ``evidence`` quotes it. ``members`` are the verdicts that a
    panel's rests on.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "judge", "passed", "score", "method", "defect", "evidence", "request_hashes", "members",
    )  # fmt: skip
    judge: str
    passed: bool
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    method: Literal["rule", "expectation", "integer", "verdict", "panel"] = "rule"
    defect: str | None = None
    evidence: str = ""
    request_hashes: tuple[str, ...] = ()
    members: tuple[Verdict, ...] = Field((), exclude_if=_absent)

    @property
    def grade(self) -> float:
        """What it counts among scores: its own, else 1 for passed and 0 for refused."""
        return float(self.passed) if self.score is None else self.score


class Comparison(Row):
    """Which of two texts answers a task better.

    ``margin`` runs from -1 (the second text) to 1 (the first). ``method`` says where both come from: the probabilities
    of the verdict's words summed over both orders, the two verdicts as they were written, the members of a panel, or
    nothing at all, because the texts are the same. ``answers`` are the places that the judge named, when the first text
    stood first and when it stood second; ``flipped`` says that they contradict each other.
    """

    judge: str
    winner: Winner
    margin: Annotated[float, Field(ge=-1, le=1)]
    method: Literal["logits", "verdicts", "panel", "same_text"]
    answers: tuple[Position, ...] = ()
    flipped: bool = False
    explanations: tuple[str, ...] = ()
    request_hashes: tuple[str, ...] = ()
    members: tuple[Comparison, ...] = Field((), exclude_if=_absent)


class Compared(Row):
    """One comparison that a build made, of two texts for the task called ``task``.

    In ``choose`` both are accepted candidates. In ``verify`` the first is the chosen text and the second the worse one
    that ``rejected_by`` made.
    """

    stage: Literal["choose", "verify"]
    task: str
    first: str
    second: str
    rejected_by: str = Field("", alias="maker")
    defect: str = ""
    comparison: Comparison


class JudgedCandidate(Row):
    """A candidate with its task and all verdicts; ``accepted`` only when every judge passed it."""

    task: Task
    candidate: Candidate
    verdicts: tuple[Verdict, ...]

    @property
    def accepted(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def score(self) -> float | None:
        """The mean of the scores that the judges gave, None where none did."""
        return _mean_score(self.verdicts)


class Rejected(Row):
    """A worse answer and what makes it worse.

    ``rejected_by`` is the perturber's name, or ``sampled`` for a candidate that a judge refused, or ``improved`` for one that
    an improver wrote a better one for (then ``generation`` says how it was sampled). ``evidence`` quotes what was
    deleted, blurred or leaked, or says why the other is better.
    """

    hashed: ClassVar[tuple[str, ...]] = (
        "text", "analysis", "defect", "maker", "template", "parameters", "evidence", "generation",
    )  # fmt: skip
    text: str = Field(min_length=1)
    analysis: str | None = None
    defect: str
    rejected_by: str = Field(alias="maker")
    template: str = ""
    parameters: Mapping[str, Scalar] = {}
    evidence: str = ""
    generation: Generation | None = None


class PreferencePair(IdentifiedRow):
    """``chosen`` answers ``task`` better than ``rejected``, for the reason that ``rejected.defect`` names."""

    hashed: ClassVar[tuple[str, ...]] = ("task", "chosen", "verdicts", "rejected", "split")
    task: Task
    chosen: Candidate
    verdicts: tuple[Verdict, ...]
    rejected: Rejected
    split: Split = "train"


class SftRow(IdentifiedRow):
    """One accepted answer to imitate. ``route`` says why an improver kept its query; empty without one."""

    hashed: ClassVar[tuple[str, ...]] = ("task", "chosen", "verdicts", "route", "split")
    task: Task
    chosen: Candidate
    verdicts: tuple[Verdict, ...]
    route: str = Field("", exclude_if=_absent)
    split: Split = "train"

    @property
    def accepted(self) -> bool:
        """False for an answer that a judge refused and that only an improvement could replace."""
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def score(self) -> float | None:
        """The mean of the scores that the judges gave, None where none did."""
        return _mean_score(self.verdicts)


def _mean_score(verdicts: Iterable[Verdict]) -> float | None:
    scores = [verdict.score for verdict in verdicts if verdict.score is not None]
    return sum(scores) / len(scores) if scores else None
