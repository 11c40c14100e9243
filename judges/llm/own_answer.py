"""What the judge itself would say: the answer of a model that does not see the one to be judged."""

from __future__ import annotations

from collections.abc import Callable

from pairwright.core.config.build_file import Style
from pairwright.core.identity import row_rng
from pairwright.core.llm.client import ask_json, reask
from pairwright.core.prompts.answering import DialogueAnswer, parse_dialogue_answer, teacher_chat
from pairwright.core.prompts.rewriting import ANSWER_SCHEMA, TeacherAnswer, parse_answer, teacher_messages
from pairwright.core.records import Candidate, Generation, Task
from pairwright.core.requests import Answer, Ask, ChatRequest


def own_request(task: Task, style: Style, max_tokens: int) -> ChatRequest:
    """The request for an answer to ``task``: the teacher's own prompt, for a rewrite or for an answer."""
    seed = row_rng(0, "fine.answer", task.id).getrandbits(31)
    if task.kind == "answer":
        messages, tools = teacher_chat(task, native_tools=False)
        return ChatRequest(messages=messages, max_tokens=max_tokens, seed=seed, tools=tools)
    return ChatRequest(
        messages=teacher_messages(task, style),
        max_tokens=max_tokens,
        seed=seed,
        json_schema=ANSWER_SCHEMA,
        schema_name="rewrite",
    )


async def own_answer(
    task: Task, style: Style, ask: Ask, endpoint: str, max_tokens: int, reasks: int
) -> tuple[Candidate, tuple[str, ...]]:
    """The answer as a candidate, and the hashes of all requests that it took.

    Raises:
        RequestFailed: no usable answer came.
    """
    request = own_request(task, style, max_tokens)
    said, answers = await ask_json(ask, endpoint, request, _parser(task), reasks)
    hashes = tuple(answer.request_hash for answer in answers)
    return improved_candidate(task, endpoint, request, answers, said), hashes


def improved_candidate(
    task: Task,
    endpoint: str,
    request: ChatRequest,
    answers: tuple[Answer, ...],
    said: TeacherAnswer | DialogueAnswer,
) -> Candidate:
    """``said`` as a candidate of origin ``improved``; ``ask_json`` gave ``answers``, the used one last, to ``request``."""
    return Candidate.create(
        task=task.id,
        origin="improved",
        **said.model_dump(),
        generation=Generation(
            endpoint=endpoint,
            model=answers[-1].model,
            prompt_hash=request.prompt_hash,
            request_hash=answers[-1].request_hash,
            temperature=request.temperature,
            seed=reask(request, len(answers) - 1).seed,
        ),
    )


def _parser(task: Task) -> Callable[[str], TeacherAnswer | DialogueAnswer]:
    return parse_dialogue_answer if task.kind == "answer" else parse_answer
