"""What is asked of a teacher: the one place that decides what, beside the prompt, enters the hash of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pairwright.core.llm.client import reask
from pairwright.core.prompts.answering import DialogueAnswer, parse_dialogue_answer
from pairwright.core.prompts.rewriting import ANSWER_SCHEMA, TeacherAnswer, parse_answer
from pairwright.core.records import TaskKind
from pairwright.core.requests import Answer, ChatRequest, Message


def parser_of(kind: TaskKind) -> Callable[[str], TeacherAnswer | DialogueAnswer]:
    """What reads the answers to the requests of one kind of task; it raises ``ValueError`` for one to ask again."""
    return parse_dialogue_answer if kind == "answer" else parse_answer


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
