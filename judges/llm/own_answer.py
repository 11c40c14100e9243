"""What the judge itself would say: the answer of a model that does not see the one to be judged."""

from __future__ import annotations

from typing import NamedTuple

from pairwright.core.config.build_file import Style
from pairwright.core.identity import row_rng
from pairwright.core.llm.client import ask_json, reask
from pairwright.core.prompts.kinds import KINDS
from pairwright.core.prompts.reply import Reply
from pairwright.core.records import Candidate, Case, Generation
from pairwright.core.requests import Answer, Ask, ChatRequest


class _Sampling(NamedTuple):
    """Greedy, with tools as text: a judge's endpoint need not take definitions."""

    style: Style
    max_tokens: int
    temperature: float = 0.0
    tools: bool = False


def own_request(case: Case, style: Style, max_tokens: int) -> ChatRequest:
    """The request for an answer to ``case``: the teacher's own prompt, for a rewrite or for an answer."""
    seed = row_rng(0, "fine.answer", case.id).getrandbits(31)
    return KINDS[case.kind].teacher_request(case, _Sampling(style, max_tokens), seed)


async def own_answer(
    case: Case, style: Style, ask: Ask, endpoint: str, max_tokens: int, reasks: int
) -> tuple[Candidate, tuple[str, ...]]:
    """The answer as a candidate, and the hashes of all requests that it took.

    Raises:
        RequestFailed: no usable answer came.
    """
    request = own_request(case, style, max_tokens)
    said, answers = await ask_json(ask, endpoint, request, KINDS[case.kind].read_teacher, reasks)
    hashes = tuple(answer.request_hash for answer in answers)
    return improved_candidate(case, endpoint, request, answers, said), hashes


def improved_candidate(
    case: Case,
    endpoint: str,
    request: ChatRequest,
    answers: tuple[Answer, ...],
    said: Reply,
) -> Candidate:
    """``said`` as a candidate of origin ``improved``; ``ask_json`` gave ``answers``, the used one last, to ``request``."""
    return Candidate.create(
        task=case.id,
        origin="improved",
        **said.model_dump(exclude_none=True),
        generation=Generation(
            endpoint=endpoint,
            model=answers[-1].model,
            prompt_hash=request.prompt_hash,
            request_hash=answers[-1].request_hash,
            temperature=request.temperature,
            seed=reask(request, len(answers) - 1).seed,
        ),
    )
