"""The kinds of task: what each asks of a teacher and of a student, and how their answers are read.

What differs between rewriting a query and answering it stands in these objects, and nowhere in an ``if``: take
``KINDS[case.kind]``. What goes into a request beside its prompt is decided here too, and so what enters its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from pairwright.core.config.build_file import ContextConfig, PromptConfig, Style
from pairwright.core.language.text_analysis import estimate_tokens
from pairwright.core.llm.client import reask
from pairwright.core.prompts.answering import answer_prompt_hashes, parse_dialogue_answer, student_chat, teacher_chat
from pairwright.core.prompts.history_window import exchanges, fixed_tokens, join_system, window
from pairwright.core.prompts.reply import Reply
from pairwright.core.prompts.rewriting import (
    ANSWER_SCHEMA,
    STUDENT_SCHEMA,
    parse_answer,
    parse_student_answer,
    prompt_hashes,
    student_prompt,
    teacher_messages,
)
from pairwright.core.records import Case, TaskKind, Turn
from pairwright.core.requests import Answer, ChatRequest, Message


class Sampling(Protocol):
    """How a model is to answer. ``tools`` says that its endpoint takes tool definitions and gives calls."""

    @property
    def temperature(self) -> float: ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def style(self) -> Style: ...

    @property
    def tools(self) -> bool: ...


class Kind(Protocol):
    """One kind of task.

    ``foreign_rules`` are keys of ``pairing`` without a meaning for it. ``few_shot``: its prompts may show examples.
    ``styled``: ``prompt.style`` says how its answers should be. ``calls_tools``: an answer may be calls of tools.
    ``mask_history``: each answer in a row's history has a row of its own, so only the last one of a row is learned.
    """

    name: ClassVar[TaskKind]
    foreign_rules: ClassVar[frozenset[str]]
    few_shot: ClassVar[bool]
    styled: ClassVar[bool]
    calls_tools: ClassVar[bool]
    mask_history: ClassVar[bool]

    def window(self, case: Case, context: ContextConfig) -> Case:
        """``case``, whose history has all that was said, with the part of it that a build keeps."""
        ...

    def teacher_request(self, case: Case, sampling: Sampling, seed: int) -> ChatRequest:
        """What asks a teacher or a weak model for an answer to ``case``."""
        ...

    def read_teacher(self, text: str) -> Reply:
        """What a model answered to :meth:`teacher_request`.

        Raises:
            ValueError: what is wrong with it, in one line; the model may be asked again.
        """
        ...

    def student_request(self, case: Case, prompt: PromptConfig, max_tokens: int) -> ChatRequest:
        """What asks the student, as it was trained; greedy."""
        ...

    def read_student(self, text: str, prompt: PromptConfig) -> Reply:
        """What a student answered to :meth:`student_request`.

        Raises:
            ValueError: what is wrong with it, in one line.
        """
        ...

    def prompt_hashes(self, prompt: PromptConfig) -> dict[str, str]:
        """Hashes that name the text of each prompt of a build, as ``{"teacher.zh": "…", "student.zh": "…", …}``."""
        ...


class Rewriting:
    """The user's query becomes one that stands alone."""

    name: ClassVar[TaskKind] = "rewrite"
    foreign_rules: ClassVar[frozenset[str]] = frozenset()
    few_shot: ClassVar[bool] = True
    styled: ClassVar[bool] = True
    calls_tools: ClassVar[bool] = False
    mask_history: ClassVar[bool] = False

    def window(self, case: Case, context: ContextConfig) -> Case:
        used = estimate_tokens(case.query)
        history, _, _ = window(case.history, context.turns, context.max_tokens, used)
        return case.model_copy(update={"history": history})

    def teacher_request(self, case: Case, sampling: Sampling, seed: int) -> ChatRequest:
        messages = teacher_messages(case, sampling.style)
        return rewrite_request(messages, sampling.temperature, sampling.max_tokens, seed)

    def read_teacher(self, text: str) -> Reply:
        said = parse_answer(text)
        return Reply(text=said.rewrite, analysis=said.analysis, needs_rewrite=said.needs_rewrite)

    def student_request(self, case: Case, prompt: PromptConfig, max_tokens: int) -> ChatRequest:
        asked = student_prompt(case, prompt)
        messages = (Message(role="system", content=asked.system), Message(role="user", content=asked.user))
        schema = STUDENT_SCHEMA if prompt.analysis else None
        return ChatRequest(messages=messages, max_tokens=max_tokens, json_schema=schema)

    def read_student(self, text: str, prompt: PromptConfig) -> Reply:
        return parse_student_answer(text, prompt)

    def prompt_hashes(self, prompt: PromptConfig) -> dict[str, str]:
        return prompt_hashes(prompt)


class Answering:
    """The assistant's next turn in a dialogue: words, or calls of tools."""

    name: ClassVar[TaskKind] = "answer"
    foreign_rules: ClassVar[frozenset[str]] = frozenset({"no_rewrite_share"})
    few_shot: ClassVar[bool] = False
    styled: ClassVar[bool] = False
    calls_tools: ClassVar[bool] = True
    mask_history: ClassVar[bool] = True

    def window(self, case: Case, context: ContextConfig) -> Case:
        told = (Turn(role="system", content=case.system), *case.history) if case.system else case.history
        system = join_system(told)
        used = fixed_tokens(system, case.tools, (Turn(role="user", content=case.query), *case.steps))
        spoken = [turn for turn in case.history if turn.role != "system"]
        history, _ = exchanges(spoken, context.turns, context.max_tokens, used)
        return case.model_copy(update={"history": history, "system": system})

    def teacher_request(self, case: Case, sampling: Sampling, seed: int) -> ChatRequest:
        messages, tools = teacher_chat(case, sampling.tools)
        return ChatRequest(
            messages=messages,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            seed=seed,
            tools=tools,
        )

    def read_teacher(self, text: str) -> Reply:
        return parse_dialogue_answer(text)

    def student_request(self, case: Case, prompt: PromptConfig, max_tokens: int) -> ChatRequest:
        chat = student_chat(case, prompt)
        said = (Message(role=turn.role, content=turn.content, calls=turn.calls) for turn in chat.turns)
        messages = (Message(role="system", content=chat.system), *said)
        return ChatRequest(messages=messages, max_tokens=max_tokens, tools=chat.tools)

    def read_student(self, text: str, prompt: PromptConfig) -> Reply:  # noqa: ARG002
        return parse_dialogue_answer(text)

    def prompt_hashes(self, prompt: PromptConfig) -> dict[str, str]:
        return answer_prompt_hashes(prompt)


KINDS: Mapping[TaskKind, Kind] = {kind.name: kind for kind in (Rewriting(), Answering())}


def rewrite_request(messages: Iterable[Message], temperature: float, max_tokens: int, seed: int) -> ChatRequest:
    """A request for a rewrite: the one place that decides what, beside the prompt, enters its hash."""
    return ChatRequest(
        messages=tuple(messages),
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
        json_schema=ANSWER_SCHEMA,
        schema_name="rewrite",
    )


def provenance(request: ChatRequest, answers: Sequence[Answer]) -> dict[str, str | int]:
    """What names the last of ``answers``, which ``ask_json`` gave to ``request``."""
    return {
        "model": answers[-1].model,
        "request_hash": answers[-1].request_hash,
        "prompt_hash": request.prompt_hash,
        "seed": reask(request, len(answers) - 1).seed,
    }
